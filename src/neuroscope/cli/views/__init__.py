"""What the commands print, one file a kind of result; a view takes a verb's JSON and a console."""

"""What the verbs need of texts: the columns that hold them, the words that decided."""

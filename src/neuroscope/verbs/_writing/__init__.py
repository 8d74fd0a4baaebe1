"""What the verbs do otherwise where a text is to be continued."""

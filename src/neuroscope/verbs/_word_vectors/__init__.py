"""How the verbs go about word vectors."""

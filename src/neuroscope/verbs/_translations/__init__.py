"""How the verbs go about sentence pairs."""

"""What the verbs need of sequences: rows gathered into them, and views over their time."""

"""What the verbs do beside when the rows are pictures."""

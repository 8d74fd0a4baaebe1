"""What the rungs of sequences share: their nets, training choices, how far back nets remember."""

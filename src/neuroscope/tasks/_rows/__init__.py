"""What the rungs of rows share: how a table is posed, the plainest learner, training choices."""

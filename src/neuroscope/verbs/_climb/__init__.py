"""The climb of `train`: rungs fitted on the same folds, one chosen, and what is made of it."""

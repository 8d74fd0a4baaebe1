"""The torch loop: batches, precision, optimisers, schedules, early stopping, fine-tuning, state."""

"""What a forecast may read beside the history of its target: other columns and the calendar."""

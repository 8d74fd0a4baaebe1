"""What the verbs do otherwise where rows are forecasts."""

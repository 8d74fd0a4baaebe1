"""Forecasts: how a panel of series becomes a problem, and a model that goes on where it ends."""

"""The ground floor: errors, events, recipe, randomness, catalogue, settings and types."""

"""Data in: sources, schema, audit, splits and encoders."""

"""The charts of the report, one kind a file; each takes plain numbers and returns SVG."""

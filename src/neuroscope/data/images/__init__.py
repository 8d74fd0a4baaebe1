"""Pictures: a set of pictures is a table with a column that holds them, as files or as arrays."""

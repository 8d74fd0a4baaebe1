"""What a model looks at; takes arrays and callables, or a net, and knows no task."""

"""What a trained model looks at: takes a net or a callable, gives arrays and draws nothing."""

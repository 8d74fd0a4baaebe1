"""What the rungs of pictures share: pixels, batches or features, backbones, training choices."""

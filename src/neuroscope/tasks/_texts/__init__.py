"""What the rungs of texts share: bags, tokens, pretrained readers, which words decide."""

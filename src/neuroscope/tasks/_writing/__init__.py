"""What the rungs of text making share: pieces of text, their tokens, and who says what follows."""

"""Texts as numbers: tokenisers, bags of words, and what is wrong with a corpus."""

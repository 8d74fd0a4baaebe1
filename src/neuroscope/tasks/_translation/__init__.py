"""Translation: sentence pairs become a problem; dictionaries and nets write one side of them."""

"""Word vectors: how a text becomes a problem of neighbours, and the model that knows them."""

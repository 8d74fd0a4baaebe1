"""Series: sequences as cells of a table, how they are gathered, and what is read from them."""

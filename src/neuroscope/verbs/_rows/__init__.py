"""What the verbs do where a case is a row of a table: the way of every task that says no other."""

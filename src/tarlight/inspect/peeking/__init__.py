"""`tarlight peek`: the first records of a dataset, at once."""

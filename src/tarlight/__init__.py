"""tarlight loads images out of tar shards, with every image accounted for."""

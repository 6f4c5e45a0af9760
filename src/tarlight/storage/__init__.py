"""The storage room: where shards lie, how they are listed and read."""

"""`explain`: how fast each stage is, which one holds up the others, and what to change."""

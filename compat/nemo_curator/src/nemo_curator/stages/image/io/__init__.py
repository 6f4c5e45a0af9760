"""Image reading, under its documented path."""

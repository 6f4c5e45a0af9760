"""tarlight against real object stores and web servers."""

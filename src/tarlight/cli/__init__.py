"""The command line. Thin: it asks the rooms below, and says how it went."""

from tarlight.cli.entry import main

__all__ = ["main"]

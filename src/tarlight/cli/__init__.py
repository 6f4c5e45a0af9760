"""The command line. Thin: it asks the rooms below, and says how it went."""

from tarlight.cli.app import main

__all__ = ["main"]

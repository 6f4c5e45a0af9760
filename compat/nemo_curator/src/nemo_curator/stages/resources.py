"""`Resources`, what a stage asks for."""

from tarlight.resources import Resources

__all__ = ["Resources"]

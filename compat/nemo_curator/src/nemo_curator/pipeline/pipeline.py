"""`Pipeline`, under the path of the module that defines it."""

from tarlight.pipeline import Pipeline

__all__ = ["Pipeline"]

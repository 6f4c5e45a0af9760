"""`ImageReaderStage`, under its documented path."""

from tarlight.stages.image.io.image_reader import ImageReaderStage

__all__ = ["ImageReaderStage"]

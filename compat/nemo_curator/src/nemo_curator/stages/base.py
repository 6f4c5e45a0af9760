"""`ProcessingStage`, which stages of one's own derive from."""

from tarlight.stages.base import ProcessingStage

__all__ = ["ProcessingStage"]

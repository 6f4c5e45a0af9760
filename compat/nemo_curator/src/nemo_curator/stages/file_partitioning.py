"""`FilePartitioningStage`, under its documented path."""

from tarlight.stages.file_partitioning import FilePartitioningStage

__all__ = ["FilePartitioningStage"]

"""tarlight loads images out of tar shards, with every image accounted for, at the speed of the decoder.

The short names are imported when they are first used, so that `import tarlight` stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.lazy import lazy_names

if TYPE_CHECKING:
    from tarlight.errors import TarlightError
    from tarlight.executors.local import LocalExecutor
    from tarlight.ledger import Report
    from tarlight.pipeline import Pipeline, PipelineResult
    from tarlight.resources import Resources
    from tarlight.stages.base import ProcessingStage
    from tarlight.stages.file_partitioning import FilePartitioningStage
    from tarlight.stages.image.io.image_reader import ImageReaderStage
    from tarlight.tar import iter_members
    from tarlight.tasks import EmptyTask, FileGroupTask, ImageBatch, ImageObject

__version__ = "0.1.0"

__all__ = [
    "EmptyTask",
    "FileGroupTask",
    "FilePartitioningStage",
    "ImageBatch",
    "ImageObject",
    "ImageReaderStage",
    "LocalExecutor",
    "Pipeline",
    "PipelineResult",
    "ProcessingStage",
    "RayExecutor",
    "Report",
    "Resources",
    "TarlightError",
    "iter_members",
]

_HOMES = {
    "EmptyTask": "tarlight.tasks",
    "FileGroupTask": "tarlight.tasks",
    "FilePartitioningStage": "tarlight.stages.file_partitioning",
    "ImageBatch": "tarlight.tasks",
    "ImageObject": "tarlight.tasks",
    "ImageReaderStage": "tarlight.stages.image.io.image_reader",
    "LocalExecutor": "tarlight.executors.local",
    "Pipeline": "tarlight.pipeline",
    "PipelineResult": "tarlight.pipeline",
    "ProcessingStage": "tarlight.stages.base",
    "RayExecutor": "tarlight.executors.ray",
    "Report": "tarlight.ledger",
    "Resources": "tarlight.resources",
    "TarlightError": "tarlight.errors",
    "iter_members": "tarlight.tar",
}

__getattr__, __dir__ = lazy_names(__name__, globals(), _HOMES)

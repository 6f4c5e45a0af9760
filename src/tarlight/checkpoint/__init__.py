"""Checkpoints: how far a run has come, told so that another run can go on from there.

`Trail` brings sections through one stage; `Course` holds those that are committed, and says where each shard
is to be read from; `state` writes it down as JSON, `file` keeps it on a disk or in a bucket, and `remark` is
what reports say of it.
"""

from tarlight.checkpoint.course import Course
from tarlight.checkpoint.file import CheckpointFile, LocalFile, Place
from tarlight.checkpoint.remark import remarks_at_end, remarks_at_start
from tarlight.checkpoint.spelling import place_text
from tarlight.checkpoint.trail import Trail

__all__ = [
    "CheckpointFile",
    "Course",
    "LocalFile",
    "Place",
    "Trail",
    "place_text",
    "remarks_at_end",
    "remarks_at_start",
]

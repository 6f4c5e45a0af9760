"""The id of a batch: the place of its first image in the dataset, and nothing else.

So a batch has the same id in a resumed run, on a cluster, and with other options; and since no two batches of
a dataset begin with the same image, no two have the same id.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from tarlight.checkpoint.spelling import whole

if TYPE_CHECKING:
    from tarlight.checkpoint import Course
    from tarlight.tasks import FileGroupTask


def batch_id(course: Course, task: FileGroupTask, shard: str, image: int) -> str:
    """Return the id of the batch that begins with an image.

    Args:
        course: knows the place of a shard in the listing. One that no stage listed is named by a digest of
            its path.
        task: the partition. Where it is not one of `FilePartitioningStage` its id comes first, since whoever
            made it may have shards read twice.
        shard: path of the shard.
        image: how many images were seen before it in the shard.
    """
    place = course.place_of(shard)
    first = course.place_of(task.data[0])
    is_listed = place is not None and task.task_id == f"partition_{first}"
    name = place or blake2b(whole(shard).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    # Eight digits: enough for ids in order of a shard of 50 GB, where each image takes 512 bytes.
    return f"{'' if is_listed else f'{task.task_id}_'}shard_{name}_batch_{image:08d}"

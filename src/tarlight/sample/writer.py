"""Writing the sample dataset."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tarlight.argument import check_path
from tarlight.errors import ArgumentError, ArgumentTypeError, InputDeniedError
from tarlight.sample.damage import RECORDS, write_damaged
from tarlight.sample.fault import write_faults
from tarlight.sample.scene import paint
from tarlight.sample.shard import Member, record, write_tar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tarlight.sample.fault import Plant

_DAMAGED_FROM = 10_000_000
"""Number of the first picture in broken shards; no sound one has it."""


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What was written."""

    shards: tuple[str, ...]
    """Paths of the sound shards, in order."""
    images: int
    """Images in them."""
    damaged: tuple[tuple[str, str], ...]
    """Path of each broken shard, and what is in it and what to expect."""
    planted: tuple[Plant, ...] = ()
    """What was planted into the shards of the folder `faults`, as its manifest says."""


def write_sample(
    folder: str | os.PathLike[str],
    *,
    num_images: int = 600,
    num_shards: int = 4,
    seed: int = 0,
    damage: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> SampleSummary:
    """Write a dataset of painted pictures, with captions and facts, as WebDataset shards.

    Shards are `00000.tar` with the records `000000000` (`.jpg`, `.txt`, `.json`) and on, `00001.tar` with
    `000001000` and on. Pictures are RGB, 256 to 640 pixels a side. The same seed gives the same bytes, with
    the same versions of numpy and Pillow. A shard appears when it is complete. One picture takes about 20 ms.

    Args:
        folder: where to; made when it is not there.
        num_images: pictures in all shards, spread evenly.
        num_shards: shards; not more than pictures.
        seed: another number, other pictures.
        damage: also write broken shards into the folder `damaged` in it, with a README.txt that tells what to
            expect of each; and into the folder `faults` a dataset with one fault of each kind that
            `tarlight check` knows, with a manifest.json of what was planted where.
        on_progress: called after each picture with the pictures done and their total.

    Raises:
        ArgumentError: a number that is not allowed, or shards that are there already: nothing is overwritten.
        ArgumentTypeError: a value of the wrong type.
        InputDeniedError: the folder cannot be made or written to.
    """
    counts = _spread(num_images, num_shards)
    _check_count("seed", seed, 0)
    target = Path(check_path("folder", folder))
    paths = [target / f"{number:05}.tar" for number in range(num_shards)]
    _prepare(target, [*paths, *([target / "damaged", target / "faults"] if damage else [])])
    _write_shards(paths, counts, seed, on_progress or _tell_nobody)
    scenes = [paint(seed, _DAMAGED_FROM + index) for index in range(RECORDS)] if damage else []
    damaged = write_damaged(target / "damaged", scenes) if damage else []
    planted = write_faults(target / "faults", scenes) if damage else []
    return SampleSummary(tuple(map(str, paths)), num_images, tuple(damaged), tuple(planted))


def _tell_nobody(_done: int, _total: int) -> None:
    """Take the progress and do nothing."""


def _write_shards(paths: list[Path], counts: list[int], seed: int, tell: Callable[[int, int], None]) -> None:
    stride = max(1000, 10 ** len(str(max(counts) - 1)))
    done = 0

    def members(first_key: int, count: int) -> Iterator[Member]:
        nonlocal done
        for key in range(first_key, first_key + count):
            yield from record(f"{key:09}", paint(seed, done))
            done += 1
            tell(done, sum(counts))

    for number, (path, count) in enumerate(zip(paths, counts, strict=True)):
        write_tar(path, members(number * stride, count))


def _spread(num_images: int, num_shards: int) -> list[int]:
    """Return the pictures of each shard; they differ by one at most."""
    _check_count("num_images", num_images, 1)
    _check_count("num_shards", num_shards, 1)
    if num_shards > num_images:
        raise ArgumentError(f"num_shards must not be more than num_images: {num_shards} > {num_images}")
    each, more = divmod(num_images, num_shards)
    return [each + (number < more) for number in range(num_shards)]


def _check_count(argument: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ArgumentTypeError(f"{argument} must be a whole number, got {value!r} ({type(value).__name__})")
    if value < least:
        raise ArgumentError(f"{argument} must be {least} or more, got {value}")


def _prepare(folder: Path, targets: list[Path]) -> None:
    """Make the folder, and refuse it when something of ours is there already."""
    try:
        there = [target for target in targets if target.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ArgumentError(f"folder: {folder} is or lies below a file. Pass another folder") from error
    except PermissionError as error:
        raise _denied(folder) from error
    if there:
        raise ArgumentError(
            f"folder: {there[0]} exists already ({len(there)} of {len(targets)} do) and is not overwritten. "
            "Pass another folder, or delete it first"
        )
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        raise _denied(folder)


def _denied(folder: Path) -> InputDeniedError:
    return InputDeniedError(f"{folder}: permission denied, this user cannot write here. Pass another folder")

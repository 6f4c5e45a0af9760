"""Keys that occur in several shards, found among a billion in bounded memory.

Strategy: a key is remembered by 128 bits of BLAKE2b, so that among a billion keys two different ones fall
together with a chance of 10^-21: counts are exact. Up to `RUN_KEYS` stay in memory; beyond that, sorted runs
go to a temporary file. At the end every run is cut at the same borders of hash values, so that one slice of
all runs together has about half of `RUN_KEYS`; a slice is loaded, sorted, and equal neighbours are reported.

What it costs: 28 bytes of temporary disk a key (28 GB for a billion, in `TMPDIR`), at most `MAX_BYTES` of
memory whatever the number of keys, and about 2 microseconds of CPU a key, hashing included.
"""

from __future__ import annotations

import tempfile
from typing import IO, TYPE_CHECKING, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator
    from types import TracebackType

    import numpy.typing as npt

    Keys = npt.NDArray[np.void]

RUN_KEYS = 1 << 20
"""Keys that are held before they go to disk, and twice those of one slice."""

MAX_BYTES = 5 * RUN_KEYS * 28
"""Bytes that looking for duplicates holds at most: keys, their sorted copy and the order between them."""

DIGEST_BYTES = 16

_DTYPE = np.dtype([("high", "u8"), ("low", "u8"), ("shard", "u4"), ("start", "u8")])


class Repeat(NamedTuple):
    """A key that an earlier shard has too."""

    digest: bytes
    """Digest of the key."""
    shard: int
    """Index of the shard that has it again."""
    start: int
    """Where its record begins there."""
    first_shard: int
    """Index of the first shard that has it."""
    first_start: int
    """Where its record begins there."""


class KeyFile:
    """Digests of keys with their places. A context manager: the temporary file goes when it is left."""

    def __init__(self, run_keys: int = RUN_KEYS) -> None:
        self._run_keys = run_keys
        self._held: list[Keys] = []
        self._num_held = 0
        self._file: IO[bytes] | None = None
        self._runs: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._held.clear()
        if self._file is not None:
            self._file.close()

    def add(self, shard: int, digests: bytes, starts: array[int]) -> None:
        """Add the keys of one shard, each once: their digests in a row, and where their records begin."""
        keys = np.empty(len(starts), _DTYPE)
        halves = np.frombuffer(digests, ">u8").reshape(-1, 2)
        keys["high"], keys["low"], keys["shard"], keys["start"] = halves[:, 0], halves[:, 1], shard, starts
        while len(keys):
            part, keys = np.split(keys, [self._run_keys - self._num_held])
            self._held.append(part)
            self._num_held += len(part)
            if self._num_held >= self._run_keys:
                self._spill()

    def repeats(self) -> Iterator[Repeat]:
        """Yield every key that a shard has again, once a shard; not in the order of the dataset."""
        if self._file is None:
            yield from _repeats(_sorted(self._take()))
            return
        if self._num_held:
            self._spill()
        for keys in self._slices(self._file):
            yield from _repeats(_sorted(keys))

    def _take(self) -> Keys:
        keys = np.concatenate(self._held) if self._held else np.empty(0, _DTYPE)
        self._held.clear()
        self._num_held = 0
        return keys

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="tarlight-keys-", buffering=0)  # noqa: SIM115 (__exit__)
        keys = _sorted(self._take())
        self._runs.append(len(keys))
        keys.tofile(self._file)

    def _slices(self, file: IO[bytes]) -> Iterator[Keys]:
        """Yield all keys, those with equal digests together; runs in their order, so shards in theirs."""
        num_slices = max(1, -(-2 * sum(self._runs) // self._run_keys))
        runs = _run_views(file, self._runs)
        begins = [0] * len(runs)
        for number in range(1, num_slices + 1):
            border = number * (1 << 64) // num_slices
            ends = [len(run) if border >> 64 else _find(run, border) for run in runs]
            yield np.concatenate([run[a:b] for run, a, b in zip(runs, begins, ends, strict=True)])
            begins = ends


def _run_views(file: IO[bytes], lengths: list[int]) -> list[Keys]:
    """Return the runs as views of the file: pages come when touched, and the kernel may drop them."""
    everything: Keys = np.memmap(file, _DTYPE, "r")
    return np.split(everything, np.cumsum(lengths)[:-1])


def _find(run: Keys, border: int) -> int:
    return int(np.searchsorted(run["high"], np.uint64(border)))


def _sorted(keys: Keys) -> Keys:
    """Sort by digest; stable, so equal ones stay in the order of the dataset."""
    return keys[np.lexsort((keys["low"], keys["high"]))]


def _repeats(keys: Keys) -> Iterator[Repeat]:
    same = (keys["high"][1:] == keys["high"][:-1]) & (keys["low"][1:] == keys["low"][:-1])
    first = -1
    for at in np.flatnonzero(same).tolist():
        if at == 0 or not same[at - 1]:
            first = at
        here, there = keys[at + 1], keys[first]
        digest = (int(here["high"]) << 64 | int(here["low"])).to_bytes(DIGEST_BYTES, "big")
        yield Repeat(digest, int(here["shard"]), int(here["start"]), int(there["shard"]), int(there["start"]))

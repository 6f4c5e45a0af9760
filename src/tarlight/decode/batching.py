"""Runs a backend on many files: batches under a byte budget, smaller ones after a failure, then none.

A call that fails costs its backend, which is thrown away and made anew. Then, by what failed:

- out of memory: the budget is halved for the rest of the run and the batch is cut again; a single image that
  does not fit is left to the next rung, and after a few of them in a row the rung is closed;
- a batch with a bad image in it: halves are tried, until the bad ones stand alone. Of n images one bad one
  costs log2(n) + 1 failed calls; after `MAX_FAILED_CALLS` in one batch its rest is left to the next rung;
- anything else: the backend is lost, and the rung is closed for the rest of the run.

Nothing here raises: each file gets pixels, or a phrase that says why not from this rung.
"""

from __future__ import annotations

import threading
from itertools import islice
from typing import TYPE_CHECKING, Final

from tarlight.decode.backend import BackendError, BatchFailedError, OutOfMemoryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tarlight.decode.backend import Array, Backend, Rung

MAX_FAILED_CALLS: Final = 16
"""Failed calls that one batch may cost: enough to find two bad images among 64."""

MAX_MISFITS: Final = 8
"""Images in a row that do not fit into memory alone, after which the rung is closed."""

NOT_DECODED: Final = "could not be decoded there"
OUT_OF_MEMORY: Final = "out of memory there"
FAILED_BATCH: Final = "in a batch that failed too often"
LOST: Final = "decoder or device lost"


def cut(sizes: Sequence[int], budget_bytes: int, max_images: int) -> Iterator[range]:
    """Yield ranges of indices that stay under the budget; an image above it goes alone."""
    start, held = 0, 0
    for index, size in enumerate(sizes):
        if index > start and (held + size > budget_bytes or index - start >= max_images):
            yield range(start, index)
            start, held = index, 0
        held += size
    if start < len(sizes):
        yield range(start, len(sizes))


class Batcher:
    """The backends of one rung, and what is known about them. Thread-safe."""

    def __init__(self, rung: Rung) -> None:
        self.closed = ""
        """Why this rung decodes nothing any more; empty while it does."""
        self._rung = rung
        self._budget_bytes = rung.budget_bytes // rung.num_backends
        self._free = threading.BoundedSemaphore(rung.num_backends)
        self._idle: list[Backend] = []
        self._num_halved = 0
        self._misfits_in_a_row = 0

    @property
    def notes(self) -> list[str]:
        """What the report should tell of this rung."""
        told = []
        if self._num_halved:
            told.append(
                f"{self._rung.name}: out of memory {self._num_halved} times, batches were cut down to "
                f"{self._budget_bytes:,} bytes"
            )
        if self.closed:
            told.append(f"{self._rung.name}: closed, the next decoder took over: {self.closed}")
        return told

    def open(self) -> bool:
        """Make a first backend, where there is none yet. Returns whether the rung is open."""
        if not self._idle and not self.closed:
            try:
                self._idle.append(self._rung.make())
            except Exception as error:  # noqa: BLE001 (as in `_call`)
                self._learn(error, num_bytes=0, num_images=1)
        return not self.closed

    def run(self, files: Sequence[bytes], sizes: Sequence[int]) -> list[Array | str]:
        """Decode files: pixels or a phrase for each, in the same order.

        Args:
            files: JPEG files that the rung takes.
            sizes: bytes that each takes while it is decoded.
        """
        with self._free:
            results: list[Array | str] = []
            for batch in cut(sizes, self._budget_bytes, self._rung.max_images):
                results += self._run_batch(files[batch.start : batch.stop], sizes[batch.start : batch.stop])
            return results

    def _run_batch(self, files: Sequence[bytes], sizes: Sequence[int]) -> list[Array | str]:
        results: list[Array | str] = [FAILED_BATCH] * len(files)
        pieces, num_failed = [range(len(files))], 0
        while pieces and num_failed < MAX_FAILED_CALLS:
            piece = self._cut_down(pieces, sizes)
            outcome = self._call([files[index] for index in piece])
            if isinstance(outcome, list):
                results[piece.start : piece.stop] = outcome
                continue
            num_failed += isinstance(outcome, BatchFailedError)
            phrase = self._learn(outcome, sum(sizes[piece.start : piece.stop]), len(piece))
            if phrase:
                results[piece.start : piece.stop] = [phrase] * len(piece)
            elif isinstance(outcome, BatchFailedError):
                middle = piece.start + len(piece) // 2
                pieces += [range(middle, piece.stop), range(piece.start, middle)]
            else:
                pieces.append(piece)
        return results

    def _cut_down(self, pieces: list[range], sizes: Sequence[int]) -> range:
        """Take the next piece, as much of it as the budget allows now."""
        piece = pieces.pop()
        (first,) = islice(cut(sizes[piece.start : piece.stop], self._budget_bytes, len(piece)), 1)
        if len(first) < len(piece):
            pieces.append(range(piece.start + len(first), piece.stop))
        return range(piece.start, piece.start + len(first))

    def _call(self, files: Sequence[bytes]) -> list[Array | str] | Exception:
        """Decode with an idle or a new backend, which is kept only if it did not fail."""
        if self.closed:
            return [LOST] * len(files)
        try:
            backend = self._idle.pop() if self._idle else self._rung.make()
            decoded = backend.decode(files)
        except Exception as error:  # noqa: BLE001 (whatever a library does, the next rung goes on; it is told)
            return error
        self._idle.append(backend)
        self._misfits_in_a_row = 0
        return [NOT_DECODED if pixels is None else pixels for pixels in decoded]

    def _learn(self, error: Exception, num_bytes: int, num_images: int) -> str:
        """Draw the conclusion from a failed call. Returns a phrase when its images end here."""
        if isinstance(error, BatchFailedError):
            return NOT_DECODED if num_images == 1 else ""
        if not isinstance(error, OutOfMemoryError):
            self.closed = (
                str(error) if isinstance(error, BackendError) else f"{type(error).__name__}: {error}"
            )
            return LOST
        self._num_halved += 1
        if num_images > 1:
            self._budget_bytes = min(self._budget_bytes, num_bytes // 2)
            return ""
        self._misfits_in_a_row += 1
        if self._misfits_in_a_row >= MAX_MISFITS:
            self.closed = f"{self._misfits_in_a_row} images in a row did not fit into memory alone ({error})"
        return OUT_OF_MEMORY

"""Released pixels: decoded again from the shard, by the decoder that made them (C5).

What a device made is made there again: where the device is gone, that is an error and not other pixels.
Pixels that stay on a device are not released.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from tarlight.decode import Caps, Encoded, Refusal, read_facts
from tarlight.errors import PixelsReleasedError, ShardChangedError

if TYPE_CHECKING:
    from tarlight.decode import Decoded, Decoder
    from tarlight.stages.image.io.option import ReaderOptions
    from tarlight.tasks import ImageSource, Pixels


class Redecoder:
    """Decodes an image again from its source. Thread-safe; works in the process that made it only.

    It may know credentials, so they do not travel: unpickled elsewhere it refuses, and says how to read the
    image there.
    """

    def __init__(self, decoder: Decoder, name: str, options: ReaderOptions) -> None:
        self._decoder = decoder
        self._name = name
        self._caps = Caps(max_pixels=options.max_pixels, max_scans=options.max_scans)
        self._storage_options = options.storage_options

    def __call__(self, source: ImageSource) -> Pixels:
        """Return the pixels, bit for bit as they were delivered.

        Raises:
            ShardChangedError: the shard is another one now.
            PixelsReleasedError: the device that made them cannot be had any more.
        """
        data = source.open(self._storage_options)
        facts = read_facts(data, self._caps)
        if isinstance(facts, Refusal):
            raise _changed(source, facts)
        outcome = self._decoder.decode_as(self._name, Encoded(data, facts))
        if isinstance(outcome, Refusal):
            raise _changed(source, outcome)
        if outcome.decoder != self._name:
            raise PixelsReleasedError(_other(source, self._name, outcome))
        return outcome.pixels

    def __reduce__(self) -> tuple[type[ReleasedElsewhere], tuple[()]]:
        return ReleasedElsewhere, ()


class ReleasedElsewhere:
    """Stands in for a `Redecoder` that was unpickled in another process."""

    def __call__(self, source: ImageSource) -> NoReturn:
        """Raise `PixelsReleasedError`."""
        raise PixelsReleasedError(
            f"the pixels of {source.member} in {source.shard} were released before it was sent here; "
            "image.source.open(storage_options=...) reads its encoded bytes again"
        )


def _other(source: ImageSource, name: str, outcome: Decoded) -> str:
    return (
        f"the pixels of {source.member} in {source.shard} were released; {name} made them and cannot "
        f"do so again ({outcome.fallback}), and those of {outcome.decoder} may differ; use "
        "Pipeline.stream() or a larger result_memory, which release nothing"
    )


def _changed(source: ImageSource, why: Refusal) -> ShardChangedError:
    return ShardChangedError(
        f"{source.shard}: {source.member} at offset {source.offset} was decoded before and is {why.reason} "
        f"now ({why.detail}): the shard has changed since it was read; run the pipeline again"
    )

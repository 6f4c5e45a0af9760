"""What this machine can do at most with this data, one step at a time: nothing else runs meanwhile.

Each figure is measured for a second or two, on bytes of the dataset: taken from its end, so that a run from
its beginning does not find them in the page cache because of us.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tarlight.decode import Share, select_decoder
from tarlight.decode.turbo import run_turbo
from tarlight.inspect.explaining.material import parse, read_some, require_images
from tarlight.resources import num_cores
from tarlight.storage import Plan, is_local

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tarlight.decode import Decoder, Encoded
    from tarlight.inspect.explaining.material import Shard
    from tarlight.stages.image.io.option import ReaderOptions

MORE = 4
"""Times as many requests at once, to see whether more of them help."""
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What each step can do alone."""

    cores: int
    """Cores that this process may use."""
    images: int
    """Images that were measured with."""
    image_bytes: float
    """Bytes of shards that one image takes: its own, its fields', headers."""
    store_bytes_s: float
    """Bytes a second from the store, cold or cached as they lay, with the reader's number of requests."""
    store_bytes_s_more: float
    """The same with `MORE` times as many requests; 0 for the local disk, where there are none."""
    parse_images_s: float
    """Images a second that one thread finds in bytes in RAM, headers looked at."""
    decode_one_s: float
    """Images a second that bare libjpeg-turbo decodes on one core, out of RAM."""
    decode_all_s: float
    """The same on all cores."""
    decoder: str
    """The decoder that the reader chooses."""
    decoder_s: float
    """What that one does, on the reader's threads; that of libjpeg-turbo on all cores where it is that."""

    @property
    def store_images_s(self) -> float:
        """Images a second that the store gives."""
        return self.store_bytes_s / self.image_bytes

    @property
    def best_images_s(self) -> float:
        """What parsing and decoding leave possible on all cores together."""
        together = self.cores / (1 / self.decode_one_s + 1 / self.parse_images_s)
        decoded = max(self.decode_all_s, self.decoder_s)
        return min(decoded, self.parse_images_s, max(together, self.decoder_s))


def measure_ceilings(shards: Sequence[Shard], options: ReaderOptions, seconds: float) -> Ceilings:
    """Measure, each step for about so many seconds.

    Raises:
        InputMissingError: no image could be decoded.
        DecoderUnavailableError: the reader's decoder cannot be had here.
    """
    remote = not is_local(shards[0].path)
    material = read_some(shards, options, options.plan, seconds * (1 + remote))
    images = parse(material, options)
    require_images(images, material)
    kept_bytes = sum(len(chunk) for _, chunks in material.shards for chunk in chunks)
    more = _with_more(shards, options, seconds * 2) if remote else 0.0
    parsed_s = _rate(lambda: len(parse(material, options)), seconds / 2)
    one, every = (_decode_rate(images, threads, seconds) for threads in (1, num_cores()))
    decoder = _choose(options)
    return Ceilings(
        cores=num_cores(),
        images=len(images),
        image_bytes=kept_bytes / len(images),
        store_bytes_s=material.bytes_s,
        store_bytes_s_more=more,
        parse_images_s=parsed_s,
        decode_one_s=one,
        decode_all_s=every,
        decoder=decoder.name,
        decoder_s=every
        if decoder.name == "turbo"
        else _decoder_rate(decoder, images, options.num_threads, seconds),
    )


def _with_more(shards: Sequence[Shard], options: ReaderOptions, seconds: float) -> float:
    plan = options.plan
    wider = Plan(plan.range_bytes, plan.window_bytes * MORE, plan.max_requests * MORE)
    return read_some(shards, options, wider, seconds).bytes_s


def _choose(options: ReaderOptions) -> Decoder:
    decoder = select_decoder(
        options.decoder,
        damaged=options.damaged,
        exif_orientation=options.exif_orientation,
        verify=options.verify,
        share=Share(options.num_gpus_per_worker, options.gpu_memory_fraction),
    )
    decoder.prepare()
    return decoder


def _decode_rate(images: Sequence[Encoded], num_threads: int, seconds: float) -> float:
    def decode(image: Encoded) -> None:
        try:
            run_turbo(image.data, image.facts)
        except ValueError:  # damaged: it took its time all the same
            return

    return _together(lambda at: decode(images[at % len(images)]), 1, num_threads, seconds)


def _decoder_rate(decoder: Decoder, images: Sequence[Encoded], num_threads: int, seconds: float) -> float:
    batches = [images[start : start + _BATCH] for start in range(0, len(images), _BATCH)]
    decoder.decode(batches[0])  # libraries warm up with the first call
    work, size = (lambda at: decoder.decode(batches[at % len(batches)])), len(images) / len(batches)
    return _together(work, size, num_threads, seconds)


def _together(work: Callable[[int], object], size: float, num_threads: int, seconds: float) -> float:
    """Images a second of several threads that call `work` with 0, 1, 2, ... for `size` images each time."""
    end = time.monotonic() + seconds

    def some(number: int) -> int:
        at = number
        while at == number or time.monotonic() < end:
            work(at)
            at += num_threads
        return (at - number) // num_threads

    began = time.monotonic()
    with ThreadPoolExecutor(num_threads) as pool:
        done = sum(pool.map(some, range(num_threads)))
    return done * size / (time.monotonic() - began)


def _rate(work: Callable[[], int], seconds: float) -> float:
    began, done = time.monotonic(), 0
    while not done or time.monotonic() - began < seconds:
        done += work()
    return done / (time.monotonic() - began)

"""Which stage holds up the others, and the one setting to change.

Strategy: whoever never waits is the bottleneck. What a stage could do is what it did, divided by the part of
the time that it worked; when one limit is lifted the next lowest holds, and no setting lifts more than
parsing and decoding leave possible on all cores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tarlight.inspect.explaining.ceiling import MORE
from tarlight.ledger.times import DECODING, READING

if TYPE_CHECKING:
    from tarlight.inspect.explaining.ceiling import Ceilings
    from tarlight.inspect.explaining.observation import Observation
    from tarlight.stages.image.io.option import ReaderOptions

STORE_STAGE = "store"
PARSING = "parsing"
BUDGET = "byte budget"
"""Names of bottlenecks that are no stages of a pipeline; `decoding` and stages go by their own."""

WITHOUT = "without"
"""The setting that leaves a stage out."""
WORTH_IT = 1.1
"""A gain below this is not worth a change, and cannot be told from noise."""
_WIDER = 8
_IDLE = 0.6
"""When nobody is busier than this, it is the budget that holds up everybody."""
_UNLIMITED = float("inf")


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing to change."""

    name: str
    """An option of `ImageReaderStage`; or `without`, to leave out the stage that `after` names."""
    before: Any
    after: Any

    def __str__(self) -> str:
        if self.name == WITHOUT:
            return f"the stage {self.after}: make it faster, or run it in other processes"
        return f"{self.name}={self.after!r} (now {self.before!r})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds up a run."""

    bottleneck: str
    """`store`, `parsing`, `decoding`, `byte budget`, or the name of a stage."""
    share: float
    """Part of the time that it was busy, or that the reader waited for it, 0 to 1."""
    setting: Setting | None
    """The one to change; None where none gains anything."""
    expected_images_s: float
    """Images a second with the change, or as now without one."""
    advice: str
    """What to do, for people."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Weighs what was seen against what is possible."""

    seen: Observation
    ceilings: Ceilings
    options: ReaderOptions

    def judge(self) -> Verdict:
        """Name the bottleneck and the setting."""
        name, share = self.bottleneck()
        if name == DECODING:
            return self._decoding(share)
        if name == STORE_STAGE:
            return self._store(share)
        if name == BUDGET:
            return self._budget(share)
        if name == PARSING or self._is_reader(name):
            advice = (
                "one process reads and parses no faster; share the shards among several processes, with "
                "fewer fields if you can"
            )
            return self._nothing(name, share, advice)
        return self._stage(name, share)

    def bottleneck(self) -> tuple[str, float]:
        """Return who never waits, and the part of the time that it was at work."""
        seen, stages = self.seen, self.seen.own_stages
        parsing, decoding = seen.busy(READING), seen.busy(DECODING, self.options.num_threads)
        thread = sum(seen.busy(stage) for stage in stages)
        busiest = max(stages, key=seen.busy, default=PARSING)
        if seen.room > max(_IDLE, decoding, thread) and max(decoding, thread) < _IDLE:
            return BUDGET, seen.room
        share, of_reader = max((seen.store, STORE_STAGE), (parsing, PARSING))
        # Work on images that wait in the line is no reason why so few were taken from it.
        _, name, share = max(
            (decoding * _taken(seen.images, self._decoded), DECODING, decoding),
            ((parsing + seen.store) * _taken(seen.images, seen.seen), of_reader, share),
            (thread, busiest, seen.busy(busiest)),
        )
        return name, share

    def limits(self, *, without: str = "") -> dict[str, float]:
        """Images a second that each thread could do if it never waited; `without` one stage."""
        seen = self.seen
        stages = [stage for stage in seen.own_stages if stage != without]
        store = 0.0 if without == STORE_STAGE else seen.store
        decoding = 0.0 if without == DECODING else seen.busy(DECODING, self.options.num_threads)
        return {
            READING: _limit(seen.seen, seen.seconds, seen.busy(READING) + store),
            DECODING: _limit(self._decoded, seen.seconds, decoding),
            "thread": _limit(seen.images, seen.seconds, sum(map(seen.busy, stages))),
            "machine": self.ceilings.best_images_s,
        }

    @property
    def _decoded(self) -> int:
        """Images that went through the decoding threads."""
        return self.seen.times[DECODING].images if DECODING in self.seen.times else 0

    def _is_reader(self, name: str) -> bool:
        """Whether this is the part of the reader that works in the consumer's thread."""
        return bool(self.seen.times[name].waits_s) if name in self.seen.times else False

    def _decoding(self, share: float) -> Verdict:
        threads, cores = self.options.num_threads, self.ceilings.cores
        limits = self.limits()
        if threads < cores:
            faster = limits[DECODING] * cores / threads
            setting = Setting("num_threads", threads, cores)
            return self._change(
                DECODING, share, setting, {**limits, DECODING: faster}, "decode on every core"
            )
        if self.ceilings.decoder_s * WORTH_IT < self.ceilings.decode_all_s:
            setting = Setting("decoder", self.options.decoder, "turbo")
            faster = self.ceilings.decode_all_s
            advice = "libjpeg-turbo is faster here"
            return self._change(DECODING, share, setting, {**limits, DECODING: faster}, advice)
        advice = "this is what the decoder does on this machine; more cores, a GPU or smaller images help"
        return self._nothing(DECODING, share, advice)

    def _store(self, share: float) -> Verdict:
        ceilings, limits, before = self.ceilings, self.limits(), self.options.max_requests
        more = ceilings.store_bytes_s_more / ceilings.store_bytes_s if ceilings.store_bytes_s else 0.0
        if more < WORTH_IT:
            what = "a faster disk, or shards that the page cache holds" if not more else "a nearer bucket"
            return self._nothing(STORE_STAGE, share, f"no setting makes this store faster; {what} would")
        per_image = 1 / limits[READING] if limits[READING] else 0.0
        waited = self.seen.store * self.seen.seconds / self.seen.seen if self.seen.seen else 0.0
        faster = 1 / max(per_image - waited + waited / more, 1e-9)
        setting = Setting("max_requests", before, before * MORE)
        advice = "the store answers slowly but many at once: ask for more at once"
        return self._change(STORE_STAGE, share, setting, {**limits, READING: faster}, advice)

    def _budget(self, share: float) -> Verdict:
        before = self.options.max_batch_bytes
        setting = Setting("max_batch_bytes", before, before * _WIDER)
        advice = "images may not be read ahead far enough to keep the decoders at work"
        return self._change(BUDGET, share, setting, self.limits(), advice)

    def _stage(self, name: str, share: float) -> Verdict:
        advice = "its own work takes the time; the figure is what the pipeline would do without it"
        return self._change(name, share, Setting(WITHOUT, name, name), self.limits(without=name), advice)

    def _change(
        self, name: str, share: float, setting: Setting, limits: dict[str, float], advice: str
    ) -> Verdict:
        holds = min(limits, key=limits.__getitem__)
        advice = f"{advice}; next is {_WORDS[holds]}"
        return Verdict(name, share, setting, max(limits[holds], self.seen.images_s), advice)

    def _nothing(self, name: str, share: float, advice: str) -> Verdict:
        return Verdict(name, share, None, self.seen.images_s, advice)


_WORDS = {
    READING: "the reader thread",
    DECODING: "decoding",
    "thread": "what runs in the consumer's thread",
    "machine": "what all cores can parse and decode",
}


def _taken(images: int, worked: int) -> float:
    """The part of those that somebody worked on that were taken."""
    return min(images / worked, 1.0) if worked else 1.0


def _limit(images: int, seconds: float, part: float) -> float:
    """Images a second of somebody who did `images` in a part of the seconds; no limit where that is none."""
    return images / (seconds * part) if part > 0 and images and seconds else _UNLIMITED

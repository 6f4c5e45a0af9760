"""The state of a run as plain data, for JSON: written, read back with every value checked, and compared.

Strategy: what is read may be damaged, cut off, or something else altogether. Nothing is believed before its
type was looked at, and every fault is a `CheckpointError` that names the value.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tarlight.errors import CheckpointError, CheckpointMismatchError
from tarlight.ledger import Loss, LossReason, Note, Position, Section, Skip, SkipReason

if TYPE_CHECKING:
    from collections.abc import Callable

FORMAT = "tarlight checkpoint"
VERSION = 2

_NUMBERS = (
    "seen",
    "added",
    "delivered",
    "shards",
    "bytes_read",
    "bytes_lost",
    "pixels",
    "unchecked",
    "num_losses",
    "num_notes",
)
_LATER_NUMBERS = ("unsized_losses", "sized_images", "sized_bytes")
"""Numbers that the first checkpoints did not have: 0 in those."""
_COUNTERS = ("skipped", "filtered", "ignored", "decoders", "fallbacks")


@dataclass(slots=True)
class State:
    """How far a run has come."""

    section: Section = field(default_factory=Section)
    """The sum of what is committed."""
    options: dict[str, Any] = field(default_factory=dict)
    """What besides the dataset must stay as it is."""
    dataset: dict[str, Any] | None = None
    """The fingerprint of the dataset, where a stage planned one."""
    last_shard: str = ""
    """The whole path of the last shard of that dataset; empty in the first checkpoints."""
    done_runs: list[tuple[int, int]] = field(default_factory=list)
    """Places in the listing of shards that are done: from, to before."""
    done_paths: list[str] = field(default_factory=list)
    """Paths of other shards that are done."""
    seconds: float = 0.0
    """Wall time of the runs so far."""
    is_finished: bool = False
    """Whether nothing is left."""

    @property
    def has_begun(self) -> bool:
        """Whether it tells anything of a dataset."""
        return self.dataset is not None or bool(self.done_paths or self.section.reading)


def to_plain(state: State) -> dict[str, Any]:
    """Return a state as plain data that JSON can hold."""
    section = state.section
    return {
        "format": FORMAT,
        "version": VERSION,
        "finished": state.is_finished,
        "seconds": round(state.seconds, 3),
        "options": state.options,
        "dataset": state.dataset,
        "last_shard": state.last_shard,
        "done": {"runs": [list(run) for run in state.done_runs], "paths": state.done_paths},
        "reading": {
            shard: [at.entries, at.images, at.version, at.skipped.tolist()]
            for shard, at in section.reading.items()
        },
        "ledger": {name: getattr(section, name) for name in (*_NUMBERS, *_LATER_NUMBERS)}
        | {name: dict(getattr(section, name)) for name in _COUNTERS}
        | {name: [list(entry) for entry in getattr(section, name)] for name in ("skips", "losses", "notes")}
        | {
            "unbalanced_shards": list(section.unbalanced_shards),
            "choices": list(section.choices),
            "fields": sorted(section.fields),
        },
    }


def from_plain(plain: Any, origin: str) -> State:
    """Return the state that `to_plain` wrote down.

    Args:
        plain: anything.
        origin: where it is from, for errors.

    Raises:
        CheckpointError: it is no state, or one of a later version of tarlight.
    """
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise CheckpointError(
            f"{origin}: not a checkpoint of tarlight; name another file, or begin anew with a new one"
        )
    if plain.get("version") != VERSION:
        raise CheckpointError(
            f"{origin}: a checkpoint of version {plain.get('version')!r}, and this tarlight reads version "
            f"{VERSION}; resume with the tarlight that wrote it"
        )
    try:
        return _state(_Reader(plain))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(
            f"{origin}: the checkpoint is damaged ({type(error).__name__}: {error}); restore an older copy "
            "of it, or remove it and begin anew"
        ) from error


def compare(now: dict[str, Any], then: dict[str, Any], origin: str) -> None:
    """Check that the options are those that a checkpoint was made with.

    Raises:
        CheckpointMismatchError: naming each that differs.
    """
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    if names:
        what = "; ".join(f"{name} was {then.get(name)!r} and is {now.get(name)!r}" for name in sorted(names))
        raise CheckpointMismatchError(
            f"{origin}: the checkpoint was made with other options: {what}; use those, or begin anew with "
            "another checkpoint"
        )


class _Reader:
    """Gives values of a plain dict, of the type that they must have."""

    def __init__(self, plain: Any) -> None:
        self._plain: dict[str, Any] = _typed(plain, dict)

    def get(self, name: str, kind: type) -> Any:
        return _typed(self._plain[name], kind, name)

    def number(self, name: str, default: int | None = None) -> int:
        value = self._plain[name] if default is None else self._plain.get(name, default)
        return _count(value, name)

    def text(self, name: str, default: str) -> str:
        return str(_typed(self._plain.get(name, default), str, name))

    def inner(self, name: str) -> _Reader:
        return _Reader(self.get(name, dict))

    def counter(self, name: str) -> Counter[str]:
        counts = self.get(name, dict)
        return Counter({_typed(key, str): _count(count, name) for key, count in counts.items()})

    def texts(self, name: str) -> list[str]:
        return [_typed(text, str, name) for text in self.get(name, list)]

    def rows(self, name: str, make: Callable[[Any], Any]) -> list[Any]:
        return [make(_typed(row, list, name)) for row in self.get(name, list)]


def _state(plain: _Reader) -> State:
    section = _section(plain.inner("ledger"))
    section.reading = {
        shard: _position(_typed(row, list, shard)) for shard, row in plain.get("reading", dict).items()
    }
    done = plain.inner("done")
    dataset = None if plain.get("dataset", object) is None else plain.get("dataset", dict)
    return State(
        section=section,
        options=plain.get("options", dict),
        dataset=dataset,
        last_shard=plain.text("last_shard", ""),
        done_runs=done.rows("runs", _run),
        done_paths=done.texts("paths"),
        seconds=float(plain.get("seconds", int | float)),  # type: ignore[arg-type]
        is_finished=plain.get("finished", bool),
    )


def _section(ledger: _Reader) -> Section:
    section = Section(
        skips=ledger.rows("skips", _skip),
        losses=ledger.rows("losses", _loss),
        notes=ledger.rows("notes", _note),
        fields=set(ledger.texts("fields")),
        unbalanced_shards=ledger.texts("unbalanced_shards"),
        choices=dict.fromkeys(ledger.texts("choices")),
    )
    for name in _NUMBERS:
        setattr(section, name, ledger.number(name))
    for name in _LATER_NUMBERS:
        setattr(section, name, ledger.number(name, 0))
    for name in _COUNTERS:
        setattr(section, name, ledger.counter(name))
    return section


def _position(row: list[Any]) -> Position:
    entries, images, version, skipped = row
    return Position(
        _count(entries), _count(images), _typed(version, str), array("Q", [_count(at) for at in skipped])
    )


def _run(row: list[Any]) -> tuple[int, int]:
    start, end = (_count(place, "runs") for place in row)
    if start >= end:
        raise ValueError(f"an empty run: {start} to {end}")
    return start, end


def _skip(row: list[Any]) -> Skip:
    key, shard, member, offset, reason, detail = row
    _texts(key, shard, member, detail)
    return Skip(key, shard, member, _count(offset), SkipReason(reason), detail)


def _loss(row: list[Any]) -> Loss:
    shard, start, end, reason, detail, *rest = row
    _texts(shard, detail)
    (is_sized,) = rest or (True,)  # the first checkpoints did not say
    return Loss(
        shard, _count(start), _count(end), LossReason(reason), detail, _typed(is_sized, bool, "is_sized")
    )


def _note(row: list[Any]) -> Note:
    _texts(*row)
    return Note(*row)


def _texts(*values: Any) -> None:
    for value in values:
        _typed(value, str)


def _count(value: Any, name: str = "a number") -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{name} must be a count, got {value!r}")
    return value


def _typed(value: Any, kind: Any, name: str = "a value") -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{name} is a {type(value).__name__}")
    return value

"""One shard: its bytes, members and records become findings.

Strategy: one pass over the parser's members, which both depths share. What concerns the whole dataset (keys,
sidecars, numbering) goes to the `Dossier`, which judges it at the end.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

from tarlight.errors import InputError
from tarlight.inspect.checking.finding import Finding
from tarlight.inspect.checking.image import Sight
from tarlight.inspect.checking.kind import OF_LOSS, OF_NOTE, OF_SKIP, Kind, input_advice
from tarlight.inspect.checking.member import Sort, Sorter
from tarlight.inspect.checking.record import Records
from tarlight.ledger import LossReason, SkipReason
from tarlight.report.label import shorten
from tarlight.stages.image.io.shard_bytes import FAILURES
from tarlight.tar import Damage, iter_members
from tarlight.tar.header import BLOCK
from tarlight.tar.name import split_name
from tarlight.tar.sidecar import MAX_FIELD_BYTES, decode_field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tarlight.errors import TarlightError
    from tarlight.inspect.checking.dossier import Dossier
    from tarlight.storage import ShardStat, Store
    from tarlight.tar import Member, TarStream

_MAX_NAME = 400


class ShardCheck:
    """Checks one shard. Use once."""

    def __init__(self, index: int, stat: ShardStat, store: Store, dossier: Dossier, sorter: Sorter) -> None:
        self._index = index
        self._stat = stat
        self._store = store
        self._dossier = dossier
        self._sorter = sorter
        self._records = Records(self._tell)
        self._num_images = 0
        self._num_told = 0
        self._num_members = 0
        self._is_lossy = False

    def run(self) -> None:
        """Read the shard to its end, or to where it cannot be read on."""
        stream = iter_members(
            self._chunks(), shard=self._stat.path, size=self._stat.size, wanted=self._sorter.wants
        )
        start = 0
        for item in stream:
            if isinstance(item, Damage):
                self._lose(item)
                start = item.end
            else:
                self._num_members += 1
                # Findings name the byte at which the member's own header begins.
                self._take(item, start, item.offset - BLOCK)
                start = item.offset + -(-item.size // BLOCK) * BLOCK
        self._conclude(stream)

    def _chunks(self) -> Iterator[bytes]:
        """Give the bytes of the shard; a read that fails ends them, and is a finding."""
        position = 0
        try:
            with closing(self._store.chunks(self._stat)) as chunks:
                for chunk in chunks:
                    position += len(chunk)
                    self._dossier.ledger.read(len(chunk))
                    yield chunk
                    self._count_images()
        except FAILURES as error:
            self._is_lossy = True
            self._fail(error, position)

    def _fail(self, error: TarlightError, position: int) -> None:
        path, advice = self._stat.path, ""
        if isinstance(error, InputError):
            self._dossier.refuse_shard(str(error))
            advice = input_advice(error)
        kind = OF_LOSS[LossReason.READ_FAILED]
        finding = Finding(kind, path, "", position, self._stat.size, str(error), advice)
        self._dossier.collector.add(finding, self._index)

    def _count_images(self) -> None:
        """Tell the ledger how many images were seen, which progress shows."""
        new, self._num_told = self._num_images - self._num_told, self._num_images
        self._dossier.ledger.saw(new)
        self._dossier.ledger.deliver(new)

    def _take(self, member: Member, start: int, at: int) -> None:
        sort = self._sorter.sort(member)
        if sort is Sort.LOST:
            self._num_images += 1
            self._records.excuse()
            self._tell(Kind.NAME_LOST, member.name, at, member.detail or "its long name is damaged")
        elif sort is Sort.LINK:
            self._records.excuse()
            detail = f"a {member.kind}; links are not followed"
            self._tell(Kind.LINKED_IMAGE, member.name, at, detail)
        elif sort is not Sort.OTHER:
            key, field = split_name(member.name)
            if field:
                is_image = sort is Sort.IMAGE
                field = self._sorter.normal_field(field, is_image=is_image)
                self._records.add(key, field, member.name, at, start, is_image=is_image)
            if sort is Sort.IMAGE:
                self._look(member, at)
            elif sort is Sort.PARSED:
                self._parse(field, member, at)

    def _look(self, member: Member, at: int) -> None:
        self._num_images += 1
        if member.flaw is SkipReason.TRUNCATED:
            return  # the damage at the shard's end, which comes next, is the finding
        if member.flaw is not None or not member.size:
            reason = member.flaw or SkipReason.EMPTY
            self._tell(OF_SKIP[reason], member.name, at, member.detail or "0 bytes")
        else:
            sight = Sight(self._index, self._stat.path, member.name, at)
            self._dossier.judge.look(sight, bytes(member.data or b""))

    def _parse(self, field: str, member: Member, at: int) -> None:
        if member.size > MAX_FIELD_BYTES or member.data is None:
            if member.flaw is SkipReason.TRUNCATED:
                return
            detail = member.detail or f"{member.size:,} bytes, more than {MAX_FIELD_BYTES:,}"
            self._tell(Kind.BROKEN_SIDECAR, member.name, at, detail)
            return
        try:
            decode_field(field, bytes(member.data))
        except ValueError as error:
            self._tell(Kind.BROKEN_SIDECAR, member.name, at, str(error))

    def _lose(self, damage: Damage) -> None:
        self._is_lossy = True
        self._records.excuse()
        kind = OF_LOSS[damage.reason]
        between = " and ".join(
            f"{word} {shorten(name, _MAX_NAME)!r}"
            for word, name in (("after", damage.after), ("before", damage.before))
            if name
        )
        detail = ", ".join(filter(None, [damage.detail, between]))
        self._add(kind, "", damage.start, detail, end=damage.end)

    def _conclude(self, stream: TarStream) -> None:
        """The shard has been read: judge what can be known of it alone, hand on the rest."""
        self._records.close()
        self._count_images()
        if not self._num_images and not self._is_lossy:
            self._add(Kind.EMPTY_SHARD, "", None, self._emptiness(stream.account.size))
        for note in stream.notes:
            if note.kind in OF_NOTE and not (self._is_lossy and note.kind == "missing_end"):
                self._add(OF_NOTE[note.kind], "", None, note.text)
        self._dossier.ledger.finish_shard(stream.account)
        self._hand_on()

    def _emptiness(self, size: int) -> str:
        if not size:
            return "0 bytes"
        return f"{self._num_members:,} members, none of them an image" if self._num_members else "no members"

    def _hand_on(self) -> None:
        records, dossier = self._records, self._dossier
        dossier.keys.add(self._index, *records.keys())
        is_whole = not self._is_lossy and not records.has_excuses and len(records) > 0
        dossier.series.add(self._index, self._stat.path, len(records) if is_whole else None)
        dossier.num_records += len(records)
        counts: Counter[tuple[str, ...]] = Counter()
        for fields, place in records.judged():
            if not self._sorter.has_image(fields):
                detail = f"it has {', '.join(map(repr, sorted(fields)[:4]))}"
                self._tell(Kind.RECORD_WITHOUT_IMAGE, place.member, place.offset, detail)
                continue
            counts[fields] += 1
            if dossier.sidecars.wants_place(fields):
                dossier.sidecars.keep(fields, self._index, place)
        for fields, count in counts.items():
            dossier.sidecars.add(fields, count)

    def _tell(self, kind: Kind, member: str, offset: int, detail: str) -> None:
        self._add(kind, shorten(member, _MAX_NAME), offset, detail)

    def _add(
        self, kind: Kind, member: str, offset: int | None, detail: str, *, end: int | None = None
    ) -> None:
        finding = Finding(kind, self._stat.path, member, offset, end, detail)
        self._dossier.collector.add(finding, self._index)

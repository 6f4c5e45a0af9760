"""Images held back until their record ends, for the sidecars that come with them.

Strategy: gets images, losses and sidecars in tar order, returns the images and losses that are ready, in the
same order. What it holds is bounded; a record that is larger is passed on in parts. Broken sidecars become
notes; never raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tarlight.ledger import Loss, SkipReason
from tarlight.tar.image import ImageRecord
from tarlight.tar.name import last_extension
from tarlight.tar.sidecar import MAX_FIELD_BYTES, decode_field

if TYPE_CHECKING:
    from collections import Counter

    from tarlight.tar.member import Damage, Member
    from tarlight.tar.notebook import Notebook

MAX_HELD = 1_000
"""Images and losses of one record that are held."""
MAX_BYTES = 64 << 20
"""Bytes of images that are held; a single larger image is held alone."""

JSON_GROWTH = 8
"""Bytes that parsed JSON takes for each byte of its text; small numbers and short keys cost the most."""

Item = ImageRecord | Loss


class _Sidecar(NamedTuple):
    member: str
    data: bytes
    trouble: str


class Holding:
    """The record at hand. Not thread-safe."""

    def __init__(self, notebook: Notebook, ignored: Counter[str]) -> None:
        self._notebook = notebook
        self._ignored = ignored
        self._key: str | None = None
        self._held: list[Item] = []
        self._num_bytes = 0
        self._sidecars: dict[str, _Sidecar] = {}
        self._field_bytes = 0
        self._values: dict[str, Any] = {}
        self._is_in_parts = False
        self.passed: Member | Damage | None = None
        """What came before the member at hand."""
        self._before: Member | Damage | None = None

    @property
    def before(self) -> Member | Damage | None:
        """What came before all that is held; where nothing is, before the member at hand."""
        return self._before if self._held or self._sidecars else self.passed

    @property
    def num_images(self) -> int:
        """Images that are held."""
        return sum(isinstance(item, ImageRecord) for item in self._held)

    def hold_image(self, image: ImageRecord) -> list[Item]:
        """Hold an image; returns those that are ready before it."""
        is_lost = image.flaw is SkipReason.NAME_LOST  # its key may be wrong, so it stays where it is
        ready = [] if is_lost else self._open(image.key)
        return ready + self._hold(image, len(image.data or b""))

    def hold_loss(self, loss: Loss) -> list[Item]:
        """Hold a loss behind the images before it; returns what is ready."""
        return self._hold(loss, 0) if self._held else [loss]

    def hold_sidecar(self, key: str, field: str, member: Member) -> list[Item]:
        """Hold a sidecar; returns the images that are ready before it."""
        ready = self._open(key)
        if field in self._sidecars or field in self._values:
            self._ignored[last_extension(member.name)] += 1
            self._notebook.add("broken_field", f"{member.name!r}: the record has this field already")
        else:
            if not self._held and not self._sidecars:
                self._before = self.passed
            self._sidecars[field] = sidecar = _hold(member)
            self._field_bytes += len(sidecar.data) * (JSON_GROWTH if field.endswith("json") else 1)
        return ready

    def drop(self) -> int:
        """Let go of the record, whose rest does not come. Returns how many images were held."""
        num_images = self.num_images
        self._held, self._sidecars = [], {}
        return num_images

    def release(self) -> list[Item]:
        """End the record; returns its images, and the losses between them."""
        ready = self._attach()
        for sidecar in self._sidecars.values():
            self._ignored[last_extension(sidecar.member)] += 1
        self._key, self._sidecars, self._values, self._is_in_parts = None, {}, {}, False
        self._field_bytes = 0
        return ready

    def _open(self, key: str) -> list[Item]:
        if key == self._key:
            return []
        ready = self.release()
        self._key = key
        return ready

    def _hold(self, item: Item, num_bytes: int) -> list[Item]:
        is_too_much = self._num_bytes + num_bytes > MAX_BYTES or len(self._held) >= MAX_HELD
        ready = self._pass_on_part() if self._held and is_too_much else []
        if not self._held and not self._sidecars:
            self._before = self.passed
        self._held.append(item)
        self._num_bytes += num_bytes
        return ready

    def _pass_on_part(self) -> list[Item]:
        if not self._is_in_parts:
            text = f"record {self._key!r} is too large to be held; fields that come later are not attached"
            self._notebook.add("record_in_parts", text)
        self._is_in_parts = True
        return self._attach()

    def _attach(self) -> list[Item]:
        """Give the images at hand their fields, and let go of them."""
        held, self._held, self._num_bytes = self._held, [], 0
        images = [item for item in held if isinstance(item, ImageRecord)]
        if images and self._sidecars:
            images[0].field_bytes = self._field_bytes
            for field, sidecar in self._sidecars.items():
                self._decode(field, sidecar)
            self._sidecars, self._field_bytes = {}, 0
        for image in images:
            if image.flaw is not SkipReason.NAME_LOST:
                image.fields = dict(self._values)
        return held

    def _decode(self, field: str, sidecar: _Sidecar) -> None:
        trouble = sidecar.trouble
        try:
            if not trouble:
                self._values[field] = decode_field(field, sidecar.data)
                return
        except ValueError as error:
            trouble = str(error)
        self._notebook.add("broken_field", f"{sidecar.member!r}: {trouble}; the image comes without it")


def _hold(member: Member) -> _Sidecar:
    if member.size > MAX_FIELD_BYTES:
        return _Sidecar(member.name, b"", f"{member.size} bytes, more than {MAX_FIELD_BYTES}")
    if member.data is None:
        return _Sidecar(member.name, b"", member.detail)
    return _Sidecar(member.name, bytes(member.data), "")

"""ETags that are MD5s, and those that only look so.

S3 and most servers that speak its language give the MD5 of an object as its ETag, but not under SSE-KMS,
whose ETags have the same 32 hex digits. So a mismatch is believed only once the bucket has shown that its
ETags are MD5s, or when a second reading gives other bytes: two equal readings mean that the ETag is something
else. For a large shard that costs reading it a second time, without keeping it: once a bucket.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

from tarlight.storage.remote.arrival import StoppedError
from tarlight.storage.remote.loop import submit
from tarlight.storage.remote.part import Part
from tarlight.storage.remote.wire import Fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future

    from tarlight.storage.remote.origin import Origin
    from tarlight.storage.remote.part import Fetcher


class Held:
    """The pieces of a small shard, kept back until their MD5 is known. For the loop's thread."""

    def __init__(self, expected: str) -> None:
        self.expected = expected
        """The MD5 that the ETag is taken for."""
        self._pieces: list[bytes] = []
        self._md5 = _md5()

    def add(self, piece: bytes) -> None:
        """Keep the next piece."""
        self._md5.update(piece)
        self._pieces.append(piece)

    def digest(self) -> str:
        """Return the MD5 of what is kept."""
        return self._md5.hexdigest()

    def drop(self) -> None:
        """Forget all pieces."""
        self._md5 = _md5()
        self._pieces.clear()

    def take(self) -> list[bytes]:
        """Return the pieces, in order."""
        return self._pieces


async def verify(
    held: Held, origin: Origin, fetch_again: Callable[[], Awaitable[None]], num_fetches: int
) -> bool:
    """Return whether the bytes held are good; on a mismatch fetch them again. Raises `Fault`."""
    seen: set[str] = set()
    for _ in range(max(2, num_fetches)):  # without a second reading nobody knows whether it is an MD5
        if seen:
            held.drop()
            await fetch_again()
        digest = held.digest()
        if digest == held.expected:
            origin.has_md5 = True
            return True
        if digest in seen:
            origin.has_md5 = origin.has_md5 or False
            return True
        seen.add(digest)
    return False


class Running:
    """The MD5 of a shard while it is read. For the reader's thread; `close` is for any."""

    def __init__(self, expected: str) -> None:
        self._expected = expected
        self._md5 = _md5()
        self._closed = False
        self._checking: Future[str] | None = None

    def update(self, piece: bytes) -> None:
        """The reader has taken this piece."""
        if self._expected:
            self._md5.update(piece)

    def settle(self, origin: Origin, fetcher: Fetcher, size: int) -> bool:
        """All has been read: return whether it was what the ETag says, as far as that can be told.

        Raises:
            StoppedError: closed while the shard was read a second time.
        """
        digest = self._md5.hexdigest()
        if not self._expected or origin.has_md5 is False:
            return True
        if digest != self._expected and not origin.has_md5:
            again = self._hash_again(fetcher, size)
            if again == digest:
                origin.has_md5 = False
                return True
            origin.has_md5 = True if again == self._expected else None
        elif digest == self._expected:
            origin.has_md5 = True
        return digest == self._expected

    def close(self) -> None:
        """Let go whoever waits for the second reading."""
        self._closed = True
        if self._checking is not None:
            self._checking.cancel()

    def _hash_again(self, fetcher: Fetcher, size: int) -> str:
        """Return the MD5 of a second reading; empty where that failed."""
        self._checking = submit(_hash(fetcher, size))
        if self._closed:
            self._checking.cancel()
        try:
            return self._checking.result()
        except Fault:
            return ""
        except CancelledError:
            raise StoppedError from None


class _Hashing:
    """A sink that keeps nothing."""

    def __init__(self) -> None:
        self.md5 = _md5()

    async def room(self, part: Part) -> None:
        """There is always room."""

    def deliver(self, part: Part, piece: bytes) -> None:  # noqa: ARG002 (the protocol's argument)
        """Hash the piece."""
        self.md5.update(piece)


async def _hash(fetcher: Fetcher, size: int) -> str:
    """Read everything in one request, in constant memory. Raises `Fault`."""
    sink = _Hashing()
    await fetcher.fetch(Part(0, size, is_open=True), sink)
    return sink.md5.hexdigest()


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)

"""Real books to show."""

from __future__ import annotations

from tarlight.ledger import Ledger, Loss, LossReason, Note, ShardAccount, Skip, SkipReason

LONG_SHARD = "/data/a/very/long/path/to/some/bucket/of/images/dataset-2024/train/00003.tar"
HOSTILE = "evil\x1b]0;owned\x07\x1b[2J[bold red]\u202egpj.\udcff\r\n"


def rich_books(images: int = 12_345) -> Ledger:
    """Return books in which nearly everything has happened."""
    ledger = Ledger()
    ledger.saw(images)
    ledger.skip(Skip("000123", "00000.tar", "000123.jpg", 512, SkipReason.CORRUPT, "12 extraneous bytes"))
    ledger.skip(Skip("000124", LONG_SHARD, "000124.jpg", 9_728, SkipReason.NOT_JPEG, "a PNG image"))
    ledger.filter("drop_small", 10)
    ledger.leave(3)
    ledger.deliver(images - 15)
    ledger.ignore({"txt": images, "json": images, "": 3})
    ledger.read(384_123_456)
    ledger.lose(Loss(LONG_SHARD, 12_800, 13_312, LossReason.BAD_HEADER, "after a/000031.jpg"))
    ledger.decoded({"turbo": images - 5, "pillow": 3}, {"turbo: 4:1:0 sampling": 3}, images * 200_000)
    ledger.note(Note("00004.tar", "1,024 bytes after the end mark", "trailing"))
    ledger.finish_shard(ShardAccount("00000.tar", 1024, end=1024))
    return ledger


def hostile_books() -> Ledger:
    """Return books in which every name tries to take over the terminal."""
    ledger = Ledger()
    ledger.saw(1)
    ledger.skip(Skip(HOSTILE, HOSTILE, HOSTILE, 0, SkipReason.CORRUPT, HOSTILE))
    ledger.lose(Loss(HOSTILE, 0, 512, LossReason.BAD_HEADER, HOSTILE))
    ledger.note(Note(HOSTILE, HOSTILE, HOSTILE))
    ledger.ignore({HOSTILE: 1})
    ledger.decoded({HOSTILE: 1}, {HOSTILE: 1}, 1)
    ledger.filter(HOSTILE, 0)
    ledger.finish_shard(ShardAccount(HOSTILE, 1))
    return ledger

"""Names from PAX and GNU headers: read when sound, lost when doubtful, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.ledger import SkipReason
from tarlight.tar.pax import PaxFacts, is_harmless, parse_pax, split_records
from tests.tar.shards import jpeg_like, members, pad, pax_records, raw_header, raw_member, records

JPEG = jpeg_like(700)
END = bytes(1024)
LONG = "d" * 120 + "/000001.jpg"
KEYS = st.text("abcdefgh.", min_size=1, max_size=12)


def pax_header(payload: bytes) -> bytes:
    return raw_member(b"PaxHeaders/x", payload, b"x")


def only_image(data: bytes):
    images, report = records(data + END)
    assert not report.unbalanced_shards
    (image,) = images
    return image, report


@given(st.dictionaries(KEYS, st.binary(max_size=40).filter(lambda value: b" path=" not in value)))
def test_records_are_split_as_written(values: dict[str, bytes]) -> None:
    """Records come apart where their lengths say, whatever bytes their values hold."""
    payload = pax_records(**values)
    assert split_records(payload) == [key.encode() + b"=" + value for key, value in values.items()]
    assert parse_pax(payload).is_sound


@pytest.mark.parametrize(
    "payload",
    [
        b"13 path=a.jpg",
        b"99 path=a.jpg\n",
        b"012345678 path=a.jpg\n",
        b"-4 path=a.jpg\n",
        b"15 path=a.jpg\nx",
        b"15 bath=a.jpg\n",
        b"15 path~a.jpg\n",
        b"15 path=a\0jpg\n",
        pax_records(mtime="1") + b"\0" + pax_records(path="a"),
        pax_records(size="-5"),
        pax_records(size="9" * 5000),
        pax_records(sizd="700"),
        pax_records(comment=b"x\n15 path=a.jpg"),
        b"1" * 20_000,
    ],
)
def test_a_malformed_header_loses_the_name(payload: bytes) -> None:
    """Every fault in a PAX payload makes the next member `name_lost`; it is never `ignored` or guessed."""
    image, report = only_image(pax_header(payload) + raw_member(b"short", JPEG))
    assert (image.flaw, image.data, image.key) == (SkipReason.NAME_LOST, None, "short")
    assert not report.ignored


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        pax_records(mtime="12.5"),
        pax_records(path=""),
        pax_records(comment="see path=elsewhere"),
        pax_records(**{"VENDOR.key": "a\nb=c\n"}),
        pax_records(mtime="1") + bytes(9),
    ],
)
def test_a_header_about_other_things_leaves_the_name(payload: bytes) -> None:
    """A sound PAX header without a path changes nothing."""
    image, _ = only_image(pax_header(payload) + raw_member(b"a.jpg", JPEG))
    assert (image.member, image.data) == ("a.jpg", JPEG)


@pytest.mark.parametrize(
    "own",
    [LONG.encode()[:100], b"dd/000001.jpg", b"PaxHeader.4711", b"x"],
    ids=["cut", "short", "other", "tiny"],
)
def test_writers_may_shorten_as_they_like(own: bytes) -> None:
    """The header's own name may be the start of the long one, or wholly another."""
    image, _ = only_image(pax_header(pax_records(path=LONG)) + raw_member(own, JPEG))
    assert (image.member, image.flaw) == (LONG, None)


@pytest.mark.parametrize("own", ["größe.jpg", "gr??e.jpg", "gre.jpg"])
def test_writers_may_spell_other_letters_as_they_like(own: str) -> None:
    """Letters beyond ASCII are kept, replaced or dropped in the header's own name."""
    image, _ = only_image(pax_header(pax_records(path="größe.jpg")) + raw_member(own.encode(), JPEG))
    assert (image.member, image.flaw) == ("größe.jpg", None)


def test_a_name_that_is_almost_the_headers_own_is_lost() -> None:
    """One differing byte in the part that is there twice shows that one of the two is damaged."""
    wrong = LONG.replace("ddd", "ded", 1)
    image, _ = only_image(pax_header(pax_records(path=wrong)) + raw_member(LONG.encode()[:100], JPEG))
    assert image.flaw is SkipReason.NAME_LOST


@pytest.mark.parametrize("tail", [b"", b"\0\0", b"\0x\0"])
def test_a_gnu_name_needs_its_terminator(tail: bytes) -> None:
    """A GNU long name is closed by one NUL and holds none before it."""
    long = raw_member(b"././@LongLink", LONG.encode() + tail, b"L")
    image, _ = only_image(long + raw_member(LONG.encode()[:100], JPEG))
    assert image.flaw is SkipReason.NAME_LOST


def test_a_renamed_extension_is_not_ignored() -> None:
    """A long name one byte away from an image's is `name_lost` over a JPEG, and ignored over other bytes."""
    for ending in (".jqg", ",jpg", ".j/g", ".jp2"):
        name = LONG.replace(".jpg", ending)
        header = pax_header(pax_records(path=name))
        image, report = only_image(header + raw_member(name.encode()[:100], JPEG))
        assert image.flaw is SkipReason.NAME_LOST
        assert not report.ignored
        images, report = records(header + raw_member(name.encode()[:100], b"text") + END)
        assert not images
        assert sum(report.ignored.values()) == 1


def test_the_next_member_does_not_inherit_a_name() -> None:
    """When the header after a long name is damaged, the member behind it keeps its own name."""
    broken = b"X" + raw_member(LONG.encode()[:100], JPEG)[1:]
    data = pax_header(pax_records(path=LONG)) + broken + raw_member(b"b.jpg", JPEG) + END
    found, (damage,), _ = members(data)
    assert [(member.name, member.flaw) for member in found] == [("b.jpg", None)]
    assert damage.end - damage.start == len(broken)


@pytest.mark.parametrize("flag", [b"x", b"L"])
def test_a_flag_flipped_to_a_naming_one_costs_one_image(flag: bytes) -> None:
    """An ordinary header whose type flag was changed to `x` or `L` does not make the next name lost."""
    broken = bytearray(raw_member(b"a.jpg", JPEG))
    broken[156:157] = flag
    found, _, _ = members(bytes(broken) + raw_member(b"b.jpg", JPEG) + END)
    assert [(member.name, member.flaw) for member in found] == [("b.jpg", None)]


def test_a_pax_size_rules_over_an_empty_field() -> None:
    """A size that only the PAX header gives is used, as POSIX asks."""
    member = raw_header(b"a.jpg", 0) + pad(JPEG)
    image, _ = only_image(pax_header(pax_records(size=str(len(JPEG)))) + member)
    assert image.data == JPEG


@pytest.mark.parametrize("size", ["7", "1212", "3000000", "99999999999"])
def test_a_pax_size_that_leads_nowhere_is_not_believed(size: str) -> None:
    """Where the header's own size leads to the next header and the PAX size does not, the former is right."""
    data = (
        pax_header(pax_records(size=size))
        + raw_member(b"a.jpg", jpeg_like(1600))
        + raw_member(b"b.jpg", JPEG)
    )
    images, _ = records(data + END)
    assert [image.data for image in images] == [jpeg_like(1600), JPEG]


def test_a_wrong_pax_size_alone_costs_one_image() -> None:
    """A PAX size that swallows the next header is not followed: one image is truncated, the next comes."""
    swallow = pax_header(pax_records(size="1300")) + raw_header(b"a.jpg", 0) + pad(JPEG)
    images, report = records(swallow + raw_member(b"b.jpg", jpeg_like(900, 5)) + END)
    assert [(image.member, image.flaw) for image in images] == [
        ("a.jpg", SkipReason.TRUNCATED),
        ("b.jpg", None),
    ]
    assert not report.unbalanced_shards


def test_a_long_name_that_is_no_utf_8_is_delivered() -> None:
    """GNU tar writes names in other encodings as they are; beyond the header's copy they are trusted."""
    name = b"d" * 110 + b"/caf\xe9.jpg"
    image, _ = only_image(pax_header(pax_records(path=name)) + raw_member(name[:100], JPEG))
    assert (image.flaw, image.data) == (None, JPEG)
    assert image.member == name.decode("utf-8", "surrogateescape")


@given(
    st.dictionaries(
        st.sampled_from(
            ["mtime", "atime", "uid", "gname", "comment", "path", "size", "GNU.sparse.major", "x"]
        ),
        st.text("0123456789abc= \n", max_size=30),
    )
)
def test_the_short_cut_agrees_with_the_whole_reading(values: dict[str, str]) -> None:
    """What the hot loop passes over as harmless says nothing when it is read in full."""
    payload = pax_records(**values)
    if is_harmless(memoryview(payload)):
        assert parse_pax(payload) == PaxFacts(is_sound=True)
    assert is_harmless(memoryview(pax_records(mtime="1761234567.25", uname="me")))

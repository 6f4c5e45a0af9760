"""Which store reads a path, and how paths are spelled.

Strategy: no I/O here, so that wrong arguments are refused before anything runs.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tarlight.errors import ArgumentError, ArgumentTypeError
from tarlight.storage.local import LocalStore
from tarlight.storage.pattern import expand_braces, first_expanded
from tarlight.storage.remote.option import check_options
from tarlight.storage.remote.spelling import meaning
from tarlight.storage.remote.store import RemoteStore
from tarlight.storage.remote.url import (
    SCHEMES,
    SignedUrl,
    canonical,
    full_url,
    kind_of_url,
    remember,
    without_secrets,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tarlight.storage.store import Store

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_MANGLED = re.compile(rf"(?:{'|'.join(SCHEMES)}):/(?!/)", re.IGNORECASE)


def as_paths(file_paths: object) -> tuple[str, ...]:
    """Return what a user gave as `file_paths` as texts, in its order.

    Raises:
        ArgumentTypeError: neither text, nor a PathLike, nor a list or tuple of these.
        ArgumentError: an empty list or path, or a URL that no store reads.

    A URL with a query comes back as a text without it, which knows it; see `SignedUrl`.
    """
    entries = list(file_paths) if isinstance(file_paths, list | tuple) else [file_paths]
    if not entries:
        raise ArgumentError("file_paths: an empty list; name at least one folder, file or pattern")
    paths = tuple(_as_text(entry) for entry in entries)
    for path in paths:
        location(first_expanded(path) if kind_of_url(path) else path)
    return tuple(SignedUrl(path) if _is_signed(path) else path for path in paths)


def expanded(path: str) -> list[str]:
    """Return the paths that a text with brace ranges stands for; a query is left as it is.

    Raises:
        ArgumentError: more than a million.
    """
    if not _is_signed(path):
        return expand_braces(path)
    bare, mark, query = full_url(path).partition("?")
    return [SignedUrl(f"{text}{mark}{query}") for text in expand_braces(bare)]


def _is_signed(path: str) -> bool:
    return kind_of_url(path) == "http" and "?" in full_url(path)


def _as_text(entry: object) -> str:
    path = os.fspath(entry) if isinstance(entry, os.PathLike) else entry
    if not isinstance(path, str):
        raise ArgumentTypeError(
            "file_paths must be a path as str or os.PathLike, or a list or tuple of these; "
            f"got {type(entry).__name__}"
        )
    if "?" in path and _MANGLED.match(path):
        raise ArgumentError(  # without the path: its query may be a credential
            f"file_paths: {path.partition(':')[0]}:/ with one slash: pathlib takes one out of URLs. Pass the "
            "URL as text"
        )
    return path


def open_store(path: str, storage_options: Mapping[str, Any] | None = None) -> Store:
    """Return the store that reads `path`. Nothing is opened or checked yet.

    One mapping may serve paths in several stores: options that only other kinds of stores know are left out.

    Raises:
        ArgumentError: no store reads such a URL, or none knows one of the options.
        ArgumentTypeError: `storage_options` is no mapping, or an option has the wrong type.
    """
    path = location(path)
    if not kind_of_url(path):
        check_option_names(storage_options)
        return LocalStore()
    remember(path)
    return RemoteStore(storage_options)


KINDS = ("s3", "gs", "az", "http")
"""Kinds of stores that take options."""


def is_local(path: str) -> bool:
    """Return whether `path` lies on the local disk."""
    return not kind_of_url(path)


def check_option_names(storage_options: Mapping[str, Any] | None) -> None:
    """Check options whose paths are not known yet: some store must know each. Raises as `open_store`."""
    check_options(KINDS, storage_options)


def is_option_name(name: str) -> bool:
    """Whether an option of `storage_options` is called so, of whichever store."""
    return any(meaning(kind, name) for kind in KINDS)


def check_options_for(paths: Iterable[str], storage_options: Mapping[str, Any] | None) -> None:
    """Check options that serve all of `paths`: each must be known to one of their stores.

    Raises as `open_store`.
    """
    check_options({kind_of_url(path) or "local" for path in paths}, storage_options)


def location(path: str) -> str:
    """Return `path` as its store spells it: `file://` taken off, `.` and double slashes taken out.

    Links are not resolved and `..` stays: with links, `a/../b` need not be `b`. Other URLs stay URLs, in one
    spelling; one with a query is a text without it, which knows it.

    Raises:
        ArgumentError: empty, a NUL inside, not encodable, or a URL that no store reads.
    """
    if kind_of_url(path):
        return canonical(path)
    scheme = _SCHEME.match(path)
    if scheme is not None:
        path = _path_of_url(path, scheme[1].lower())
    if not path:
        raise ArgumentError('file_paths: an empty path; pass "." for the current folder')
    _check_text(path)
    parts = [part for part in path.split("/") if part not in {"", "."}]
    return ("/" if path.startswith("/") else "") + "/".join(parts)


def absolute(path: str, folder: str) -> str:
    """Return `path`, a `location`, as seen from `folder`, with `..` taken out where no link is in the way.

    URLs are absolute; two that differ in their query are two.
    """
    if kind_of_url(path):
        return full_url(path)
    done = ""
    for part in (path if path.startswith("/") else f"{folder}/{path}").split("/"):
        if part == ".." and not done.endswith("/..") and not os.path.islink(done):  # noqa: PTH114
            done = done.rpartition("/")[0]
        elif part:
            done = f"{done}/{part}"
    return done or "/"


def _check_text(path: str) -> None:
    try:
        if b"\0" in os.fsencode(path):
            raise ArgumentError(f"file_paths: {path!r} has a NUL character in it, which no path can have")
    except UnicodeEncodeError as error:
        raise ArgumentError(f"file_paths: {path!r} cannot be encoded as a path: {error.reason}") from error


def _path_of_url(url: str, scheme: str) -> str:
    if scheme != "file":
        raise ArgumentError(
            f"file_paths: {without_secrets(url)}: no store reads {scheme}:// URLs. Known are file, "
            f"{', '.join(SCHEMES)}. For others, mount the store as a folder and pass that path"
        )
    parts = urlsplit(url.replace("?", "%3F").replace("#", "%23"))
    if parts.netloc not in {"", "localhost"}:
        raise ArgumentError(
            f"file_paths: {without_secrets(url)}: a file:// URL of another machine ({parts.netloc}). "
            "Write three slashes for this one: file:///folder/shard.tar"
        )
    return unquote(parts.path, errors="surrogateescape")

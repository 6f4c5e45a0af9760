"""Which store reads a path, and how paths are spelled.

Strategy: no I/O here, so that wrong arguments are refused before anything runs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tarlight.errors import ArgumentError, ArgumentTypeError
from tarlight.storage.local import LocalStore

if TYPE_CHECKING:
    from tarlight.storage.store import Store

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def as_paths(file_paths: object) -> tuple[str, ...]:
    """Return what a user gave as `file_paths` as texts, in its order.

    Raises:
        ArgumentTypeError: neither text, nor a PathLike, nor a list or tuple of these.
        ArgumentError: an empty list or path, or a URL that this version does not read.
    """
    entries = list(file_paths) if isinstance(file_paths, list | tuple) else [file_paths]
    if not entries:
        raise ArgumentError("file_paths: an empty list; name at least one folder, file or pattern")
    paths = tuple(_as_text(entry) for entry in entries)
    for path in paths:
        location(path)
    return paths


def _as_text(entry: object) -> str:
    path = os.fspath(entry) if isinstance(entry, os.PathLike) else entry
    if not isinstance(path, str):
        raise ArgumentTypeError(
            "file_paths must be a path as str or os.PathLike, or a list or tuple of these; "
            f"got {path!r} ({type(entry).__name__})"
        )
    return path


def open_store(path: str, storage_options: Mapping[str, Any] | None = None) -> Store:
    """Return the store that reads `path`. Nothing is opened or checked on disk yet.

    Raises:
        ArgumentError: no store reads such a URL, or it does not know one of the options.
        ArgumentTypeError: `storage_options` is no mapping.
    """
    location(path)
    _check_options(storage_options)
    return LocalStore()


def location(path: str) -> str:
    """Return `path` as its store spells it: `file://` taken off, `.` and double slashes taken out.

    Links are not resolved and `..` stays: with links, `a/../b` need not be `b`.

    Raises:
        ArgumentError: empty, a NUL inside, not encodable, or a URL that this version does not read.
    """
    scheme = _SCHEME.match(path)
    if scheme is not None:
        path = _path_of_url(path, scheme[1].lower())
    if not path:
        raise ArgumentError('file_paths: an empty path; pass "." for the current folder')
    _check_text(path)
    parts = [part for part in path.split("/") if part not in {"", "."}]
    return ("/" if path.startswith("/") else "") + "/".join(parts)


def absolute(path: str, folder: str) -> str:
    """Return `path`, a `location`, as seen from `folder`, with `..` taken out where no link is in the way."""
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
            f"file_paths: {_without_secrets(url)}: this version of tarlight reads local paths only. "
            "Copy the shards to a disk or mount the bucket as a folder, and pass that path"
        )
    parts = urlsplit(url.replace("?", "%3F").replace("#", "%23"))
    if parts.netloc not in {"", "localhost"}:
        raise ArgumentError(
            f"file_paths: {_without_secrets(url)}: a file:// URL of another machine ({parts.netloc}). "
            "Write three slashes for this one: file:///folder/shard.tar"
        )
    return unquote(parts.path, errors="surrogateescape")


def _without_secrets(url: str) -> str:
    """Return the URL without user, password and query, which may hold credentials."""
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    return re.sub(r"://[^/]*@", "://", bare)


def _check_options(storage_options: Mapping[str, Any] | None) -> None:
    if storage_options is None:
        return
    if not isinstance(storage_options, Mapping):
        raise ArgumentTypeError(
            f"storage_options must be a mapping or None, got {type(storage_options).__name__}"
        )
    if storage_options:  # names only: values may be credentials
        names = ", ".join(sorted(map(str, storage_options)))
        raise ArgumentError(
            f"storage_options: local paths take none, and these were given: {names}. Leave them out"
        )

"""The one place where errors of the operating system become ours."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from tarlight.errors import InputDeniedError, InputMissingError, ShardReadError

if TYPE_CHECKING:
    from tarlight.errors import TarlightError

MISSING = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
"""Errors that mean: nothing can be opened under this path."""
DENIED = {errno.EACCES, errno.EPERM}


def explain(path: str, error: OSError) -> TarlightError:
    """Return our error for what happened to `path`; never raises."""
    if error.errno in MISSING:
        return InputMissingError(_why_missing(path, error))
    if error.errno in DENIED:
        return denied(path)
    return ShardReadError(f"{path}: {error.strerror or error}. Check the disk or mount, then run again")


def denied(path: str) -> InputDeniedError:
    """Return the error for a file or folder that exists and may not be read."""
    kind, need = ("folder", "listed") if os.path.isdir(path) else ("file", "read")  # noqa: PTH112
    return InputDeniedError(
        f"{path}: permission denied, this {kind} cannot be {need} by this user. "
        f"Change its permissions, or those of the folders above it"
    )


def _why_missing(path: str, error: OSError) -> str:
    if os.path.islink(path):  # noqa: PTH114
        target = os.readlink(path)  # noqa: PTH115
        return (
            f"{path}: a symbolic link to {target}, which cannot be opened ({error.strerror}). Mend the link"
        )
    return f"{path}: {error.strerror or 'not found'}. {_advice(path)}"


def _advice(path: str) -> str:
    if path.startswith("~"):
        return "`~` is not expanded here: pass os.path.expanduser(path)"
    if path == "-":
        return "Standard input is not read: write the shard to a file, and name that"
    if ":/" in path.partition("/")[0] + "/":
        return "If this was meant as a URL: pathlib turns `s3://` into `s3:/`, pass the URL as text"
    above = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120
    while not os.path.isdir(above):  # noqa: PTH112
        above = os.path.dirname(above)  # noqa: PTH120
    return f"Check the spelling; the nearest folder that exists is {above}"

"""The library's errors in the words of the command line: options instead of arguments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tarlight.errors import ArgumentError, ArgumentTypeError, TarlightError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tarlight.inspect.explaining.verdict import Setting

OPTIONS = {
    "address": "--ray-address",
    "batch_size": "--batch-size",
    "checkpoint_path": "--checkpoint",
    "decoder": "--decoder",
    "executor": "--executor",
    "extensions": "--extensions",
    "fields": "--fields",
    "file_extensions": "--shard-extensions",
    "file_paths": "PATH",
    "folder": "DIR",
    "limit": "--limit",
    "max_failures": "--max-failures",
    "max_requests": "--max-requests",
    "num_gpus_per_worker": "--gpus-per-worker",
    "num_images": "--images",
    "num_records": "--records",
    "num_shards": "--shards",
    "num_threads": "--threads",
    "on_error": "--on-error",
    "path": "PATH",
    "seconds": "--seconds",
    "seed": "--seed",
    "storage_options": "--storage-option",
    "verify": "--verify",
}
"""Argument, with which every error about one begins -> option."""


def _as_list(extensions: re.Match[str]) -> str:
    return "--shard-extensions " + ",".join(re.findall(r"'([^']*)'", extensions[1]))


def _as_change(option: re.Match[str]) -> str:
    """An option of the reader that is another one than that of a checkpoint."""
    name, then, now = option.groups()
    named = OPTIONS.get(name, f"{name} (for Python only)")
    return f"{named} was {_as_value(then)} and is {_as_value(now)}"


def _as_value(shown: str) -> str:
    """Return a value of Python as it would be typed."""
    if shown in {"None", "[]"}:
        return "not given"
    if shown.startswith("["):
        return ",".join(re.findall(r"'([^']*)'", shown))
    return shown.strip("'")


_TYPED: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"pass os\.path\.expanduser\(path\)", "write it outside quotes, so that the shell expands it"),
    (r"pathlib turns `s3://` into `s3:/`, pass the URL as text", "it has two slashes, `s3://`"),
    (r"pathlib takes one out of URLs\. Pass the URL as text", "write two"),
    (r"a list of names such as \('txt', 'json'\)", "names such as txt,json"),
    (r"for example \('\.jpg', '\.jpeg'\)", "for example .jpg,.jpeg"),
    (r"for example \['\.tar'\]", "for example .tar"),
    (
        r"must be an int, or a fraction from 0\.0 to 1\.0",
        "must be a count such as 10, or a part such as 1% or 0.01, up to 100%",
    ),
    (r"must be an int\b", "must be a whole number"),
    (r"must be True or False", "must be true or false"),
    (r"must be callable, such as \S+", "can be passed in Python only. Leave it out"),
    (r"more than num_images", "more than --images"),
    (r": more than max_failures=", ": more than --max-failures "),
    (r"the report of Pipeline\.stream\(\) names each of them", "--json FILE names each of them"),
    (r'\b([Ww])ith on_error="skip"', r"\1ith --on-error skip"),
    (r"file_extensions=\[\.\.\.\]", "--shard-extensions .A,.B"),
    (r"file_extensions=\[((?:'[^']*'(?:, )?)+)\]", _as_list),
    (r"(?:--)?decoder='(\w+)'", r"--decoder \1"),  # the name may have been made an option before
    (r'storage_options=\{"(\w+)": (\{.*?\})\}', r"--storage-option '\1=\2'"),
    (r'storage_options=\{"(\w+)": \.\.\.\}', r"--storage-option \1=..."),
    (r"anon=True in storage_options", "--storage-option anon=true"),
    (r"anon=True", "anon=true"),
    (r"use_ssl=False", "use_ssl=false"),
    (r"\b(in|into) storage_options\b", r"\1 --storage-option"),
    (
        r"pass credential_provider=obstore\.auth\.google\.GoogleCredentialProvider\(\)",
        "set GOOGLE_APPLICATION_CREDENTIALS",
    ),
    (r"(?<=[:;] )image_reader\.(\w+) was (.+?) and is (.+?)(?=; )", _as_change),
    (r"\bnum_gpus_per_worker=(?=\d)", "--gpus-per-worker "),
    (r"ask for less in the stage's resources", "ask for less with --gpus-per-worker"),
    (r"\bRayExecutor needs Ray", "--executor ray needs Ray"),
    (r"pass address=None for one", "leave out --ray-address for one"),
)
"""What errors tell a programmer to write, as a pattern -> what to type. The first that fits comes first."""

_FIRST_WORD = re.compile(r"\A\w+")


def in_options(error: Exception) -> str:
    """Return the message of `error` for somebody who typed a command.

    Names of arguments are looked for only where errors put them, and advice by its whole wording, so that no
    path is changed.
    """
    text = str(error)
    if isinstance(error, ArgumentError | ArgumentTypeError):
        text = _FIRST_WORD.sub(lambda word: OPTIONS.get(word[0], word[0]), text, count=1)
    if isinstance(error, TarlightError):
        for written, typed in _TYPED:
            text = re.sub(written, typed, text)
    return text


def setting_as_option(setting: Setting) -> str:
    """Return what to change, as `tarlight explain` says it: as an option, where the command has one."""
    if setting.name not in OPTIONS:
        return str(setting)
    return f"{OPTIONS[setting.name]} {setting.after} (now {setting.before})"

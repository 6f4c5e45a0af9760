"""The library's errors in the words of the command line: options instead of arguments."""

from __future__ import annotations

import re

from tarlight.errors import ArgumentError, ArgumentTypeError, TarlightError

_OPTIONS = {
    "batch_size": "--batch-size",
    "checkpoint_path": "--checkpoint",
    "decoder": "--decoder",
    "extensions": "--extensions",
    "fields": "--fields",
    "file_extensions": "--shard-extensions",
    "file_paths": "PATH",
    "folder": "DIR",
    "limit": "--limit",
    "max_failures": "--max-failures",
    "max_requests": "--max-requests",
    "num_images": "--images",
    "num_shards": "--shards",
    "num_threads": "--threads",
    "on_error": "--on-error",
    "seconds": "--seconds",
    "seed": "--seed",
    "storage_options": "--storage-option",
    "verify": "--verify",
}
"""Argument, with which every error about one begins -> option."""

_PHRASES = {
    "Pass file_extensions=[...] to read others": "Pass --shard-extensions .A,.B to read others",
    "pass os.path.expanduser(path)": "write it outside quotes, so that the shell expands it",
    "pathlib turns `s3://` into `s3:/`, pass the URL as text": "it has two slashes, `s3://`",
    "a list of names such as ('txt', 'json')": "names such as txt,json",
    "for example ('.jpg', '.jpeg')": "for example .jpg,.jpeg",
    "for example ['.tar']": "for example .tar",
    "must be an int, or a fraction": "must be a count, or a fraction",
    "more than num_images": "more than --images",
    "are more than max_failures=": "are more than --max-failures ",
    "the report of Pipeline.stream() names each of them": "--json FILE names each of them",
    'with on_error="skip" it': "with --on-error skip it",
}
"""What errors tell a programmer to write -> what to type."""

_FIRST_WORD = re.compile(r"\w+")


def in_options(error: Exception) -> str:
    """Return the message of `error` for somebody who typed a command.

    Names of arguments are looked for only where errors put them, so that no path is changed.
    """
    text = str(error)
    if isinstance(error, ArgumentError | ArgumentTypeError):
        text = _FIRST_WORD.sub(lambda word: _OPTIONS.get(word[0], word[0]), text, count=1)
    if isinstance(error, TarlightError):
        for written, typed in _PHRASES.items():
            text = text.replace(written, typed)
    return text

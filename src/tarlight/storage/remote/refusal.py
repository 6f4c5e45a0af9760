"""Why the client library makes no client: the option to blame, in our words.

Strategy: its texts hold values of options, which may be credentials, so they are only searched for what is
known. Where nothing is found, each option is left out in turn: the one without which the others are taken is
to blame, and named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tarlight.errors import ArgumentError
from tarlight.storage.remote.url import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tarlight.storage.remote.url import Address

    Options = Mapping[str, Any]

_REFUSALS = (
    ("MissingAccount", "account_name is missing: pass it, or set AZURE_STORAGE_ACCOUNT_NAME"),
    ("InvalidAccessKey", "account_key is no base64 text"),
    ("OpenCredentials", "the file with Google's credentials cannot be opened; check its path"),
    ("DecodeCredentials", "Google's credentials are not the JSON of a service account"),
    ("MissingSecretAccessKey", "secret_access_key (or `secret`) is missing"),
    ("MissingAccessKeyId", "access_key_id (or `key`) is missing"),
    ("MissingPassword", "client_secret is missing"),
    ("MissingSasComponent", "sas_token cannot be read"),
)
_PASSED_AS = {"default_headers": "headers", "aws_endpoint_url_s3": "endpoint_url"}
"""Name that the library gets -> the usual name of the option."""


def is_failure(error: BaseException) -> bool:
    """Whether it comes of a request, panics of the library included, which are no `Exception`."""
    return isinstance(error, Exception) or _is_panic(error)


def refusal(
    address: Address, error: BaseException, make: Callable[[Options, Options], object], *given: Options
) -> ArgumentError:
    """Return our error for what the library raised. Raise it `from None`.

    Args:
        address: what the client is for.
        error: its text is not shown.
        make: makes a client of options of the store and options of the HTTP client, or raises.
        given: the two with which it raised.
    """
    text, where = str(error), without_secrets(address.root)
    for sign, why in _REFUSALS:
        if sign in text:
            return ArgumentError(f"storage_options: {where}: {why}")
    if not _is_panic(error) and (name := _culprit(make, *given)):
        return ArgumentError(
            f"storage_options: {where}: {name} has a value that cannot be used; correct it, or leave it out"
        )
    if address.kind == "http":
        return ArgumentError(f"file_paths: {where}: the host cannot be read. Check its spelling")
    return ArgumentError(
        f"storage_options: {where}: a value cannot be used, of these or of the environment; check each"
    )


def _is_panic(error: BaseException) -> bool:
    return type(error).__name__ == "PanicException"


def _culprit(make: Callable[[Options, Options], object], config: Options, client: Options) -> str:
    for name in (*config, *client):
        try:
            make(_without(name, config), _without(name, client))
        except BaseException as error:
            if not is_failure(error):
                raise
        else:
            return _PASSED_AS.get(name, name)
    return ""


def _without(name: str, options: Options) -> dict[str, Any]:
    return {other: value for other, value in options.items() if other != name}

"""Checks of single values of options and of the environment.

Strategy: what the client library would panic about is refused before it sees it. Values may be credentials:
errors name the option or the variable, never the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tarlight.errors import ArgumentError, ArgumentTypeError

ENDPOINTS = {"endpoint", "base_url", "metadata_endpoint", "msi_endpoint", "endpoint_url_sts"}
"""Options of obstore whose values are URLs of services."""

_MANY_LINES = {"service_account_key", "proxy_ca_certificate", "root_certificate"}
"""Options whose values are whole documents."""

_IN_URLS = {"region", "default_region", "account_name"}
_BOOLS = {"true": True, "requester": True, "1": True, "false": False, "0": False}


def text_of(where: str, known: str, value: Any) -> str:
    """Return a text that obstore takes for its option `known`; `where` names its origin in errors.

    Raises:
        ArgumentTypeError: no text.
        ArgumentError: empty, with a control character, or with whitespace where none belongs.
    """
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{where} must be a str, got {type(value).__name__}")
    if not value or "\0" in value:
        raise ArgumentError(f"{where} must not be empty")
    if known in _MANY_LINES:
        return value
    if any(ord(char) < ord(" ") or char == "\x7f" for char in value):
        raise ArgumentError(f"{where} has a line break or another control character in it; take it out")
    if value != value.strip() or (known in _IN_URLS and len(value.split()) > 1):
        raise ArgumentError(f"{where} has whitespace in it; take it out")
    return value


def check_endpoint(where: str, value: str) -> None:
    """Check the URL of a service.

    Raises:
        ArgumentError: no http:// or https:// URL, or its port is none.
    """
    if not value.lower().startswith(("http://", "https://")):
        raise ArgumentError(f"{where} must begin with http:// or https://")
    if len(value.split()) != 1:
        raise ArgumentError(f"{where} has whitespace in it; take it out")
    try:
        parts = urlsplit(value)
        is_url = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url:
        raise ArgumentError(f"{where} needs a host, and a port from 1 to 65535 or none")


def flag_of(name: str, value: Any) -> bool:
    """Return an option that is True or False; raises ArgumentTypeError."""
    flag = _BOOLS.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(flag, bool):
        raise ArgumentTypeError(f"storage_options: {name} must be True or False, got {type(value).__name__}")
    return flag


def mapping_of(name: str, value: Any) -> Mapping[str, Any]:
    """Return an option that is a mapping with texts as keys; raises ArgumentTypeError."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ArgumentTypeError(
            f"storage_options: {name} must be a mapping with texts as keys, got {type(value).__name__}"
        )
    return value

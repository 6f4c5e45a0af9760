"""Static keys and regions out of the AWS files `~/.aws/credentials` and `~/.aws/config`.

The client library reads credentials from the environment, from a web identity and from the services of a
machine or container, but not from these files. Format: the AWS SDKs and Tools Reference Guide, "Shared config
and credentials files". Keys that have to be fetched (SSO, roles, processes) are left to boto3.
"""

from __future__ import annotations

import configparser
import os
from pathlib import Path

from tarlight.errors import ArgumentError, InputDeniedError

_FETCHED = (
    "sso_session",
    "sso_start_url",
    "role_arn",
    "credential_process",
    "credential_source",
    "login_session",
)
_KEYS = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
}
_PLACES = {"region": "region", "endpoint_url": "endpoint"}
_OTHER_SOURCES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


def profile_config(asked_for: str, *, needs_keys: bool) -> dict[str, str]:
    """Return what a profile says, under obstore's names: keys where they are needed, region and endpoint.

    The profile is the one asked for, else that in AWS_PROFILE, else `default`. Keys come from a profile that
    was named, or where the environment has none; as with AWS's own tools.

    Raises:
        ArgumentError: a named profile is not there, or its keys have to be fetched.
        InputDeniedError: a file is there and cannot be read.
    """
    named = asked_for or os.environ.get("AWS_PROFILE", "")
    name = named or "default"
    found = _section("AWS_CONFIG_FILE", "config", name if name == "default" else f"profile {name}")
    found |= _section("AWS_SHARED_CREDENTIALS_FILE", "credentials", name)
    if named and not found:
        raise ArgumentError(f"storage_options: there is no AWS profile {name!r} in the files in ~/.aws")
    config = {known: found[given] for given, known in _PLACES.items() if given in found}
    if needs_keys and (asked_for or not any(map(os.environ.get, _OTHER_SOURCES))):
        config |= _keys(name, found)
    return config


def _keys(name: str, found: dict[str, str]) -> dict[str, str]:
    if "aws_access_key_id" in found:
        return {known: found[given] for given, known in _KEYS.items() if given in found}
    fetched = [key for key in _FETCHED if key in found]
    if fetched:
        raise ArgumentError(
            f"storage_options: the keys of the AWS profile {name!r} have to be fetched ({fetched[0]}), which "
            "boto3 does: pass credential_provider=obstore.auth.boto3.Boto3CredentialProvider(session)"
        )
    return {}


def _section(variable: str, file: str, section: str) -> dict[str, str]:
    path = Path(os.environ.get(variable) or Path("~/.aws") / file).expanduser()
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except PermissionError:
        raise InputDeniedError(f"{path}: permission denied. Make it readable for this user") from None
    except (OSError, ValueError, configparser.Error):  # its text would show lines of the file
        raise ArgumentError(f"{path}: this file of AWS settings cannot be read. Correct it") from None
    return dict(parser[section]) if parser.has_section(section) else {}

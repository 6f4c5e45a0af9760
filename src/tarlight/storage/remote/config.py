"""Options, the environment and AWS's files together: what a client is made with.

The client library reads most variables of the environment itself. Here stands where users expect
something else: what was passed goes before the environment, and keys never go with another's token.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tarlight.storage.remote.option import setting_for
from tarlight.storage.remote.profile import profile_config
from tarlight.storage.remote.spelling import CONFIG, meaning
from tarlight.storage.remote.value import ENDPOINTS, check_endpoint, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tarlight.storage.remote.option import Setting
    from tarlight.storage.remote.url import Address

_ENDLESS = timedelta(days=365)
_VARIABLES = ("AWS_", "AZURE_", "GOOGLE_", "MSI_", "IDENTITY_")
_CLOUD = ".core.windows.net"
_FABRIC = ".fabric.microsoft.com"


def variables() -> frozenset[tuple[str, str]]:
    """Return what of the environment a client depends on."""
    return frozenset(item for item in os.environ.items() if item[0].startswith(_VARIABLES))


def client_options(address: Address, setting: Setting, config: dict[str, Any]) -> dict[str, Any]:
    """Return the options of the HTTP client: requests may take for ever, each read may not."""
    endpoints = [address.root, *map(config.get, ("endpoint", "aws_endpoint_url_s3", "base_url"))]
    plain = any(str(endpoint).startswith("http://") for endpoint in [*endpoints, *_environment(address.kind)])
    policy = setting.policy
    usual = {
        "timeout": _ENDLESS,
        "read_timeout": timedelta(seconds=policy.read_timeout_s),
        "connect_timeout": timedelta(seconds=policy.connect_timeout_s),
        "pool_max_idle_per_host": "64",
    }
    return usual | ({"allow_http": True} if plain or config.get("use_emulator") else {}) | _durations(setting)


def _durations(setting: Setting) -> dict[str, Any]:
    """Return the client options asked for, with numbers of seconds as the library takes them."""
    return {
        name: timedelta(seconds=value) if type(value) in {int, float} else value
        for name, value in setting.client.items()
        if name not in {"read_timeout", "connect_timeout"}
    }


def _environment(kind: str) -> list[str]:
    names = {
        "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
        "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
        "gs": ("GOOGLE_BASE_URL",),
    }
    return [os.environ.get(name, "") for name in names.get(kind, ())]


def store_config(address: Address, setting: Setting) -> dict[str, Any]:
    """Return the options of the store: those passed, and where those leave room, files and the environment.

    Raises:
        ArgumentError: there is no such profile, its keys have to be fetched, or a variable has a wrong value.
        InputDeniedError: a file with credentials cannot be read.
    """
    config = dict(setting.config)
    _check_variables(address.kind, config)
    if address.kind == "s3":
        return _s3_config(config, setting)
    return _azure_config(config, address) if address.kind == "az" else config


def _check_variables(kind: str, config: dict[str, Any]) -> None:
    """Refuse variables that the client library would panic about, unless an option goes before them."""
    for name, value in sorted(variables()):
        known = meaning(kind, name.lower())
        if value and known in CONFIG[kind] and known not in config:
            text_of(f"the environment variable {name}", known, value)
            if known in ENDPOINTS:
                check_endpoint(f"the environment variable {name}", value)


def _s3_config(config: dict[str, Any], setting: Setting) -> dict[str, Any]:
    """Return what the environment does not undo: keys that were passed are used, and used alone."""
    given = "access_key_id" in config or setting.credential_provider is not None
    anonymous = config.get("skip_signature") or os.environ.get("AWS_SKIP_SIGNATURE", "").lower() == "true"
    found = profile_config(setting.profile, needs_keys=not given and not anonymous)
    taken = {
        "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
        "endpoint": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    }
    for name, variables in taken.items():
        if any(map(os.environ.get, variables)) and not setting.profile:
            found.pop(name, None)
    if "endpoint" in found and "endpoint" not in config:
        check_endpoint("endpoint_url of the AWS profile", found["endpoint"])
    config = found | config
    if "access_key_id" in config:
        config.setdefault("skip_signature", False)
    if "endpoint" in config:  # under the name that no variable of the environment goes before
        config["aws_endpoint_url_s3"] = config.pop("endpoint")
    return config


def provider_of(address: Address, config: dict[str, Any]) -> Callable[[], dict[str, Any]] | None:
    """Take keys out of a configuration that the environment would add a session token of other keys to."""
    alien = any(map(os.environ.get, ("AWS_SESSION_TOKEN", "AWS_TOKEN")))
    if address.kind != "s3" or not alien or "session_token" in config or "secret_access_key" not in config:
        return None
    keys = {name: config.pop(name, "") for name in ("access_key_id", "secret_access_key")}
    return lambda: {**keys, "token": None, "expires_at": None}


def _azure_config(config: dict[str, Any], address: Address) -> dict[str, Any]:
    host = address.root.partition("@")[2]
    if not host:
        return config or _connection()
    usual: dict[str, Any] = {"account_name": host.partition(".")[0]}
    if host.endswith(_FABRIC):
        usual["use_fabric_endpoint"] = True
    elif not host.endswith(_CLOUD):
        usual["endpoint"] = f"https://{host.replace('.dfs.', '.blob.', 1)}"
    return usual | config


def _connection() -> dict[str, Any]:
    """Return what AZURE_STORAGE_CONNECTION_STRING says, which the client library does not read."""
    text = os.environ.get("AZURE_STORAGE_CONNECTION_STRING")
    return setting_for("az", {"connection_string": text}).config if text else {}

"""`storage_options` become what one kind of store needs.

Strategy: one mapping may serve paths in several stores, so each kind takes the options it knows, and only
what none of the stores knows is refused. Values may be credentials: errors name options, never values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tarlight.argument import did_you_mean
from tarlight.errors import ArgumentError, ArgumentTypeError
from tarlight.storage.remote.duration import retry_policy, seconds
from tarlight.storage.remote.policy import RetryPolicy
from tarlight.storage.remote.spelling import (
    CLIENT,
    CLIENT_FLAGS,
    CLIENT_KWARGS,
    CONFIG,
    FLAGS,
    inner_names,
    meaning,
    unknown_names,
)
from tarlight.storage.remote.value import ENDPOINTS, check_endpoint, flag_of, mapping_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_DURATIONS = {
    "connect_timeout", "read_timeout", "timeout", "http2_keep_alive_interval", "http2_keep_alive_timeout",
    "http2_keep_alive_while_idle", "pool_idle_timeout",
}  # fmt: skip
_GOOGLE_WORDS = {"google_default", "cloud"}
_CONNECTION = {
    "AccountName": "account_name",
    "AccountKey": "account_key",
    "BlobEndpoint": "endpoint",
    "SharedAccessSignature": "sas_key",
}


@dataclass(frozen=True, slots=True, repr=False)
class Setting:
    """What one kind of store was asked to do. Its values may be credentials, so it has no repr."""

    config: dict[str, Any] = field(default_factory=dict)
    """obstore's options of the store, each under one name."""
    client: dict[str, Any] = field(default_factory=dict)
    """obstore's options of the HTTP client."""
    credential_provider: Callable[[], Any] | None = None
    """Gives fresh credentials; obstore's protocol."""
    profile: str = ""
    """Name of an AWS profile that was asked for."""
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    """How patient to be."""


def check_options(kinds: Collection[str], storage_options: object) -> None:
    """Check options for paths of these kinds of stores (`local` among them); does no I/O.

    Raises:
        ArgumentTypeError: no mapping, or a value of the wrong type.
        ArgumentError: a name that none of the stores knows, or a value that is not allowed.
    """
    options = as_mapping(storage_options)
    remote = sorted(set(kinds) - {"local"})
    unknown = sorted(name for name in options if not any(meaning(kind, name) for kind in remote))
    if unknown and not remote:
        raise ArgumentError(
            f"storage_options: local paths take none, and these were given: {', '.join(unknown)}. "
            "Leave them out"
        )
    if unknown:
        raise ArgumentError(f"storage_options: unknown: {unknown_names(unknown, remote)}")
    for kind in remote:
        setting_for(kind, options)
    _check_inner(options.get("client_kwargs"), inner_names(remote))


def _check_inner(given: Mapping[str, Any] | None, known: list[str]) -> None:
    for inner in given or ():
        if inner not in known:
            raise ArgumentError(
                f"storage_options: client_kwargs: unknown: {inner}{did_you_mean(inner, known)}. "
                f"Known: {', '.join(known)}"
            )


def as_mapping(storage_options: object) -> dict[str, Any]:
    """Return options as a dict with texts as names; None is none."""
    if storage_options is None:
        return {}
    if not isinstance(storage_options, Mapping):
        raise ArgumentTypeError(
            f"storage_options must be a mapping or None, got {type(storage_options).__name__}"
        )
    if not all(isinstance(name, str) for name in storage_options):
        raise ArgumentTypeError("storage_options: every name must be a str")
    return dict(storage_options)


def setting_for(kind: str, options: Mapping[str, Any]) -> Setting:
    """Return what `options` mean for one kind of store; options of other kinds are left out.

    Raises as `check_options`.
    """
    gathered = _Gathered(kind)
    for name, value in options.items():
        known = meaning(kind, name)
        if known:
            gathered.add(name, known, value)
    return gathered.setting()


def frozen(value: object) -> object:
    """Return a value that is equal and hashes alike for equal options."""
    if isinstance(value, Mapping):
        return frozenset((name, frozen(item)) for name, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value


class _Gathered:
    """Options on their way to a `Setting`."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._config: dict[str, Any] = {}
        self._client: dict[str, Any] = {}
        self._headers: dict[str, Any] = {}
        self._setting = Setting()
        self._use_ssl = True
        self._came_as: dict[str, str] = {}
        self._ways: dict[str, Callable[[str, Any], object]] = {
            "client_options": self._add_client_options,
            "client_kwargs": self._add_client_kwargs,
            "headers": self._add_headers,
            "default_headers": self._add_headers,
            "retry_config": self._add_retries,
            "credential_provider": self._add_provider,
            "profile": self._add_profile,
            "use_ssl": self._add_use_ssl,
            "project": _text,
            "connection_string": self._add_connection_string,
            "account_host": self._add_account_host,
        }

    def add(self, name: str, known: str, value: Any) -> None:
        """Take one option, given as `name`; None is an option that is not set."""
        if value is None:
            return
        if known == "token" and self._kind == "gs":
            self._add_google_token(name, value)
        elif known in self._ways:
            self._ways[known](name, value)
        elif known in CLIENT or known in CLIENT_FLAGS:
            self._add_client(name, known, value)
        else:
            self._set(name, known, value)

    def setting(self) -> Setting:
        """Return the whole."""
        if self._headers:
            self._client["default_headers"] = self._headers
        if self._use_ssl is False:
            self._without_tls()
        for known in ENDPOINTS & self._config.keys():
            check_endpoint(f"storage_options: {self._came_as[known]}", self._config[known])
        policy = self._setting.policy
        connect, read = (
            seconds(f"storage_options: {name}", self._client.get(name, usual))
            for name, usual in (
                ("connect_timeout", policy.connect_timeout_s),
                ("read_timeout", policy.read_timeout_s),
            )
        )
        policy = replace(policy, connect_timeout_s=connect, read_timeout_s=read)
        return replace(self._setting, config=self._config, client=self._client, policy=policy)

    def _set(self, name: str, known: str, value: Any) -> None:
        before = self._came_as.setdefault(known, name)
        if known in self._config:
            raise ArgumentError(f"storage_options: {before} and {name} mean the same; pass one of them")
        if known in FLAGS[self._kind]:
            self._config[known] = flag_of(name, value)
        elif known in CONFIG[self._kind]:
            self._config[known] = _text(name, value, known)

    def _add_client(self, name: str, known: str, value: Any) -> None:
        if known in CLIENT_FLAGS:
            self._client[known] = flag_of(name, value)
        elif known in _DURATIONS:
            seconds(f"storage_options: {name}", value)
            self._client[known] = value
        elif known == "root_certificate" and isinstance(value, bytes):
            self._client[known] = value
        else:
            self._client[known] = str(value) if type(value) is int else _text(name, value, known)

    def _add_client_options(self, name: str, value: Any) -> None:
        for inner, item in mapping_of(name, value).items():
            if inner == "default_headers":
                self._add_headers(inner, item)
            elif inner in CLIENT or inner in CLIENT_FLAGS:
                self._add_client(f"{name}.{inner}", inner, item)
            else:
                known = sorted([*CLIENT, *CLIENT_FLAGS, "default_headers"])
                hint = did_you_mean(inner, known) or f". Known: {', '.join(known)}"
                raise ArgumentError(f"storage_options: {name}: unknown: {inner}{hint}")

    def _add_client_kwargs(self, name: str, value: Any) -> None:
        names = CLIENT_KWARGS[self._kind]
        own = inner_names([self._kind])
        _check_inner(mapping_of(name, value), inner_names(CLIENT_KWARGS))
        for inner, item in value.items():
            if inner in names:
                self._set(f"{name}.{inner}", names[inner], item)
            elif inner not in own:
                continue  # another kind of store takes it
            elif inner == "verify":
                self._client["allow_invalid_certificates"] = not flag_of(f"{name}.{inner}", item)
            else:
                self._ways[inner](f"{name}.{inner}", item)

    def _add_headers(self, name: str, value: Any) -> None:
        for header, text in mapping_of(name, value).items():
            if not isinstance(text, str | bytes):
                raise ArgumentTypeError(f"storage_options: {name}: {header} must be a str")
            if isinstance(text, str) and set(text) & set("\r\n\0"):
                raise ArgumentError(f"storage_options: {name}: {header} has a line break in it")
            self._headers[header] = text.decode("latin-1") if isinstance(text, bytes) else text

    def _add_retries(self, name: str, value: Any) -> None:
        policy = value if isinstance(value, RetryPolicy) else retry_policy(mapping_of(name, value))
        self._setting = replace(self._setting, policy=policy)

    def _add_provider(self, name: str, value: Any) -> None:
        if not callable(value):
            raise ArgumentTypeError(
                f"storage_options: {name} must be callable, such as "
                "obstore.auth.boto3.Boto3CredentialProvider()"
            )
        self._setting = replace(self._setting, credential_provider=value)

    def _add_profile(self, name: str, value: Any) -> None:
        self._setting = replace(self._setting, profile=_text(name, value))

    def _add_use_ssl(self, name: str, value: Any) -> None:
        self._use_ssl = flag_of(name, value)

    def _without_tls(self) -> None:
        endpoint = self._config.get("endpoint", "")
        if not endpoint:
            raise ArgumentError("storage_options: use_ssl=False needs an endpoint_url; pass that as well")
        self._config["endpoint"] = "http://" + endpoint.rpartition("://")[2]

    def _add_google_token(self, name: str, value: Any) -> None:
        if isinstance(value, Mapping):
            if value.get("type") != "service_account":
                raise ArgumentError(
                    f"storage_options: {name}: a dict must be the key of a service account. For others pass "
                    "credential_provider=obstore.auth.google.GoogleCredentialProvider()"
                )
            self._set(name, "service_account_key", json.dumps(dict(value)))
        elif value == "anon":
            self._set(name, "skip_signature", value=True)
        elif _text(name, value) not in _GOOGLE_WORDS:
            self._set(name, "application_credentials", value)

    def _add_connection_string(self, name: str, value: Any) -> None:
        parts = dict(part.partition("=")[::2] for part in _text(name, value).split(";") if part)
        if parts.get("UseDevelopmentStorage") == "true":
            self._set(name, "use_emulator", value=True)
        elif not parts.keys() & _CONNECTION:
            raise ArgumentError(
                f"storage_options: {name} has none of {', '.join(_CONNECTION)} in it; copy it whole"
            )
        for given, known in _CONNECTION.items():
            if given in parts:
                self._set(name, known, parts[given])
        if "BlobEndpoint" not in parts and "EndpointSuffix" in parts and "AccountName" in parts:
            scheme = parts.get("DefaultEndpointsProtocol", "https")
            self._set(name, "endpoint", f"{scheme}://{parts['AccountName']}.blob.{parts['EndpointSuffix']}")

    def _add_account_host(self, name: str, value: Any) -> None:
        self._set(name, "endpoint", f"https://{_text(name, value)}")


def _text(name: str, value: Any, known: str = "") -> str:
    return text_of(f"storage_options: {name}", known, value)

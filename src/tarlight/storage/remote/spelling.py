"""The names of storage options: obstore's own, and fsspec's for the same things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.argument import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

_S3 = """
access_key_id secret_access_key session_token region default_region endpoint metadata_endpoint
container_credentials_relative_uri container_credentials_full_uri container_authorization_token_file
web_identity_token_file role_arn role_session_name endpoint_url_sts checksum_algorithm conditional_put
copy_if_not_exists server_side_encryption sse_kms_key_id sse_customer_key_base64
"""
_S3_FLAGS = """
skip_signature virtual_hosted_style_request unsigned_payload imdsv1_fallback request_payer s3_express
disable_tagging disable_bulk_delete sse_bucket_key_enabled
"""
_GS = "service_account service_account_key application_credentials base_url bearer_token"
_AZ = """
account_name account_key client_id client_secret credential_type tenant_id authority_host sas_key token
endpoint encryption_key msi_endpoint object_id msi_resource_id federated_token_file fabric_token_service_url
fabric_workload_host fabric_session_token fabric_cluster_identifier
"""
_AZ_FLAGS = "use_emulator use_fabric_endpoint use_azure_cli skip_signature disable_tagging"

CONFIG = {"s3": _S3.split(), "gs": _GS.split(), "az": _AZ.split(), "http": []}
"""Kind of store -> obstore's options whose values are texts."""
FLAGS = {"s3": _S3_FLAGS.split(), "gs": ["skip_signature"], "az": _AZ_FLAGS.split(), "http": []}
"""Kind of store -> obstore's options that are True or False."""

_CLIENT = """
connect_timeout read_timeout default_content_type http2_keep_alive_interval http2_keep_alive_timeout
http2_keep_alive_while_idle pool_idle_timeout pool_max_idle_per_host proxy_url proxy_ca_certificate
proxy_excludes root_certificate user_agent timeout
"""
_CLIENT_FLAGS = "allow_http allow_invalid_certificates http1_only http2_only randomize_addresses"
CLIENT = _CLIENT.split()
"""obstore's client options, for every kind of store."""
CLIENT_FLAGS = _CLIENT_FLAGS.split()

ALIASES: dict[str, dict[str, str]] = {
    "s3": {
        "key": "access_key_id",
        "secret": "secret_access_key",
        "token": "session_token",
        "anon": "skip_signature",
        "endpoint_url": "endpoint",
        "endpoint_url_s3": "endpoint",
        "sts_endpoint": "endpoint_url_sts",
        "region_name": "region",
        "requester_pays": "request_payer",
        "sse_customer_key": "sse_customer_key_base64",
    },
    "gs": {
        "endpoint_url": "base_url",
        "anon": "skip_signature",
        "service_account_path": "service_account",
    },
    "az": {
        "access_key": "account_key",
        "master_key": "account_key",
        "sas_token": "sas_key",
        "bearer_token": "token",
        "anon": "skip_signature",
        "endpoint_url": "endpoint",
        "authority_id": "tenant_id",
        "identity_endpoint": "msi_endpoint",
    },
    "http": {},
}
"""Kind of store -> another spelling -> obstore's."""
_BOTO = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
    "endpoint_url": "endpoint",
    "region_name": "region",
}
CLIENT_KWARGS = {"s3": _BOTO, "gs": {}, "az": {}, "http": {}}
"""Kind of store -> keys of fsspec's `client_kwargs` -> obstore's."""
_CLIENT_EXTRA = {"s3": ("use_ssl", "verify"), "http": ("headers",)}

_PREFIXES = {
    "s3": ("aws_",), "gs": ("google_",), "az": ("azure_storage_", "azure_"), "http": ()
}  # fmt: skip
SPECIAL = {
    "s3": ("profile", "use_ssl", "client_kwargs"),
    "gs": ("token", "project"),
    "az": ("connection_string", "account_host"),
    "http": ("client_kwargs",),
}
"""Kind of store -> options that stand for several others, or for something not sent."""
SHARED = ("client_options", "retry_config", "headers", "default_headers")
"""Options of every kind of store that are mappings."""


USUAL = {
    "s3": ("key", "secret", "token", "profile", "anon", "region", "endpoint_url"),
    "gs": ("token", "service_account", "anon", "endpoint_url"),
    "az": ("account_name", "account_key", "sas_token", "connection_string", "anon", "endpoint_url"),
    "http": ("headers", "read_timeout"),
}
"""Kind of store -> the names that most people need, for errors."""


def meaning(kind: str, name: str) -> str:
    """Return obstore's name for an option of a kind of store, or an empty text where it has none."""
    own = {*CONFIG[kind], *FLAGS[kind], *ALIASES[kind]}
    for prefix in _PREFIXES[kind]:
        if name.startswith(prefix) and name.removeprefix(prefix) in own:
            name = name.removeprefix(prefix)
            break
    if name in SPECIAL[kind] or name in SHARED or name in CLIENT or name in CLIENT_FLAGS:
        return name
    if name == "credential_provider" and kind != "http":
        return name
    name = ALIASES[kind].get(name, name)
    return name if name in own else ""


def inner_names(kinds: Iterable[str]) -> list[str]:
    """Return the keys of fsspec's `client_kwargs` that any of these kinds of stores knows."""
    return [name for kind in kinds for name in (*CLIENT_KWARGS[kind], *_CLIENT_EXTRA.get(kind, ()))]


def known_names(kind: str) -> list[str]:
    """Return every name that `meaning` knows for a kind of store, without prefixes, for an error."""
    names = {*CONFIG[kind], *FLAGS[kind], *ALIASES[kind], *SPECIAL[kind], *SHARED, *CLIENT, *CLIENT_FLAGS}
    return sorted(names if kind == "http" else {*names, "credential_provider"})


def unknown_names(names: list[str], kinds: list[str]) -> str:
    """Return names that none of these kinds of stores knows, each with the one that was meant, for an error.

    Where none is near, the names that most people need follow.
    """
    known = {name for kind in kinds for name in known_names(kind)}
    hints = [f"{name}{did_you_mean(name, known)}" for name in names]
    if hints != names:
        return ", ".join(hints)
    usual = "; ".join(f"{kind} knows {_usual_names(kind)}" for kind in kinds)
    return f"{', '.join(names)}. {usual}, as obstore and fsspec spell them"


def _usual_names(kind: str) -> str:
    return f"{', '.join(USUAL[kind])} and {len(known_names(kind)) - len(USUAL[kind])} more"

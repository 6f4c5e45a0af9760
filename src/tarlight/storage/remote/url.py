"""How buckets, containers and web servers are named.

Strategy: text in, text out. What is shown of a URL never holds a user, a password or a query: a presigned
URL's query is a credential. `SignedUrl` is a text without its query, which travels beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from tarlight.errors import ArgumentError

_KINDS = {
    "s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az",
    "http": "http", "https": "http",
}  # fmt: skip
"""Scheme -> kind of store."""
SCHEMES = tuple(_KINDS)

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_BUCKET = {"s3": re.compile(r"[A-Za-z0-9._-]+"), "gs": re.compile(r"[A-Za-z0-9._-]+")}
_CONTAINER = re.compile(r"(\$?[A-Za-z0-9-]+)(?:@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+))?")
_QUERY_OF_BUCKET = re.compile(r"\?[\w.-]+=")
"""In the name of a bucket's object `?` is a wildcard, unless what follows looks like a query."""
_VERBATIM = re.compile(r"[A-Za-z0-9._~/+=&'()-]*")
"""Paths that the client library sends as they stand; it would quote other characters anew."""


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Where an object lies: what a client is made for, and the object's key there."""

    kind: str
    """`s3`, `gs`, `az` or `http`."""
    root: str
    """The bucket, container or host as a URL without a path; with a query, the whole URL."""
    key: str
    """Name within the root; empty for the root itself and for a URL that is a root of its own."""

    @property
    def is_shared(self) -> bool:
        """Whether other objects may have the same root."""
        return self.kind != "http" or bool(self.key)

    def __repr__(self) -> str:
        return f"Address({without_secrets(self.root)!r}, {self.key!r})"


class SignedUrl(str):
    """A URL with a query: as text it is the URL without it, so that showing it shows no credential.

    It pickles with its query, as whoever reads the shard elsewhere needs it.
    """

    __slots__ = ("full",)
    full: str
    """The whole URL, as it is to be requested."""

    def __new__(cls, full: str) -> Self:
        """Make one of a whole URL, or of another one."""
        full = full_url(full)
        url = super().__new__(cls, without_secrets(full))
        url.full = full
        return url

    def __getnewargs__(self) -> tuple[str]:
        return (self.full,)


def kind_of_url(path: str) -> str:
    """Return `s3`, `gs`, `az` or `http`, or an empty text for anything that is not such a URL."""
    scheme = _SCHEME.match(path)
    return _KINDS.get(scheme[1].lower(), "") if scheme else ""


def without_secrets(url: str) -> str:
    """Return a URL without user, password, query and fragment."""
    if kind_of_url(url) in {"s3", "gs", "az"}:
        bare = _QUERY_OF_BUCKET.split(url, maxsplit=1)[0]
        return re.sub(r"://[^/@]*:.*@", "://", bare)
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    return re.sub(r"://[^/]*@", "://", bare)


def canonical(url: str) -> str:
    """Return the one spelling of a URL: `s3a` as `s3`, hosts in lower case, no slash at the end of a folder.

    A URL with a query comes back as a `SignedUrl`.

    Raises:
        ArgumentError: it names no bucket or host, holds a user or password, or cannot be read; without
            what may be secret.
    """
    address = parse(url)
    if address.kind == "http":
        full = f"{address.root}/{address.key}" if address.key else address.root
        return SignedUrl(full) if "?" in full else full
    return f"{address.root}/{address.key}" if address.key else address.root


def full_url(path: str) -> str:
    """Return a path or URL with its query, where it has one."""
    return path.full if isinstance(path, SignedUrl) else path


def parse(url: str) -> Address:
    """Return where `url` points to; a `SignedUrl` with its query. Raises as `canonical`."""
    url = full_url(url)
    scheme, _, rest = url.partition("://")
    kind = _KINDS[scheme.lower()]
    if "\0" in url:
        raise ArgumentError(f"file_paths: {without_secrets(url)!r} has a NUL character in it")
    return _parse_http(url) if kind == "http" else _parse_bucket(kind, scheme.lower(), rest, url)


def _parse_bucket(kind: str, scheme: str, rest: str, url: str) -> Address:
    bucket, _, key = rest.partition("/")
    shown = without_secrets(url)
    if ":" in bucket:
        raise ArgumentError(
            f"file_paths: a {scheme}:// URL with a port, user or password in it. Name the bucket alone; "
            "credentials and endpoint_url go into storage_options"
        )
    if _QUERY_OF_BUCKET.search(key):
        raise ArgumentError(
            f"file_paths: {shown}: a query belongs to an http(s):// URL only. Pass credentials, such as "
            "sas_token, in storage_options"
        )
    root = _container(bucket) if kind == "az" else _plain_bucket(kind, bucket)
    if not root:
        raise ArgumentError(
            f"file_paths: {shown}: {bucket!r} is not the name of a bucket or container. "
            "Write for example s3://bucket/folder or az://container/folder"
        )
    return Address(kind, root, _key(key, shown))


def _plain_bucket(kind: str, bucket: str) -> str:
    return f"{kind}://{bucket}" if _BUCKET[kind].fullmatch(bucket) else ""


def _container(name: str) -> str:
    found = _CONTAINER.fullmatch(name)
    if found is None:
        return ""
    return f"abfss://{found[1]}@{found[2].lower()}" if found[2] else f"az://{found[1]}"


def _key(key: str, shown: str) -> str:
    key = key.removesuffix("/")
    if key and set(key.split("/")) & {"", ".", ".."}:
        raise ArgumentError(
            f"file_paths: {shown}: an object's key with an empty part, '.' or '..' in it cannot be read. "
            "Rename the object, or correct the slashes"
        )
    return key


def _parse_http(url: str) -> Address:
    scheme, shown = url.partition("://")[0].lower(), without_secrets(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ArgumentError(f"file_paths: a {scheme}:// URL whose host or port cannot be read") from None
    if "@" in parts.netloc:
        raise ArgumentError(
            f"file_paths: {shown}: a user or password in the URL. Leave it out, and pass "
            'storage_options={"headers": {"Authorization": ...}}'
        )
    if not host:
        raise ArgumentError(f"file_paths: {shown}: no host. Write for example https://host/folder/00000.tar")
    _check_http_path(parts.path, shown)
    host = f"[{host}]" if ":" in host else host
    root = f"{scheme}://{host}" + (f":{port}" if port else "")
    return _http_address(root, parts.path, parts.query)


def _http_address(root: str, path: str, query: str) -> Address:
    key = path.removeprefix("/")
    odd = not _VERBATIM.fullmatch(key) or set(key.split("/")) & {"", ".", ".."}
    if query:
        return Address("http", f"{root}{path}?{query}", "")
    return Address("http", f"{root}{path}", "") if odd else Address("http", root, key)


def _check_http_path(path: str, shown: str) -> None:
    advice = "web servers cannot list. Name each shard, or a range such as https://host/{00000..00099}.tar"
    if not path.strip("/") or path.endswith("/"):
        raise ArgumentError(f"file_paths: {shown}: a folder over HTTP: {advice}")
    if "*" in path or "[" in path:
        raise ArgumentError(
            f"file_paths: {shown}: a pattern over HTTP: {advice}; write a literal '*' as %2A and '[' as %5B"
        )


_queries: dict[str, str] = {}


def remember(path: str) -> None:
    """Keep the query of a URL for this process, so that an image's source, which has none, can be read."""
    if isinstance(path, SignedUrl):
        _queries[str(path)] = path.full


def recall(path: str) -> str:
    """Return a URL with the query that this process last read it with, or as it is."""
    if isinstance(path, SignedUrl) or path not in _queries:
        return path
    return SignedUrl(_queries[path])

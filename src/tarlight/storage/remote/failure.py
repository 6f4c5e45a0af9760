"""The one place where errors of the client library become faults, and faults errors of ours.

Strategy: the library's texts hold URLs with their queries, headers and whole answers of servers. Only what is
looked for by name is taken out of them: a status, a server's error code, a region, the kind of a network
error. Nothing else passes, and our errors are raised `from None`. The texts are those of obstore 0.12; a text
that is not recognised is `REFUSED` and never shown.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from tarlight.errors import (
    CredentialsError,
    InputDeniedError,
    InputMissingError,
    InputUnreachableError,
    ShardChangedError,
    ShardReadError,
)
from tarlight.storage.remote.url import kind_of_url, without_secrets
from tarlight.storage.remote.wire import Fault, FaultKind

if TYPE_CHECKING:
    from tarlight.errors import TarlightError

_STATUS = re.compile(r"\bstatus: (\d{3})\b")
_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")
_REGION = re.compile(r"expecting '([a-z0-9-]{1,32})'")
_EMPTY_PART = re.compile(r'EmptySegment \{\s*path: ("(?:[^"\\]|\\.)*")')

_NO_CREDENTIALS = re.compile(
    r"/latest/(?:api/token|meta-data)|computeMetadata/|metadata/identity|TokenRequest|source: PyErr"
    r"|credential provider|169\.254\.170\.2|OpenCredentials|AssumeRoleWithWebIdentity|AzureCli|TokenResponse"
)
"""What is named when credentials could not be fetched: services of machines, token requests."""

_KIND_OF_CODE = {
    "NoSuchBucket": FaultKind.NO_BUCKET,
    "ContainerNotFound": FaultKind.NO_BUCKET,
    "AccountNotFound": FaultKind.NO_BUCKET,
    "InvalidBucketName": FaultKind.NO_BUCKET,
    "NoSuchKey": FaultKind.MISSING,
    "BlobNotFound": FaultKind.MISSING,
    "BlobAlreadyExists": FaultKind.CHANGED,
    "ConditionalRequestConflict": FaultKind.CHANGED,
    "AuthorizationHeaderMalformed": FaultKind.WRONG_REGION,
    "PermanentRedirect": FaultKind.WRONG_REGION,
    "IllegalLocationConstraintException": FaultKind.WRONG_REGION,
    "AuthenticationFailed": FaultKind.UNAUTHENTICATED,
    "AuthFailure": FaultKind.UNAUTHENTICATED,
    "ExpiredToken": FaultKind.UNAUTHENTICATED,
    "InvalidAccessKeyId": FaultKind.UNAUTHENTICATED,
    "InvalidAuthenticationInfo": FaultKind.UNAUTHENTICATED,
    "InvalidToken": FaultKind.UNAUTHENTICATED,
    "NoAuthenticationInformation": FaultKind.UNAUTHENTICATED,
    "RequestTimeTooSkewed": FaultKind.UNAUTHENTICATED,
    "SignatureDoesNotMatch": FaultKind.UNAUTHENTICATED,
    "TokenRefreshRequired": FaultKind.UNAUTHENTICATED,
    "SlowDown": FaultKind.BUSY,
    "ServerBusy": FaultKind.BUSY,
    "TooManyRequests": FaultKind.BUSY,
    "RequestTimeout": FaultKind.BROKEN,
    "InternalError": FaultKind.SERVER,
    "OperationTimedOut": FaultKind.SERVER,
}
"""Error codes of S3, GCS (XML) and Azure Blob Storage."""

_KIND_OF_STATUS = {
    401: FaultKind.UNAUTHENTICATED,
    403: FaultKind.DENIED,
    404: FaultKind.MISSING,
    408: FaultKind.BROKEN,
    410: FaultKind.MISSING,
    412: FaultKind.CHANGED,
    416: FaultKind.NO_SUCH_RANGE,
    425: FaultKind.BUSY,
    429: FaultKind.BUSY,
    503: FaultKind.BUSY,
}
_SERVER_ERRORS = 500

_NETWORK = (
    ("dns error", FaultKind.UNREACHABLE, "its name is not known"),
    ("ConnectionRefused", FaultKind.UNREACHABLE, "the connection was refused"),
    ("NetworkUnreachable", FaultKind.UNREACHABLE, "there is no route to it"),
    ("HostUnreachable", FaultKind.UNREACHABLE, "there is no route to it"),
    ("InvalidCertificate", FaultKind.UNREACHABLE, "its TLS certificate is not trusted"),
    ("InvalidContentType", FaultKind.UNREACHABLE, "it does not speak TLS (is it http://, not https://?)"),
    ("ConnectError", FaultKind.UNREACHABLE, "no connection could be made"),
    ("kind: Connect", FaultKind.UNREACHABLE, "no connection could be made"),
    ("BadScheme", FaultKind.REFUSED, "http:// needs allow_http=True, and no other scheme is known"),
    ("BareRedirect", FaultKind.WRONG_REGION, "the server redirects to another region without naming it"),
    ("TooManyRedirects", FaultKind.REFUSED, "the server redirects in a circle"),
    ("MissingContentLength", FaultKind.REFUSED, "the server does not tell how long its answer is"),
    ("InvalidListResponse", FaultKind.BROKEN, "the list is cut off, or is none"),
    ("ContentLength", FaultKind.BROKEN, "the length of the answer is not what was announced"),
    ("ContentRange", FaultKind.BROKEN, "the range of the answer is not what was asked for"),
    ("kind: Timeout", FaultKind.BROKEN, "nothing came for too long"),
    ("TimedOut", FaultKind.BROKEN, "nothing came for too long"),
    ("ConnectionReset", FaultKind.BROKEN, "the connection was reset"),
    ("IncompleteMessage", FaultKind.BROKEN, "the connection was closed before the answer"),
    ("IncompleteBody", FaultKind.BROKEN, "the connection was closed in the middle of the answer"),
    ("UnexpectedEof", FaultKind.BROKEN, "the connection was closed in the middle of the answer"),
    ("HttpError", FaultKind.BROKEN, "the connection broke"),
    ("reqwest::Error", FaultKind.BROKEN, "the connection broke"),
    ("hyper", FaultKind.BROKEN, "the connection broke"),
)
"""What is looked for in a text, in this order -> what it comes down to."""


def fault_of(error: BaseException) -> Fault:
    """Return what an error of the client library comes down to; never raises, and keeps none of its text."""
    if isinstance(error, Fault):
        return error
    text, name = str(error), type(error).__name__
    if name == "PanicException":
        return Fault(FaultKind.REFUSED, "the client library cannot work with the options or the URL")
    if _NO_CREDENTIALS.search(text):
        return Fault(FaultKind.UNAUTHENTICATED, "no credentials were found")
    if name == "NotSupportedError" or "NotPartial" in text:
        return Fault(FaultKind.NO_RANGES, "the server ignores ranges")
    if name == "InvalidPathError" or (isinstance(error, ValueError) and "parse path" in text):
        return Fault(FaultKind.REFUSED, _bad_key(text))
    answered = _answered(text)
    return answered or _not_answered(error, text)


def _answered(text: str) -> Fault | None:
    found, code = _STATUS.search(text), _CODE.search(text)
    if found is None and code is None:
        return None
    status = int(found[1]) if found else None
    kind = _KIND_OF_CODE.get(code[1]) if code else None
    kind = kind or _KIND_OF_STATUS.get(status or 0)
    if kind is None:
        kind = FaultKind.SERVER if (status or 0) >= _SERVER_ERRORS else FaultKind.REFUSED
    region = _REGION.search(text)
    said = [_phrase(status)] if status else []
    said += [code[1]] if code else []
    said += [f"the bucket is in {region[1]}"] if region and kind is FaultKind.WRONG_REGION else []
    return Fault(kind, ", ".join(said), status=status)


def _phrase(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _not_answered(error: BaseException, text: str) -> Fault:
    if isinstance(error, FileNotFoundError):
        return Fault(FaultKind.MISSING, "not found")
    for sign, kind, detail in _NETWORK:
        if sign in text:
            return Fault(kind, detail)
    return Fault(FaultKind.REFUSED, f"the request could not be made ({type(error).__name__})")


def _bad_key(text: str) -> str:
    found = _EMPTY_PART.search(text)
    key = f"the key {found[1]} has" if found else "a key has"
    return (
        f"{key} an empty part, '.', '..' or a control character in it, which cannot be read. Rename the "
        "object, or name the shards themselves instead of listing the folder above it"
    )


_ERRORS: dict[FaultKind, tuple[type[TarlightError], str]] = {
    FaultKind.MISSING: (
        InputMissingError,
        "there is no such object ({said}). Check the spelling{signed}",
    ),
    FaultKind.NO_BUCKET: (
        InputMissingError,
        (
            "there is no bucket or container {bucket} ({said}). Check its name, and endpoint_url in "
            "storage_options where the store is not the provider's own"
        ),
    ),
    FaultKind.WRONG_REGION: (
        InputDeniedError,
        (
            "the bucket is in another region than the one asked ({said}). Pass "
            'storage_options={{"region": ...}} or set AWS_REGION'
        ),
    ),
    FaultKind.UNREACHABLE: (
        InputUnreachableError,
        "the server cannot be reached: {said}. Check host, port and endpoint_url, the network and the proxy",
    ),
    FaultKind.CHANGED: (
        ShardChangedError,
        "the object was changed while it was read ({said}). Load it again when nobody writes to it",
    ),
    FaultKind.BUSY: (
        ShardReadError,
        (
            "the server is too busy ({said}). Try later, with fewer readers, or with more patience: "
            'storage_options={{"retry_config": {{"max_retries": ...}}}}'
        ),
    ),
    FaultKind.SERVER: (ShardReadError, "the server failed ({said}). Try again later"),
    FaultKind.BROKEN: (
        ShardReadError,
        "the answer broke off: {said}. Check the network, and read_timeout in storage_options",
    ),
    FaultKind.NO_RANGES: (
        ShardReadError,
        "{said}, so this part of it cannot be read. Copy the shard to a disk",
    ),
    FaultKind.NO_SUCH_RANGE: (
        ShardReadError,
        "the object ends before the bytes asked for ({said}). Was it written anew? Load it again",
    ),
    FaultKind.REFUSED: (ShardReadError, "{said}. Check the URL and the names in storage_options"),
}


def error_for(fault: Fault, url: str) -> TarlightError:
    """Return our error for what happened to `url`: what, where, and what to do. Raise it `from None`."""
    where = without_secrets(url)
    if fault.kind is FaultKind.DENIED:
        return InputDeniedError(f"{where}: {_denied(fault.detail, kind_of_url(url))}")
    if fault.kind is FaultKind.UNAUTHENTICATED:
        return CredentialsError(f"{where}: {_unauthenticated(fault, kind_of_url(url))}")
    error, template = _ERRORS[fault.kind]
    bucket = "/".join(where.split("/")[:3])
    signed = _SIGNED if kind_of_url(url) == "http" else ""
    return error(f"{where}: {template.format(said=fault.detail, bucket=bucket, signed=signed)}")


_SIGNED = "; a presigned URL has to be passed whole, with its query, and may have expired"


def _denied(said: str, kind: str) -> str:
    if kind == "http":
        return (
            f"access denied ({said}). Pass what the server wants in "
            f'storage_options={{"headers": ...}}{_SIGNED}'
        )
    also = "; S3 says so of missing keys as well when the bucket may not be listed" * (kind == "s3")
    return (
        f"access denied ({said}{also}). Who asks may not read or list this: pass other credentials in "
        "storage_options or the environment; to a public bucket, anon=True sends none"
    )


def _unauthenticated(fault: Fault, kind: str) -> str:
    if kind == "http":
        return (
            f"the server wants to know who asks ({fault.detail}). Pass "
            'storage_options={"headers": {"Authorization": ...}}'
        )
    if fault.status is None:
        return (
            f"{fault.detail}. Pass anon=True in storage_options for a public bucket, or credentials there or "
            "in the environment"
        )
    return (
        f"the credentials are not valid ({fault.detail}). Check those in storage_options, in the "
        "environment and in the profile, and the clock; or pass anon=True for a public bucket"
    )

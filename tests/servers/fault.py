"""The faults that the proxy can play. Each answers one request in its own way, see `tests.servers.proxy`."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from tests.servers.proxy import passed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.proxy import Exchange, Fault

_ERROR = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>planned</Message></Error>'


async def reset_at_once(exchange: Exchange) -> bool:
    """Break the connection without an answer."""
    exchange.reset()
    return False


async def lose_answer(exchange: Exchange) -> bool:
    """Have the server do what was asked for, and break the connection instead of saying so."""
    await exchange.answer()
    exchange.reset()
    return False


async def reset_in_body(exchange: Exchange) -> bool:
    """Break the connection after half of the body."""
    answer = await exchange.answer()
    await exchange.send(answer.head, answer.body[: len(answer.body) // 2])
    await asyncio.sleep(0.02)  # let the half arrive
    exchange.reset()
    return False


async def cut_body(exchange: Exchange) -> bool:
    """End the connection politely after half of the body: fewer bytes than the header says."""
    answer = await exchange.answer()
    await exchange.send(answer.head, answer.body[: len(answer.body) // 2])
    return False


async def short_with_lie(exchange: Exchange) -> bool:
    """Send half of the body, and a length that fits the half."""
    answer = await exchange.answer()
    half = answer.body[: len(answer.body) // 2]
    await exchange.send(_with_length(answer.head, len(half)), half)
    return True


async def long_with_lie(exchange: Exchange) -> bool:
    """Send a thousand bytes more than were asked for, and a length that fits them."""
    answer = await exchange.answer()
    await exchange.send(_with_length(answer.head, len(answer.body) + 1000), answer.body, bytes(1000))
    return True


def flip_bit(at: int) -> Fault:
    """Turn one bit of the object's byte at offset `at`."""

    async def fault(exchange: Exchange) -> bool:
        answer = await exchange.answer()
        body = bytearray(answer.body)
        body[at - (exchange.request.start or 0)] ^= 0x10
        await exchange.send(answer.head, bytes(body))
        return True

    return fault


async def error_page(exchange: Exchange) -> bool:
    """Answer with an error in XML and the status 200."""
    return await _answer(exchange, b"200 OK", _ERROR % b"InternalError")


def status(code: int, reason: str, error: str = "InternalError", *headers: str) -> Fault:
    """Answer with a status and an error in XML."""

    async def fault(exchange: Exchange) -> bool:
        return await _answer(exchange, f"{code} {reason}".encode(), _ERROR % error.encode(), *headers)

    return fault


async def stall(exchange: Exchange) -> bool:
    """Take the request and say nothing."""
    await asyncio.sleep(60)
    return False


async def stall_in_body(exchange: Exchange) -> bool:
    """Fall silent after half of the body."""
    answer = await exchange.answer()
    await exchange.send(answer.head, answer.body[: len(answer.body) // 2])
    await asyncio.sleep(60)
    return False


async def slow(exchange: Exchange) -> bool:
    """Send the body in 20 pieces with pauses: no fault, only slow."""
    answer = await exchange.answer()
    await exchange.send(answer.head)
    step = max(1, len(answer.body) // 20)
    for start in range(0, len(answer.body), step):
        await asyncio.sleep(0.01)
        await exchange.send(answer.body[start : start + step])
    return True


def replaced(put: Callable[[], None]) -> Fault:
    """Replace the object before this request is answered."""

    async def fault(exchange: Exchange) -> bool:
        await asyncio.get_running_loop().run_in_executor(None, put)
        return await passed(exchange)

    return fault


async def _answer(exchange: Exchange, status_line: bytes, body: bytes, *headers: str) -> bool:
    lines = [b"HTTP/1.1 " + status_line, b"Content-Type: application/xml", b"Content-Length: %d" % len(body)]
    lines += [header.encode() for header in headers]
    head = b"\r\n".join(lines) + b"\r\n\r\n"
    await exchange.send(head, b"" if exchange.request.method == "HEAD" else body)
    return True


def _with_length(head: bytes, length: int) -> bytes:
    return re.sub(rb"(?im)^content-length:.*$", b"Content-Length: %d\r" % length, head)


async def echo(exchange: Exchange) -> bool:
    """Refuse, and repeat all that the client sent: URL, query and headers, as careless servers do."""
    told = exchange.request.head.decode("latin-1").replace("&", "&amp;").replace("<", "&lt;")
    body = (_ERROR % b"SignatureDoesNotMatch").replace(b"planned", told.encode())
    return await _answer(exchange, b"403 Forbidden", body)

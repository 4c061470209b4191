"""Connections that are bounded before a request is whole: their number, the bytes of its head, and its seconds.

uvicorn's own protocol reads a head of any length, for as long as it takes, and its own errors are no problem details.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, ClassVar, Final, cast, override

from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.problems import Problem, answer, retry_after

HEAD_BYTES: Final = 64 << 10
CONNECTIONS: Final = 1000
"""The most connections at once."""


class BoundedConnection(HttpToolsProtocol):
    """A connection of HTTP/1.1 whose heads are small and come soon."""

    head_s: ClassVar[float] = 10.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes, self._in_head = 0, True
        self._patience: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._patience = self.loop.call_later(self.head_s, self._take_too_long)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._be_patient()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            if self._patience is None:
                self._patience = self.loop.call_later(self.head_s, self._take_too_long)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES:
            detail = f"the head is {self._head_bytes} bytes long already, the limit is {HEAD_BYTES}"
            self._refuse(Problem("head_too_large", detail))

    @override
    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        self._be_patient()
        if len(self.connections) > CONNECTIONS:
            self.app = cast(Any, _too_many)
        super().on_headers_complete()

    @override
    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True

    @override
    def send_400_response(self, msg: str) -> None:
        self._refuse(Problem("bad_request", msg))

    def _take_too_long(self) -> None:
        self._patience = None
        self._refuse(Problem("slow_head", f"the head was not here after {self.head_s:g} s"))

    def _refuse(self, problem: Problem) -> None:
        """Answer what is no whole request yet, and hear no more."""
        if self.transport.is_closing():
            return
        response, status = answer(problem), HTTPStatus(problem.kind.status)
        headers = [*response.raw_headers, (b"connection", b"close")]
        head = b"".join(b"%b: %b\r\n" % header for header in headers)
        line = f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
        self.transport.write(line + head + b"\r\n" + response.body)
        self.transport.close()

    def _be_patient(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


async def _too_many(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Answer on a connection that is one too many."""
    problem = retry_after("too_many_connections", f"{CONNECTIONS} connections are open already", 1, close=True)
    await answer(problem)(cast(Any, scope), cast(Any, receive), cast(Any, send))


def bounded(head_s: float) -> type[BoundedConnection]:
    """Return the class of connections whose heads must be there after so many seconds."""
    return type("Connection", (BoundedConnection,), {"head_s": head_s})

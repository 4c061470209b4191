"""Connections that are bounded before a request is whole: the bytes of its head, and the seconds until it is there.

uvicorn's own protocol reads a head of any length, for as long as it takes.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Final, override

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES: Final = 64 << 10
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


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
        self._patience = self.loop.call_later(self.head_s, self._give_up, _TOO_SLOW)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._be_patient()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            if self._patience is None:
                self._patience = self.loop.call_later(self.head_s, self._give_up, _TOO_SLOW)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self._give_up(_TOO_LARGE)

    @override
    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        self._be_patient()
        super().on_headers_complete()

    @override
    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True

    def _give_up(self, answer: bytes) -> None:
        self._patience = None
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()

    def _be_patient(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def bounded(head_s: float) -> type[BoundedConnection]:
    """Return the class of connections whose heads must be there after so many seconds."""
    return type("Connection", (BoundedConnection,), {"head_s": head_s})

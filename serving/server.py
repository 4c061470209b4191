"""The process: an HTTP server around the application, which on SIGTERM answers what it has begun, and then ends."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, override

import uvicorn

from pipelines.errors import StageError
from pipelines.telemetry import logs
from serving.app import create_app
from serving.connections import bounded
from serving.model import process as model_process
from serving.release import calm
from serving.service import Service

BACKLOG = 2048
KEEP_ALIVE_S = 30
LAST_S = 10
"""How much longer than its deadline a query may take when the process ends."""


class Server(uvicorn.Server):
    """A server that says it is not ready before it stops to listen, so that whoever balances load goes elsewhere.

    A second signal ends it at once.
    """

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    @override
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Hear SIGTERM and Ctrl-C; they are a way to end, and raise nothing afterwards."""
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {each: signal.signal(each, self.handle_exit) for each in signals}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._service.is_draining:
            self.should_exit = self.force_exit = True
            return
        self._service.is_draining = True
        drain_s = self._service.config.serving.drain_s
        logs.say(f"{signal.Signals(sig).name}: not ready any more; it answers for {drain_s:g} s and then ends")
        self._loop.call_soon_threadsafe(self._loop.call_later, drain_s, self._stop)

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        for each in sockets or ():  # said by one that hears signals already
            host, port = each.getsockname()[:2]
            logs.say(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}", port=port)

    def _stop(self) -> None:
        self.should_exit = True


def serve(service: Service, host: str, port: int) -> NoReturn:
    """Answer on an address until SIGTERM or Ctrl-C, and end the process; port 0 is any that is free.

    Raises StageError where nothing can listen there.
    """
    calm.set_up()
    listening = _listening(host, port)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    config = uvicorn.Config(
        create_app(service),
        loop="uvloop",
        http=bounded(service.config.serving.body_s),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=LAST_S + service.config.serving.deadline_ms // 1000,
    )
    code = 1
    try:
        Server(config, service).run([listening])
        code = 0
    except Exception as error:  # noqa: BLE001 - told, and the process ends
        logs.crash(error)
    finally:
        sys.stderr.flush()
        model_process.clean_up()
        os._exit(code)  # a thread that loads a release, or asks a bucket that is down, would go on for minutes


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise StageError(f"cannot listen on {host}, port {port} ({why}); choose others") from error

"""What is seen of every request: its time and its status, a line in the log, and the headers of every answer."""

from __future__ import annotations

from time import perf_counter

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.telemetry import logs
from serving.api.parts import RELEASE_HEADER
from serving.service import Service

BLIND = "/v1/judge/"
"""What names no release: raters are not to know whose results they see."""
QUIET = {"/healthz", "/readyz", "/metrics"}
"""What is asked every few seconds, and stands in no log."""


class Watch:
    """Wraps an application; measures its requests."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service, self._metrics = app, service, service.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as the application does."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(MutableHeaders(scope=message), scope["path"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._seen(scope, status, perf_counter() - started)

    def _add_headers(self, headers: MutableHeaders, path: str) -> None:
        headers.setdefault("X-Content-Type-Options", "nosniff")
        current = self._service.follower.current
        if current is not None and not path.startswith(
            BLIND
        ):  # an answer names the release that gave it; a refusal, the one that would have
            headers.setdefault(RELEASE_HEADER, current.release_id)

    def _seen(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.requests.labels(route, scope["method"], status).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        if "problem" in scope:
            self._metrics.refused.labels(scope["problem"]).inc()
        if logs.is_json() and route not in QUIET:
            fields = {"route": route, "status": status, "ms": round(1000 * seconds, 1), "key": scope.get("key", "")}
            logs.say(f"{scope['method']} {route} {status}", **fields, problem=scope.get("problem", ""))

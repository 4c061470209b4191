"""Searches by photo, answered before the framework; all else is answered by it.

What passes through FastAPI's and Starlette's layers takes a processor .4 ms, most of it for what a search does not use.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from serving import problems
from serving.api.search import search

SEARCH = Route("/v1/search", search, methods=["POST"])


class Front:
    """Wraps an application, which describes searches in its OpenAPI document."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a search; have the application answer anything else."""
        if scope["type"] != "http" or scope["path"] != SEARCH.path or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        scope.update(app=self._app, route=SEARCH)
        request = Request(scope, receive, send)
        try:
            response = await search(request)
        except Exception as error:  # noqa: BLE001 - any error is answered
            response = await problems.told(request, error)
        await response(scope, receive, send)

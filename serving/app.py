"""The application: its resources, and its life from the first look at the live log to the last answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from serving import problems
from serving.api import facets, health, items, judge, quality, release, reports, search, thumbnails
from serving.api.parts import RELEASE_HEADER
from serving.front import Front
from serving.page import routes as page
from serving.service import Service
from serving.watching import Watch

DESCRIPTION = "Visual search over a shop's catalogue: what looks like a photo, or like an item."


def create_app(service: Service) -> ASGIApp:
    """Return the application of a service, which it starts and ends."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    app = FastAPI(
        title="visual-search",
        version="1",
        description=DESCRIPTION,
        lifespan=life,
        docs_url=None,  # its page takes scripts from elsewhere
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.state.service = service
    problems.install(app)
    for resource in (search, items, facets, release, reports, thumbnails, quality, judge, health, page):
        app.include_router(resource.router)
    front: ASGIApp = Front(app)
    if origins := service.config.serving.cors_origins:
        front = CORSMiddleware(front, allow_origins=origins, allow_headers=["*"], expose_headers=[RELEASE_HEADER])
    return Watch(front, service)

"""`/`, `/quality`, `/judge` and `/page/…`: the pages, under a policy that lets nothing in from elsewhere."""

from __future__ import annotations

from pathlib import Path as File
from typing import Annotated

from fastapi import APIRouter, Path, Response

from serving.problems import Problem

router = APIRouter(include_in_schema=False)
STATIC = File(__file__).parent / "static"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
}


@router.get("/")
async def index() -> Response:
    """Return the page."""
    return _file("index.html")


@router.get("/quality")
async def quality() -> Response:
    """Return the page of the weakest matches."""
    return _file("quality.html")


@router.get("/judge")
async def judge() -> Response:
    """Return the page of raters."""
    return _file("judge.html")


@router.get("/page/{name}")
async def file(name: Annotated[str, Path(pattern=r"^[a-z]+\.(css|js|svg)$")]) -> Response:
    """Return a file of the page."""
    return _file(name)


def _file(name: str) -> Response:
    path = STATIC / name
    if not path.is_file():
        raise Problem("not_found", f"the page has no file {name}")
    return Response(path.read_bytes(), headers=HEADERS, media_type=TYPES[path.suffix])

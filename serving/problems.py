"""Errors as problem details (RFC 9457): one table of what can go wrong, and the answers that tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from pipelines.telemetry import logs
from transforms.photo import CODES

MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its HTTP status, and what it means."""

    status: int
    title: str


_OF_PHOTOS = {"too_large_bytes": 413, "not_an_image": 415, "unsupported_format": 415}
KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        **{code: Kind(_OF_PHOTOS.get(code, 422), title) for code, title in CODES.items()},
        "bad_parameter": Kind(422, "a parameter is not one that the request takes, or its value is none"),
        "bad_multipart": Kind(400, "the body is not the multipart/form-data that its header says"),
        "bad_body": Kind(400, "the body ended before it was whole"),
        "bad_request": Kind(400, "the request cannot be read"),
        "head_too_large": Kind(431, "the head of the request is longer than 64 KiB"),
        "slow_head": Kind(408, "the head of the request took longer than it may"),
        "too_many_connections": Kind(503, "more connections are open than the service takes"),
        "no_photo": Kind(422, "the request holds no photo"),
        "too_many_photos": Kind(413, "the request holds more photos than one may"),
        "body_too_large": Kind(413, "the body is larger than that of such a request may be"),
        "not_json": Kind(400, "the body is not JSON, or its Content-Type does not say so"),
        "encoded_body": Kind(415, "the body is compressed; send photos as they are"),
        "slow_body": Kind(408, "the body took longer than it may"),
        "no_key": Kind(401, "the request names no key"),
        "wrong_key": Kind(401, "the key is none of this service's"),
        "too_fast": Kind(429, "the key asks more often than it may"),
        "not_a_curator": Kind(403, "the key is none of a curator's, or the service takes no decisions"),
        "other_site": Kind(403, "the request is none of this service's own page"),
        "bad_decision": Kind(422, "the decision is about what the store does not have"),
        "queue_full": Kind(429, "more queries are waiting than the service takes"),
        "busy_uploads": Kind(503, "the bodies that are being read fill the memory that is there for them"),
        "deadline": Kind(504, "the query was not answered in time"),
        "model_failed": Kind(500, "the model cannot embed this photo"),
        "model_ended": Kind(503, "the process that computes the model has no memory, or ends again and again"),
        "not_ready": Kind(503, "no release is loaded yet"),
        "release_loading": Kind(503, "the release is being loaded to be compared"),
        "release_busy": Kind(429, "another release is being compared"),
        "release_refused": Kind(503, "the release cannot be loaded beside the one that answers"),
        "unknown_filter": Kind(422, "a filter asks for what the release does not know"),
        "unknown_item": Kind(404, "the release that answers has no such item"),
        "unknown_release": Kind(404, "there is no such release"),
        "no_report": Kind(404, "the store keeps no report of that release"),
        "no_thumbnail": Kind(404, "the release that answers has no such photo"),
        "unknown_task": Kind(404, "there is no such task of judging"),
        "unknown_question": Kind(404, "the task asks no such question"),
        "unknown_photo": Kind(404, "the task shows no such photo, or it is nowhere any more"),
        "bad_rater": Kind(422, "the rater's name is none, or not that of the key"),
        "no_answers": Kind(503, "the answers of raters cannot be read or kept"),
        "not_found": Kind(404, "there is nothing at this address"),
        "wrong_method": Kind(405, "what is at this address is not asked by this method"),
        "store": Kind(503, "the store does not answer"),
        "internal": Kind(500, "the service failed; its log says how"),
    }
)
"""By code, which is the last part of the problem's type."""


class Problem(Exception):  # noqa: N818 - it is an answer
    """An answer that says what is wrong: `code` is a key of KINDS, `detail` names the value and the fix."""

    def __init__(
        self, code: str, detail: str, *, headers: Mapping[str, str] | None = None, close: bool = False, **more: Any
    ) -> None:
        """`close` ends the connection too: what follows on it is the rest of a body that nobody reads."""
        super().__init__(code, detail)
        self.code, self.kind, self.detail, self.more = code, KINDS[code], detail, more
        self.headers = dict(headers or {}) | ({"Connection": "close"} if close else {})

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as published."""
        return {
            "type": f"urn:visual-search:problem:{self.code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "code": self.code,
            "detail": self.detail,
            **self.more,
        }


def retry_after(code: str, detail: str, seconds: float, *, close: bool = False, **more: Any) -> Problem:
    """Return a problem that passes, with the time after which to ask again."""
    return Problem(code, detail, headers={"Retry-After": str(max(1, round(seconds)))}, close=close, **more)


def install(app: FastAPI) -> None:
    """Have an application answer every error as a problem."""
    for kind in (Problem, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, told)


async def told(request: Request, error: Exception) -> JSONResponse:
    """Return the answer of any error."""
    match error:
        case Problem():
            return answer(error, request)
        case RequestValidationError():
            return answer(bad_parameters(error.errors()), request)
        case HTTPException():
            return answer(_of_framework(request, error), request)
    logs.crash(error)
    return answer(Problem("internal", "nothing that the request can mend; ask again later"), request)


def answer(problem: Problem, request: Request | None = None) -> JSONResponse:
    """Return the HTTP answer of a problem; there is no request yet where it cannot be read."""
    if request is not None:
        request.scope["problem"] = problem.code
    return JSONResponse(problem.as_dict(), problem.kind.status, problem.headers, MEDIA_TYPE)


_UNKNOWN = "nothing that this resource takes; /v1/openapi.json tells what it does"


def bad_parameters(errors: Any) -> Problem:
    """Return the problem of parameters that pydantic refuses; the first one is the detail, all are listed."""
    found = [
        {
            "name": ".".join(str(part)[:80] for part in each["loc"] if part not in {"query", "path"}),
            "message": _UNKNOWN if each["type"] == "extra_forbidden" else each["msg"],
        }
        for each in errors
    ]
    return Problem("bad_parameter", f"{found[0]['name']}: {found[0]['message']}", errors=found)


def _of_framework(request: Request, error: HTTPException) -> Problem:
    code = {404: "not_found", 405: "wrong_method"}.get(error.status_code, "bad_request")
    method, path = request.method, request.url.path[:200]
    detail = f"{method} {path}" if code != "bad_request" else str(error.detail)
    return Problem(code, detail, headers=error.headers)

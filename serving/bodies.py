"""The body of a request that is small and JSON, read within bounds of bytes and time."""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from serving.problems import Problem, bad_parameters

MOST_BYTES: Final = 16 << 10


async def read_json[Model: BaseModel](
    request: Request, model: type[Model], seconds: float, most_bytes: int = MOST_BYTES
) -> Model:
    """Return what a request says in JSON, by a model. Raises Problem for a body that is too large, too slow or none.

    The header must say that it is JSON: no form of another site's page can.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem("not_json", "send the header 'Content-Type: application/json'", close=True)
    try:
        async with asyncio.timeout(seconds):
            body = await _read(request, most_bytes)
    except TimeoutError:
        raise Problem("slow_body", f"the body was not here after {seconds:g} s", close=True) from None
    except ClientDisconnect:
        raise Problem("bad_body", "the connection was closed before the body was whole", close=True) from None
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            raise Problem("not_json", f"the body is not JSON: {first['ctx']['error']}") from error
        raise bad_parameters(error.errors(include_url=False, include_context=False)) from error


async def _read(request: Request, most_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise Problem("body_too_large", f"{len(body)} bytes and more, the limit is {most_bytes}", close=True)
    return bytes(body)

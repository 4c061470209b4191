"""The body of a search, read within bounds: bytes of a photo and of all, parts, time, and memory for all bodies.

A body is multipart/form-data, with photos in `image` and parameters in other fields; any other type is taken to be the
photo itself, since tools send what they like (curl --data-binary says that a photo is a form).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message

from serving.problems import Problem, retry_after

PHOTOS = "image"
"""The name of the multipart field that photos are in."""
FIELDS = 64
"""The most parameters of one body."""
FIELD_BYTES = 4096
TAIL_BYTES = 1024
"""In the last so many bytes of a form its boundary ends it."""
PART_BYTES = 16 << 10
"""What headers and boundary of one part, and a field, may take beside the photos."""


@dataclass(frozen=True)
class Photo:
    """A photo as it came: its file's name, "" where there is none, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Upload:
    """The photos of one request, and the parameters that stand in its body, in order."""

    photos: list[Photo]
    fields: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Bounds:
    """What one body may be: bytes of a photo, photos, and seconds until all of it is here."""

    photo_bytes: int
    photos: int
    seconds: float

    @property
    def multipart_bytes(self) -> int:
        """The most bytes of a body in parts."""
        return self.photos * (self.photo_bytes + PART_BYTES) + FIELDS * PART_BYTES


class UploadMemory:
    """Bytes of all bodies that are in memory, never more than a limit."""

    def __init__(self, limit: int) -> None:
        self._limit, self._held = limit, 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """Give one request its share, which is given back in the end."""
        share = Share(self)
        try:
            yield share
        finally:
            self._held -= share.held

    def take(self, count: int) -> None:
        """Count bytes that came. Raises Problem where they would be too many."""
        if self._held + count > self._limit:
            detail = f"{self._held} bytes of bodies are in memory, of {self._limit} at most"
            raise retry_after("busy_uploads", detail, 1, close=True)
        self._held += count


class Share:
    """What one request holds of the memory for bodies."""

    def __init__(self, memory: UploadMemory) -> None:
        self._memory, self.held = memory, 0

    def take(self, count: int) -> None:
        """Count bytes that came. Raises Problem where there is no memory for them."""
        self._memory.take(count)
        self.held += count


async def read_upload(request: Request, bounds: Bounds, share: Share) -> Upload:
    """Return what a request's body holds. Raises Problem for one that is too large, too slow or none."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise Problem("encoded_body", f"Content-Encoding is {encoding[:40]!r}; send the photo as it is", close=True)
    in_parts = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "multipart/form-data"
    body = _Body(request, bounds, share, in_parts=in_parts)
    body.check_announced()
    try:
        async with asyncio.timeout(bounds.seconds):
            return await (_read_parts(body) if in_parts else _read_photo(body))
    except TimeoutError:
        detail = f"the body was not here after {bounds.seconds:g} s; send smaller photos"
        raise Problem("slow_body", detail, close=True) from None
    except ClientDisconnect:
        raise Problem("bad_body", "the connection was closed before the body was whole", close=True) from None


class _Body:
    """A request's body that is counted as it comes."""

    def __init__(self, request: Request, bounds: Bounds, share: Share, *, in_parts: bool) -> None:
        self.bounds, self._share = bounds, share
        self._limit = bounds.multipart_bytes if in_parts else bounds.photo_bytes
        self._code = "body_too_large" if in_parts else "too_large_bytes"
        self._receive, self._headers = request.receive, request.headers
        self._count = 0
        self.tail = b""
        self.request = Request(request.scope, self._counted)

    def check_announced(self) -> None:
        """Raise Problem where the header says already that there is too much."""
        announced = self._headers.get("content-length", "")
        if announced.isdigit() and int(announced) > self._limit:
            self._refuse(int(announced))

    async def _counted(self) -> Message:
        message = await self._receive()
        count = len(message.get("body", b""))
        self._count += count
        if self._count > self._limit:
            self._refuse(self._count)
        self._share.take(count)
        self.tail = (self.tail + message.get("body", b"")[-TAIL_BYTES:])[-TAIL_BYTES:]
        return message

    def _refuse(self, count: int) -> None:
        raise Problem(self._code, f"{count} bytes, the limit is {self._limit}", close=True)


async def _read_photo(body: _Body) -> Upload:
    data = await body.request.body()
    if not data:
        raise Problem("no_photo", "the body is empty; send a photo as the body, or as the multipart field 'image'")
    return Upload([Photo("", data)])


async def _read_parts(body: _Body) -> Upload:
    bounds = body.bounds
    try:
        form = await body.request.form(max_files=bounds.photos, max_fields=FIELDS, max_part_size=FIELD_BYTES)
    except HTTPException as error:
        raise _bad_parts(str(error.detail), bounds) from error
    try:
        _check_end(body)
        return await _of_form(form, bounds)
    finally:
        await form.close()


def _check_end(body: _Body) -> None:
    """Raise Problem for a form that was cut off: its parser leaves out the part that did not end."""
    boundary = parse_options_header(body.request.headers["content-type"])[1].get(b"boundary", b"")
    if b"--" + boundary + b"--" not in body.tail:
        raise Problem("bad_multipart", "the form does not end with its boundary and two hyphens, so it was cut off")


def _bad_parts(detail: str, bounds: Bounds) -> Problem:
    if detail.startswith("Too many files"):
        return Problem("too_many_photos", f"more than {bounds.photos} photos; ask again with the others", close=True)
    return Problem("bad_multipart", f"{detail} Photos are files in the field {PHOTOS!r}", close=True)


async def _of_form(form: FormData, bounds: Bounds) -> Upload:
    photos, fields = [], []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            photos.append(await _photo(name, value, bounds))
        elif name == PHOTOS:
            raise Problem("bad_multipart", f"the part {PHOTOS!r} has no filename, so it is no file; give it one")
        else:
            fields.append((name, value))
    if not photos:
        raise Problem("no_photo", f"no part is a file; send photos as files in the field {PHOTOS!r}")
    return Upload(photos, fields)


async def _photo(name: str, file: UploadFile, bounds: Bounds) -> Photo:
    if name != PHOTOS:
        raise Problem("bad_parameter", f"the field {name[:80]!r} is a file; photos are in the field {PHOTOS!r}")
    if (file.size or 0) > bounds.photo_bytes:
        raise Problem("too_large_bytes", f"{file.filename!r} has {file.size} bytes, the limit is {bounds.photo_bytes}")
    return Photo((file.filename or "")[:255], await file.read())


def merged(query: Mapping[str, object], fields: list[tuple[str, str]], lists: frozenset[str]) -> dict[str, object]:
    """Return parameters of the address with those of the body. Raises Problem for one that stands in both, or twice."""
    values = dict(query)
    for name, value in fields:
        if name in lists:
            there = values.setdefault(name, [])
            assert isinstance(there, list)
            values[name] = [*there, value]
        elif name in values:
            raise Problem("bad_parameter", f"{name[:80]} is given twice; give it once")
        else:
            values[name] = value
    return values

"""Requests that mean harm, or are merely broken: each is refused with its code, memory stays, others are answered."""

from __future__ import annotations

import io
import json
import socket
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import numpy as np
import pytest
from PIL import Image

from serving.connections import CONNECTIONS
from tests.serving.client import ids
from tests.serving.process import ServeProcess, process
from tests.serving.shop import ServedShop

MAX_BYTES, MAX_PIXELS = 200_000, 1_000_000
SETTINGS = f"""
max_bytes = {MAX_BYTES}
max_pixels = {MAX_PIXELS}
[serving]
body_s = 1.5
max_photos = 3
upload_bytes = 2_000_000
"""
FORM = "multipart/form-data; boundary=xyz"


@pytest.fixture(scope="module")
def serve(shop: ServedShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    own = shop.copy(tmp_path_factory.mktemp("hostile") / "shop")
    own.config_path.write_text(own.config_path.read_text().replace("[serving]", SETTINGS))
    with process(own) as running:
        running.ready("first")
        yield running


def request(
    body: bytes = b"", *, path: str = "/v1/search?k=1", length: int | str | None = None, **headers: str
) -> bytes:
    """Return a request as it goes over the wire; `length` is what it says of its body where that is a lie."""
    said = {"Host": "x", "Content-Length": str(len(body) if length is None else length)}
    said |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items() if value)
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def form(*parts: bytes, end: bytes = b"--xyz--\r\n") -> bytes:
    return request(b"".join(b"--xyz\r\n" + part + b"\r\n" for part in parts) + end, Content_Type=FORM)


def part(data: bytes, name: str = "image", filename: str | None = "a.jpg", more: str = "") -> bytes:
    told = "" if filename is None else f'; filename="{filename}"'
    return f'Content-Disposition: form-data; name="{name}"{told}\r\n{more}\r\n'.encode() + data


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


def pixels_bomb() -> bytes:
    """A small file that says it has a billion pixels."""
    return png(32_000, 32_000, chunk(b"IDAT", zlib.compress(bytes(1_000_000))))


def text_bomb() -> bytes:
    """A picture of one pixel whose comment is a gigabyte once it is decompressed."""
    deflater = zlib.compressobj(9)
    block = b"".join(deflater.compress(bytes(1 << 20)) for _ in range(100)) + deflater.flush()
    return png(32, 32, chunk(b"zTXt", b"a\0\0" + block), chunk(b"IDAT", zlib.compress(bytes(33 * 32))))


def noise(size: int) -> bytes:
    return np.random.default_rng(0).integers(0, 256, size, np.uint8).tobytes()


GOOD = saved(Image.new("RGB", (40, 60), (9, 90, 200)), "JPEG")
WIDE = saved(Image.new("L", (2000, 600)), "PNG")

HOSTILE: dict[str, tuple[bytes, int, str]] = {
    "nothing": (request(), 422, "no_photo"),
    "html": (request(b"<html>not found</html>"), 415, "not_an_image"),
    "noise": (request(noise(5000)), 415, "not_an_image"),
    "an archive": (request(b"PK\x03\x04" + bytes(500)), 415, "not_an_image"),
    "a drawing": (
        request(b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        415,
        "unsupported_format",
    ),
    "a program": (request(b"\x7fELF" + bytes(500)), 415, "not_an_image"),
    "half a photo": (request(GOOD[: len(GOOD) // 2]), 422, "truncated"),
    "a head alone": (request(GOOD[:20]), 422, "truncated"),
    "a broken photo": (request(png(64, 64, chunk(b"IDAT", b"no zlib"))), 422, "corrupt"),
    "a tiny photo": (request(saved(Image.new("RGB", (4, 4)), "PNG")), 422, "too_small"),
    "too many pixels": (request(WIDE), 422, "too_many_pixels"),
    "a billion pixels": (request(pixels_bomb()), 422, "too_many_pixels"),
    "too many bytes": (request(GOOD + bytes(MAX_BYTES)), 413, "too_large_bytes"),
    "a length that is a lie, too long": (request(GOOD, length=10**12), 413, "too_large_bytes"),
    "a body that never ends": (request(GOOD, length=len(GOOD) + 10), 408, "slow_body"),
    "a compressed body": (request(zlib.compress(GOOD), Content_Encoding="gzip"), 415, "encoded_body"),
    "no boundary": (request(GOOD, Content_Type="multipart/form-data"), 400, "bad_multipart"),
    "no parts": (form(), 422, "no_photo"),
    "another boundary": (
        request(b"--abc\r\n" + part(GOOD), Content_Type="multipart/form-data; boundary=q"),
        400,
        "bad_multipart",
    ),
    "a part without a name": (form(b"Content-Type: image/jpeg\r\n\r\n" + GOOD), 400, "bad_multipart"),
    "a photo that is no file": (form(part(b"abc", filename=None)), 400, "bad_multipart"),
    "a photo of another field": (form(part(GOOD, name="photo")), 422, "bad_parameter"),
    "too many photos": (form(*[part(GOOD)] * 4), 413, "too_many_photos"),
    "too many fields": (
        form(part(GOOD), *[part(b"1", name=f"f{n}", filename=None) for n in range(70)]),
        400,
        "bad_multipart",
    ),
    "a field of 5 KB": (form(part(GOOD), part(b"1" * 5000, name="k", filename=None)), 400, "bad_multipart"),
    "a part's head of 20 KB": (form(part(GOOD, more=f"X-A: {'a' * 20_000}\r\n")), 400, "bad_multipart"),
    "a part that is too large": (form(part(GOOD + bytes(MAX_BYTES))), 413, "too_large_bytes"),
    "a form that is too large": (request(length=10**9, Content_Type=FORM), 413, "body_too_large"),
    "a form that does not end": (form(part(GOOD), part(GOOD), end=b""), 400, "bad_multipart"),
    "a parameter twice": (request(GOOD, path="/v1/search?k=1&k=2"), 200, ""),
    "k of a million": (request(GOOD, path="/v1/search?k=1000000"), 422, "bad_parameter"),
    "a parameter of 10 KB": (request(GOOD, path=f"/v1/search?{'a' * 10_000}=1"), 422, "bad_parameter"),
    "a box outside": (request(GOOD, path="/v1/search?box=900,900,990,990"), 422, "too_small"),
    "a number that is none": (request(GOOD, path="/v1/search?price_to=nan"), 422, "bad_parameter"),
    "a path upwards": (request(GOOD, path="/v1/thumbnails/..%2f..%2fetc%2fpasswd"), 404, "not_found"),
    "another method": (request(GOOD, path="/v1/release"), 405, "wrong_method"),
    "nothing there": (request(GOOD, path="/v2/search"), 404, "not_found"),
    "two lengths": (request(GOOD, Content_length="3"), 400, "bad_request"),
    "a line's end in a header": (
        b"POST /v1/search HTTP/1.1\r\nHost: x\r\nX: a\nContent-Length: 1\r\n\r\n",
        400,
        "bad_request",
    ),
    "a length, and chunks": (request(b"0\r\n\r\n", Transfer_Encoding="chunked"), 400, "bad_request"),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50), 400, "bad_request"),
    "a head of 100 KB": (b"POST /v1/search HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000, 431, "head_too_large"),
    "a head that never ends": (b"POST /v1/search HTTP/1.1\r\nHost: x\r\n", 408, "slow_head"),
    "a chunk that is too long": (
        b"POST /v1/search HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n61a80\r\n"
        + bytes(400_000)
        + b"\r\n0\r\n\r\n",
        413,
        "too_large_bytes",
    ),
}


def ask(serve: ServeProcess, wire: bytes) -> tuple[int, bytes]:
    """Send bytes, and return the status and the body of what comes back."""
    host, _, port = serve.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # it may be refused before all of it was sent
            connection.sendall(wire)
        try:
            answer = received(connection)
        except ConnectionResetError:
            return 0, b""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def received(connection: socket.socket) -> bytes:
    answer = b""
    while True:
        head, end, body = answer.partition(b"\r\n\r\n")
        if end:
            length = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            if len(body) >= (length or [0])[0]:
                return answer
        block = connection.recv(65536)
        if not block:
            return answer
        answer += block


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_with_its_code(serve: ServeProcess, name: str) -> None:
    wire, status, code = HOSTILE[name]
    found, body = ask(serve, wire)
    assert (found, json.loads(body).get("code", "") if body.startswith(b"{") else "") == (status, code), body


def test_memory_stays_and_others_are_answered_meanwhile(serve: ServeProcess, shop: ServedShop) -> None:
    """All of it from eight connections at once, again and again, beside queries that are meant well."""
    quick = [wire for wire, status, _ in HOSTILE.values() if status != 408]

    def round_of_attacks(_: int) -> None:
        for wire in quick:
            ask(serve, wire)

    with ThreadPoolExecutor(9) as pool:
        list(pool.map(round_of_attacks, range(8)))  # what threads and buffers take is taken now
        before = serve.memory_bytes()
        attacks = [pool.submit(round_of_attacks, number) for number in range(24)]
        while not all(attack.done() for attack in attacks):
            answer = serve.search(shop.photo(3))
            assert (answer.status_code, ids(answer.json())) == (200, ["i3"])
        for attack in attacks:
            attack.result()
    assert serve.memory_bytes() - before < 32 << 20


def test_slow_bodies_hold_up_nobody_else(serve: ServeProcess, shop: ServedShop) -> None:
    host, _, port = serve.url.removeprefix("http://").partition(":")
    with ExitStack() as stack:
        for _ in range(200):
            slow = stack.enter_context(socket.create_connection((host, int(port)), timeout=20))
            slow.sendall(request(GOOD, length=len(GOOD) + 100))
        answer = serve.search(shop.photo(3))
        assert (answer.status_code, ids(answer.json())) == (200, ["i3"])
        assert received(slow).startswith(b"HTTP/1.1 408")


def test_bodies_at_once_are_bounded_by_memory(serve: ServeProcess, shop: ServedShop) -> None:
    """Two megabytes are there for bodies: of thirty that stop at 190 KB each, ten fit."""
    host, _, port = serve.url.removeprefix("http://").partition(":")
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection((host, int(port)), timeout=20)) for _ in range(30)]
        for connection in held:
            connection.sendall(request(GOOD + bytes(190_000 - len(GOOD)), length=195_000))
        answers = [received(connection) for connection in held]
    refused = [answer for answer in answers if answer.startswith(b"HTTP/1.1 503")]
    assert len(refused) >= 20
    assert all(b'"code":"busy_uploads"' in answer and b"retry-after: 1" in answer for answer in refused)
    assert serve.search(shop.photo(3)).status_code == 200


def test_a_connection_too_many_is_told(serve: ServeProcess, shop: ServedShop) -> None:
    host, _, port = serve.url.removeprefix("http://").partition(":")
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):  # each was asked on, and is kept alive
            kept = stack.enter_context(socket.create_connection((host, int(port)), timeout=20))
            kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert received(kept).startswith(b"HTTP/1.1 200")
        refused = serve.search(shop.photo(3))
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_connections")
        assert (refused.headers["retry-after"], refused.headers["connection"]) == ("1", "close")
    assert serve.search(shop.photo(3)).status_code == 200

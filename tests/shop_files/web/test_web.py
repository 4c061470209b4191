"""Asking hosts: what is asked again, what is refused, what is sent, and what is never told."""

import asyncio
import gzip
import ssl
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientConnectorCertificateError, web
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

from pipelines.config import FetchSection
from pipelines.shop_files.web.client import Answer, user_agent
from pipelines.shop_files.web.failures import WebError, named_errors
from pipelines.shop_files.web.hosts import ALL_FAILED, Tally
from pipelines.shop_files.web.memory import Memory
from pipelines.shop_files.web.web import Web
from pipelines.store.folder import FolderStore
from tests.photo_hosts import LOCAL, answering

Handler = Callable[[web.Request], Any]


@pytest.fixture(autouse=True)
def hardly_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.shop_files.web.web.FIRST_PAUSE_S", 0.01)


class Shop:
    """A host whose answers a test says, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked, self.answers = folder, list[web.Request](), dict[str, list[Any]]()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{name:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        left = self.answers[request.path]
        answer = left.pop(0) if len(left) > 1 else left[0]
        return await answer(request)

    def fetch(self, *paths: str, max_bytes: int = 10_000, memory: Memory | None = None, **section: Any) -> list[Any]:
        """Return the answer or the error of each path."""

        async def every() -> list[Any]:
            async with Web(FetchSection(**{**LOCAL, **section}), max_bytes, FolderStore(self.folder)) as found:
                self.web = found
                asked = (found.fetch(path if "://" in path else self.address + path, memory) for path in paths)
                return await asyncio.gather(*asked, return_exceptions=True)

        return asyncio.run(every())

    def code(self, path: str, **more: Any) -> str:
        [error] = self.fetch(path, **more)
        assert isinstance(error, WebError), error
        return error.code


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    found = Shop(tmp_path)
    with answering(found.app) as address:
        found.address = address
        yield found


def certificate_error(message: str) -> ClientConnectorCertificateError:
    error = ssl.SSLCertVerificationError(1, message)
    error.verify_message = message
    return ClientConnectorCertificateError(ConnectionKey("c.example", 443, True, True, None, None, None), error)


def says(status: int = 200, body: bytes = b"photo", **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


def test_a_photo_comes_with_what_tells_whether_it_has_changed(shop: Shop) -> None:
    shop.answers["/a"] = [says(ETag='"1"', Last_Modified="Sat, 28 Nov 2026 10:00:00 GMT")]
    assert shop.fetch("/a") == [Answer(b"photo", '"1"', "Sat, 28 Nov 2026 10:00:00 GMT")]
    assert shop.asked[0].headers["User-Agent"] == user_agent(None)
    assert user_agent(None).startswith("visual-search/")
    assert user_agent("ops@shop.example").endswith(" (ops@shop.example)")


def test_what_has_not_changed_comes_without_a_body(shop: Shop) -> None:
    shop.answers["/a"] = [says(304, b"")]
    assert shop.fetch("/a", memory=Memory('"1"', "Sat")) == [Answer(None)]
    assert shop.asked[0].headers["If-None-Match"] == '"1"'
    assert "If-Modified-Since" not in shop.asked[0].headers
    shop.fetch("/a", memory=Memory(modified="Sat"))
    assert shop.asked[1].headers["If-Modified-Since"] == "Sat"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
def test_what_may_pass_is_asked_again(shop: Shop, status: int) -> None:
    shop.answers["/a"] = [says(status), says(status), says()]
    assert shop.fetch("/a") == [Answer(b"photo")]
    assert len(shop.asked) == 3


@pytest.mark.parametrize("status", [202, 423])
def test_what_its_host_is_still_making_is_asked_again_and_holds_up_nothing_else(shop: Shop, status: int) -> None:
    shop.answers = {"/a": [says(status, Retry_After="0.1"), says(status, Retry_After="1"), says()], "/b": [says()]}
    assert shop.fetch("/a", "/b") == [Answer(b"photo")] * 2
    assert len(shop.asked) == 4
    [tally] = shop.web.tallies.values()
    assert (+tally.further, tally.codes) == ({"not_ready": 2}, {})
    shop.answers["/c"] = [says(status)]
    assert shop.code("/c", attempts=2) == "not_ready"
    assert len(shop.asked) == 6


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "missing"), (410, "missing"), (403, "forbidden"), (401, "forbidden"), (400, "http_error")],
)
def test_what_stays_is_asked_once(shop: Shop, status: int, code: str) -> None:
    shop.answers["/a"] = [says(status)]
    assert shop.code("/a") == code
    assert len(shop.asked) == 1


def test_attempts_end(shop: Shop) -> None:
    shop.answers["/a"] = [says(503)]
    assert shop.code("/a", attempts=3) == "server_error"
    assert len(shop.asked) == 3


def test_a_host_that_asks_to_wait_is_waited_for_or_left_to_the_next_run(shop: Shop) -> None:
    shop.answers["/a"] = [says(429, Retry_After="1"), says()]
    began = time.monotonic()
    assert shop.fetch("/a") == [Answer(b"photo")]
    assert time.monotonic() - began >= 1
    shop.answers["/b"] = [says(429, Retry_After="3600")]
    assert shop.code("/b") == "rate_limited"
    assert len([request for request in shop.asked if request.path == "/b"]) == 1


def test_retry_after_may_be_a_date_of_the_hosts_own_clock(shop: Shop) -> None:
    date, until = "Sat, 28 Nov 2020 10:00:00 GMT", "Sat, 28 Nov 2020 11:00:00 GMT"
    shop.answers["/a"] = [says(503, Date=date, Retry_After=until)]
    [error] = shop.fetch("/a")
    assert error.wait_s == 3600


async def stalling(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"half")
    await asyncio.sleep(30)
    return response


async def cutting(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"half")
    assert request.transport
    request.transport.close()
    return response


async def resetting(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


@pytest.mark.parametrize(("broken", "code"), [(stalling, "timeout"), (cutting, "cut_off"), (resetting, "unreachable")])
def test_broken_answers_are_asked_again_and_have_a_code(shop: Shop, broken: Handler, code: str) -> None:
    shop.answers["/a"] = [broken, says()]
    assert shop.fetch("/a") == [Answer(b"photo")]
    shop.answers["/b"] = [broken]
    assert shop.code("/b", attempts=1) == code


def test_a_body_that_drips_ends_with_the_time_for_one_request(shop: Shop) -> None:
    async def dripping(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"x")
            await asyncio.sleep(0.2)
        return response

    shop.answers["/a"] = [dripping]
    assert shop.code("/a", timeout_s=1, attempts=1) == "timeout"


def test_bodies_end_at_the_limit_with_and_without_a_length_and_decompressed(shop: Shop) -> None:
    async def chunked(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for _ in range(100):
            await response.write(bytes(1000))
        return response

    shop.answers = {"/long": [says(body=bytes(10_001))], "/chunked": [chunked]}
    shop.answers["/bomb"] = [says(body=gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")]
    assert [error.code for error in shop.fetch("/long", "/chunked", "/bomb")] == ["too_large_bytes"] * 3
    shop.answers["/exact"] = [says(body=bytes(10_000))]
    [answer] = shop.fetch("/exact")
    assert answer.body == bytes(10_000)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [("gzip", gzip.compress(b"photo", mtime=0)), ("deflate", zlib.compress(b"photo")), ("identity", b"photo")],
)
def test_bodies_that_come_compressed_all_the_same_are_read(shop: Shop, coding: str, packed: bytes) -> None:
    shop.answers["/a"] = [says(body=packed, Content_Encoding=coding)]
    assert shop.fetch("/a") == [Answer(b"photo")]


def test_other_compressions_and_damaged_ones_have_their_code(shop: Shop) -> None:
    shop.answers["/br"] = [says(Content_Encoding="br")]
    shop.answers["/cut"] = [says(body=gzip.compress(bytes(5000))[:20], Content_Encoding="gzip")]
    assert [shop.code(path, attempts=1) for path in ("/br", "/cut")] == ["unsupported_encoding", "cut_off"]


def test_redirects_are_followed_so_far_and_each_is_looked_at(shop: Shop) -> None:
    shop.answers = {"/a": [says(302, Location="/b")], "/b": [says(301, Location="c")], "/c": [says()]}
    shop.answers["/circle"] = [says(302, Location="/circle")]
    shop.answers["/nowhere"] = [says(302)]
    shop.answers["/metadata"] = [says(302, Location="http://169.254.169.254/computeMetadata/v1/")]
    shop.answers["/file"] = [says(302, Location="file:///etc/passwd")]
    shop.answers["/private"] = [says(307, Location="http://10.0.0.1/a.jpg")]
    found = shop.fetch("/a", "/circle", "/nowhere", "/metadata", "/file", "/private", max_redirects=3)
    assert found[0] == Answer(b"photo", redirects=2, final=f"{shop.address}/c")
    codes = [error.code for error in found[1:]]
    assert codes == ["bad_redirect", "bad_redirect", "refused_address", "unsupported_scheme", "refused_address"]
    assert sum(request.path == "/circle" for request in shop.asked) == 4


def test_what_is_sent_is_what_browsers_send_also_after_a_redirect(shop: Shop) -> None:
    shop.answers = {"/a[1] b.jpg": [says(302, Location="c[2].jpg?t=New%20In&s=%2B+")], "/c[2].jpg": [says()]}
    shop.fetch("/a[1] b.jpg?t=New In")
    sent = [request.raw_path for request in shop.asked]
    assert sent == ["/a[1]%20b.jpg?t=New%20In", "/c[2].jpg?t=New%20In&s=%2B+"]


def test_a_secret_goes_to_its_host_alone_and_into_no_error(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    host = shop.address.removeprefix("http://")
    hosts = {host: {"headers": {"Authorization": "Bearer ${SHOP_TOKEN}"}}}
    other = shop.address.replace("127.0.0.1", "localhost")
    shop.answers = {"/a": [says(302, Location=f"{other}/b?token=s3cret")], "/b": [says(403)]}
    [error] = shop.fetch("/a", hosts=hosts, allowed_networks=["127.0.0.1", "::1"])
    assert error.code == "forbidden"
    sent = [request.headers.get("Authorization") for request in shop.asked]
    assert sent == ["Bearer s3cret", None]
    assert "s3cret" not in f"{error} {error.__cause__} {shop.web.tallies}"


def test_a_variable_that_is_not_set_is_named(shop: Shop) -> None:
    host = shop.address.removeprefix("http://")
    hosts = {host: {"headers": {"X-Key": "${NO_SUCH_VARIABLE}"}}}
    [error] = shop.fetch("/a", hosts=hosts)
    assert (error.code, "NO_SUCH_VARIABLE" in error.detail) == ("no_variable", True)
    assert not shop.asked


def test_a_host_that_fails_throughout_is_left_alone(shop: Shop) -> None:
    paths = [f"/{n}" for n in range(5 * ALL_FAILED)]
    shop.answers = {path: [says(500)] for path in paths}
    found = shop.fetch(*paths, attempts=1, connections=4)
    assert {error.code for error in found} == {"server_error", "host_left_alone"}
    assert len(shop.asked) <= ALL_FAILED + 4
    [tally] = shop.web.tallies.values()
    assert tally.left_alone
    assert tally.codes.total() == len(paths)


def test_a_host_that_says_no_to_many_photos_does_answer(shop: Shop) -> None:
    paths = [f"/{n}" for n in range(2 * ALL_FAILED)]
    shop.answers = {path: [says(404)] for path in paths}
    assert {error.code for error in shop.fetch(*paths)} == {"missing"}
    assert len(shop.asked) == len(paths)


def test_never_more_connections_than_the_ceiling(shop: Shop) -> None:
    at_once, most = 0, 0

    async def slow(_: web.Request) -> web.Response:
        nonlocal at_once, most
        at_once, most = at_once + 1, max(most, at_once + 1)
        await asyncio.sleep(0.02)
        at_once -= 1
        return web.Response(body=b"photo")

    shop.answers = {f"/{n}": [slow] for n in range(40)}
    assert shop.fetch(*shop.answers, connections=3) == [Answer(b"photo")] * 40
    assert most == 3


def test_a_host_that_limits_rates_is_heard_though_no_ceiling_is_set(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    window: list[float] = []

    async def limited(_: web.Request) -> web.Response:
        now = time.monotonic()
        window[:] = [at for at in window if at > now - 0.5]
        if len(window) >= 20:
            return web.Response(status=429, headers={"Retry-After": "0"})
        window.append(now)
        return web.Response(body=b"photo")

    monkeypatch.setattr("pipelines.shop_files.web.pace.LONGEST_STILL_S", 0.5)
    shop.answers = {f"/{n}": [limited] for n in range(150)}
    found = shop.fetch(*shop.answers, connections=50, attempts=12)
    assert sum(isinstance(one, Answer) for one in found) == 150
    assert len(shop.asked) < 4 * 150  # 40 a second are answered, and thousands could be asked


def test_names_that_nobody_knows_and_ports_that_nobody_listens_on(shop: Shop) -> None:
    found = shop.fetch("http://127.0.0.1:1/a", "http://no-such-host.invalid/a", attempts=1)
    assert [str(error) for error in found] == [
        "unreachable: 127.0.0.1: connection refused",
        "unreachable: no-such-host.invalid: no such name",
    ]


def test_a_port_that_speaks_plain_http_has_no_bad_certificate(shop: Shop) -> None:
    [error] = shop.fetch(shop.address.replace("http:", "https:") + "/a")
    port = shop.address.rpartition(":")[2]
    assert error.code == "bad_tls"
    assert error.detail == f"127.0.0.1 does not answer with TLS at port {port}: is it http:// there, or another port?"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (certificate_error("self-signed certificate"), "bad_certificate: c.example: self-signed certificate"),
        (certificate_error("certificate has expired"), "bad_certificate: c.example: certificate has expired"),
        (ssl.SSLError(1, "[SSL: X] no"), "bad_tls: c.example agrees to no secure connection ("),
        (ConnectionResetError(), "unreachable: c.example: it ended the connection without an answer"),
    ],
)
def test_causes_are_told_apart(error: Exception, told: str) -> None:
    with pytest.raises(WebError) as caught, named_errors(URL("https://c.example/a")):
        raise error
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (204, "http_error: the host answers 204 No Content"),
        (206, "http_error: the host answers 206 Partial Content"),
        (404, "missing: the host answers 404 Not Found"),
        (410, "missing: the host answers 410 Gone"),
    ],
)
def test_a_status_is_told(shop: Shop, status: int, told: str) -> None:
    shop.answers["/a"] = [says(status, b"")]
    assert [str(error) for error in shop.fetch("/a")] == [told]


def test_why_there_were_further_requests_is_counted(shop: Shop) -> None:
    shop.answers = {"/a": [says(302, Location="/b")], "/b": [says()], "/c": [says(500), says()]}
    shop.answers |= {"/d": [says(429), says()], "/e": [says(503, Retry_After="0.1"), says()]}
    shop.answers["/f"] = [says(503, Retry_After="1"), says()]
    shop.fetch("/a", "/c", "/d", "/e", "/f")
    [tally] = shop.web.tallies.values()
    assert tally.further == {"redirected": 1, "server_error": 2, "slower": 2}
    assert Tally.of_json(tally.as_json()) == tally


def test_a_name_that_leads_to_this_machine_is_refused(shop: Shop) -> None:
    port = shop.address.rpartition(":")[2]
    assert shop.code(f"http://localhost:{port}/a", allowed_networks=[]) == "refused_address"
    assert not shop.asked

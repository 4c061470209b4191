"""One request and its answer: redirects looked at one by one, and a body within its limits. Knows nothing of images."""

from __future__ import annotations

import asyncio
import os
import re
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import IO, Final, Self
from urllib.parse import urljoin
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from pipelines.config.fetching import FetchSection
from pipelines.shop_files.web.addresses import CheckedResolver, Rules, check_machine, shown
from pipelines.shop_files.web.failures import WebError, failure, named_errors

LINGER_S: Final = 4.0
"""How long a connection stays open for the next request."""
CHUNK: Final = 1 << 16
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CODINGS: Final[Mapping[str, int]] = {"gzip": 31, "x-gzip": 31, "deflate": 47}
"""The window bits of zlib; 47 tells zlib's own format from gzip's."""


Turn = Callable[[str], AbstractAsyncContextManager[None]]
"""Waits until a request to a host may be sent, which lasts as long as the block."""


@dataclass(frozen=True)
class Answer:
    """What a host answered: the body, or None where it has not changed, its validators, and what it calls a file.

    After redirects `final` is the address that answered.
    """

    body: bytes | None
    etag: str = ""
    modified: str = ""
    kind: str = ""
    file_name: str = ""
    redirects: int = 0
    final: str = ""


def user_agent(contact: str | None) -> str:
    """Return who asks, as an honest name with a version, and whom to write to."""
    try:
        number = version("visual-search")
    except PackageNotFoundError:  # run from its sources
        number = "0"
    return f"visual-search/{number}" + (f" ({contact})" if contact else "")


class Client:
    """Asks hosts, within one event loop. Use it as an asynchronous context manager."""

    def __init__(self, section: FetchSection, max_bytes: int) -> None:
        self.section, self.max_bytes, self.rules = section, max_bytes, Rules.of(section)
        self._proxies = getproxies()
        self._headers = {"User-Agent": user_agent(section.contact), "Accept": "*/*", "Accept-Encoding": "identity"}

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=0, resolver=CheckedResolver(self.rules), keepalive_timeout=LINGER_S, ttl_dns_cache=60
        )
        timeout = aiohttp.ClientTimeout(
            total=None, connect=None, sock_connect=self.section.idle_s, sock_read=self.section.idle_s
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            connector_owner=True,
            timeout=timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers=self._headers,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(
        self,
        url: URL,
        headers: Mapping[str, str],
        turn: Turn,
        sink: IO[bytes] | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """Ask once for what is behind an address, following redirects; each takes a turn at its host.

        The body is returned, or written to `sink` from its beginning. Raises WebError.
        """
        timeout_s = timeout_s or self.section.timeout_s
        for redirects in range(self.section.max_redirects + 1):
            async with turn(host_of(url)):
                with named_errors(url):
                    async with asyncio.timeout(timeout_s), self._response(url, headers) as response:
                        if response.status not in _REDIRECTS:
                            answer = await self._answer(response, sink)
                            return replace(answer, redirects=redirects, final=str(url)) if redirects else answer
                        url = self._target(url, response)
        raise WebError("bad_redirect", f"more than {self.section.max_redirects} redirects (fetch.max_redirects)")

    def _target(self, url: URL, response: aiohttp.ClientResponse) -> URL:
        target = response.headers.get("Location", "")
        if not target:
            raise WebError("bad_redirect", f"{shown(str(url))} answers {response.status} without saying where to")
        try:
            return self.rules.parse(urljoin(str(url), target))
        except ValueError as error:
            raise WebError("bad_redirect", f"{shown(str(url))} redirects to {shown(target)!r}: {error}") from error

    @asynccontextmanager
    async def _response(self, url: URL, headers: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        proxy = self._proxy(url)
        if proxy:
            await asyncio.to_thread(check_machine, url.host or "", url.port or 443, self.rules)
        every = {**self.secrets(url), **headers}
        async with self._session.get(url, headers=every, allow_redirects=False, proxy=proxy) as response:
            yield response

    def secrets(self, url: URL) -> dict[str, str]:
        """Return the headers that a host is sent, and no other one, with the values of the environment.

        Raises WebError when a variable is not set.
        """
        found = {}
        for name, value in self.section.of_host(host_of(url)).headers.items():
            lacking = [variable for variable in _VARIABLE.findall(value) if variable not in os.environ]
            if lacking:
                raise WebError("no_variable", f"fetch.hosts: the variable {lacking[0]} of headers.{name} is not set")
            found[name] = _VARIABLE.sub(lambda match: os.environ[match[1]], value)
        return found

    def _proxy(self, url: URL) -> str | None:
        proxy = self._proxies.get(url.scheme) or self._proxies.get("all")
        return None if not proxy or proxy_bypass(url.host or "") else proxy

    async def _answer(self, response: aiohttp.ClientResponse, sink: IO[bytes] | None) -> Answer:
        etag, modified = (response.headers.get(name, "")[:512] for name in ("ETag", "Last-Modified"))
        if response.status == 304:
            return Answer(None, etag, modified)
        if response.status != 200:
            raise failure(response)
        if sink is None:
            return Answer(b"".join([part async for part in self._parts(response)]), etag, modified)
        sink.seek(0)
        sink.truncate()
        async for part in self._parts(response):
            sink.write(part)
        return Answer(b"", etag, modified, response.headers.get("Content-Type", ""), _file_name(response))

    async def _parts(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        length = response.content_length or 0
        if length > self.max_bytes:
            raise WebError("too_large_bytes", f"{length} bytes, the limit is {self.max_bytes}")
        size, decoded = 0, _Decoder(response.headers.get("Content-Encoding", ""), self.max_bytes)
        async for chunk in response.content.iter_chunked(CHUNK):
            part = decoded(chunk)
            size += len(part)
            if size > self.max_bytes:
                raise WebError("too_large_bytes", f"more than {self.max_bytes} bytes")
            yield part
        decoded.end()


def host_of(url: URL) -> str:
    """Return the host of an address as ceilings and configs name it, with a port that is not the scheme's own."""
    name = (url.raw_host or "").lower().rstrip(".")
    name = f"[{name}]" if ":" in name else name
    return name if url.is_default_port() or url.port is None else f"{name}:{url.port}"


class _Decoder:
    """Takes off the compression of a body that was to come without; never makes more than `most` bytes at once."""

    def __init__(self, coding: str, most: int) -> None:
        coding = coding.strip().lower()
        if coding not in {"", "identity", *_CODINGS}:
            raise WebError("unsupported_encoding", f"the body comes as Content-Encoding: {coding[:40]}")
        self._most = most
        self._inflater = zlib.decompressobj(_CODINGS[coding]) if coding in _CODINGS else None

    def __call__(self, chunk: bytes) -> bytes:
        if self._inflater is None:
            return chunk
        try:
            part = self._inflater.decompress(chunk, self._most + 1)
        except zlib.error as error:
            raise WebError("cut_off", f"the compressed body is damaged: {error}") from error
        if self._inflater.unconsumed_tail:
            raise WebError("too_large_bytes", f"more than {self._most} bytes when it is decompressed")
        return part

    def end(self) -> None:
        if self._inflater is not None and not self._inflater.eof:
            raise WebError("cut_off", "the compressed body ends too early")


def _file_name(response: aiohttp.ClientResponse) -> str:
    said = response.content_disposition
    return (said.filename if said else None) or ""

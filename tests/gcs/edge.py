"""The wire between the client and fake-gcs-server: breaks on order, and mends what the emulator lacks.

Run as `python edge.py PORT SERVER_PORT`. Everything is passed on to the server, but for

* `POST /_faults`: `{"match": regex of "METHOD /path?query", "action": …, "times": 1, "skip": 0}`. Actions: `status`
  (the request is answered so and not passed on), `lost` (it is passed on, its answer is not), `cut` (neither),
  `delay`, `corrupt` (one bit of the body), `truncate` (half of the body, then the connection ends);
* `GET /_faults`: what was asked, and the action it met; `DELETE /_faults`: forget both;
* a chunk of a resumable upload that is sent again: fake-gcs-server appends it twice, Google's does not;
* a batch of requests in one, such as Beam renames its shards by: fake-gcs-server overlooks those that Python writes.

Writes are passed on one at a time, for the emulator looks at a precondition before it takes its lock.
"""

from __future__ import annotations

import asyncio
import email
import email.encoders
import email.policy
import re
import sys
from collections.abc import AsyncIterator, Mapping
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from typing import Any, NamedTuple

import aiohttp
import yarl
from aiohttp import web

BATCH = "/batch/storage/v1"
OF_THE_CONNECTION = {"transfer-encoding", "connection", "content-length", "keep-alive"}


class Answer(NamedTuple):
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Edge:
    """One server, the faults that wait for a request, and the log of what was asked."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.faults: list[dict[str, Any]] = []
        self.log: list[tuple[str, str | None]] = []
        self.chunks: dict[tuple[str, str], Answer] = {}
        self.writing = asyncio.Lock()

    async def session(self, app: web.Application) -> AsyncIterator[None]:
        """Hold the connections to the server while the edge runs."""
        skipped = ["Content-Type", "Accept-Encoding"]
        async with aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=skipped) as self.client:
            yield

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request: an order to the edge, or one to the server."""
        if request.path == "/_faults":
            return await self.ordered(request)
        fault = self.due(f"{request.method} {request.raw_path}")
        action = fault.get("action")
        if action == "status":
            return _refusal(fault["status"])
        if action == "cut":
            return _hang_up(request)
        if action == "delay":
            await asyncio.sleep(fault["seconds"])
        answer = await self.pass_on(request, await request.read())
        if action == "lost":
            return _hang_up(request)
        if action == "truncate":
            return await _half(request, answer)
        body = bytes([answer.body[0] ^ 1]) + answer.body[1:] if action == "corrupt" and answer.body else answer.body
        return web.Response(status=answer.status, headers=answer.headers, body=body)

    async def ordered(self, request: web.Request) -> web.Response:
        """Take, show or forget faults."""
        if request.method == "POST":
            self.faults.append(await request.json())
        if request.method == "DELETE":
            self.faults.clear()
            self.log.clear()
        return web.json_response({"faults": self.faults, "log": self.log})

    def due(self, asked: str) -> dict[str, Any]:
        """Return the first fault that this request meets, or an empty one."""
        for fault in self.faults:
            if not re.search(fault["match"], asked) or fault.get("times", 1) <= 0:
                continue
            if fault.get("skip", 0) > 0:
                fault["skip"] -= 1
                continue
            fault["times"] = fault.get("times", 1) - 1
            self.log.append((asked, fault["action"]))
            return fault
        self.log.append((asked, None))
        return {}

    async def pass_on(self, request: web.Request, body: bytes) -> Answer:
        """Ask the server; a chunk that came before is answered as it was then."""
        if request.method == "GET":
            return await self.ask(request, body)
        async with self.writing:
            if request.path == BATCH:
                return await self.each_of(request, body)
            chunk = (request.query.get("upload_id", ""), request.headers.get("Content-Range", ""))
            if chunk in self.chunks:
                return self.chunks[chunk]
            answer = await self.ask(request, body)
            if all(chunk) and not chunk[1].endswith("*/*") and answer.status in {200, 201, 308}:
                self.chunks[chunk] = answer
            return answer

    async def each_of(self, request: web.Request, body: bytes) -> Answer:
        """Ask the server for each request of a batch; the answers come in their order."""
        kind = f"Content-Type: {request.headers['Content-Type']}\n\n".encode()
        answers = MIMEMultipart("mixed")
        for part in email.message_from_bytes(kind + body).get_payload():
            head, _, data = part.get_payload(decode=True).replace(b"\r\n", b"\n").partition(b"\n\n")
            method, url, _ = head.decode().splitlines()[0].split(" ")
            headers = email.message_from_bytes(head.partition(b"\n")[2])
            sent = {key: value for key, value in headers.items() if key.lower() not in OF_THE_CONNECTION}
            address = yarl.URL(self.server + yarl.URL(url, encoded=True).raw_path_qs, encoded=True)
            async with self.client.request(method, address, headers=sent, data=data or None) as reply:
                said = (
                    f"HTTP/1.1 {reply.status} {reply.reason}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n"
                )
                answers.attach(
                    MIMEApplication(said.encode() + await reply.read(), "http", email.encoders.encode_7or8bit)
                )
        head, _, data = answers.as_bytes(policy=email.policy.HTTP).partition(b"\r\n\r\n")
        return Answer(200, {"Content-Type": str(email.message_from_bytes(head)["Content-Type"])}, data)

    async def ask(self, request: web.Request, body: bytes) -> Answer:
        """Send the request as it came; the Host header too, for the server writes it into its links."""
        headers = {key: value for key, value in request.headers.items() if key.lower() not in OF_THE_CONNECTION}
        url = yarl.URL(self.server + request.raw_path, encoded=True)
        async with self.client.request(
            request.method, url, headers=headers, data=body or None, allow_redirects=False
        ) as reply:
            kept = {key: value for key, value in reply.headers.items() if key.lower() not in OF_THE_CONNECTION}
            return Answer(reply.status, kept, await reply.read())


def _refusal(status: int) -> web.Response:
    error = {"code": status, "message": "injected", "errors": [{"reason": "injected"}]}
    return web.json_response({"error": error}, status=status)


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _half(request: web.Request, answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(answer.body)
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    await asyncio.sleep(0.05)
    _hang_up(request)
    return response


def main() -> None:
    """Serve until killed."""
    port, server_port = sys.argv[1:]
    edge = Edge(f"http://127.0.0.1:{server_port}")
    app = web.Application(client_max_size=1 << 30)
    app.cleanup_ctx.append(edge.session)
    app.router.add_route("*", "/{path:.*}", edge.answer)
    web.run_app(app, host="127.0.0.1", port=int(port), print=None)


if __name__ == "__main__":
    main()

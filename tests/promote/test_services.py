"""Promote and rollback wait for those who serve: each answers with what is live, or is named."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.config import ConfigError, load_config
from pipelines.errors import StageError
from pipelines.promote import services
from pipelines.promote.services import wait
from pipelines.promote.stage import run
from pipelines.releases.live import live_release_id
from pipelines.runs.context import RunContext
from pipelines.store import Store, open_store
from tests.promote.test_stage import add_release

READY = {"status": "ready", "release_id": "a", "number": 1}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


@contextmanager
def answering(*said: Any, status: int = 200, at: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator[str]:
    """A service that says these one after the other, and the last for ever."""
    left = list(said)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = left[0] if len(left) == 1 else left.pop(0)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(at, Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{at[0]}:{server.server_address[1]}"
        finally:
            server.shutdown()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "LOOK_S", 0.01)


def served_by(context: RunContext, *addresses: str, wait_s: float = 5.0) -> RunContext:
    section = context.config.promote.model_copy(update={"services": list(addresses), "services_wait_s": wait_s})
    return replace(context, config=context.config.model_copy(update={"promote": section}))


def test_promote_waits_until_each_service_has_swapped(store: Store) -> None:
    before = {"status": "loading"}
    with answering(before, {**READY, "release_id": "old", "number": 0}, READY) as slow, answering(READY) as quick:
        result = run(served_by(add_release(store, "a"), f"{slow}/", quick))
    assert live_release_id(store) == "a"
    assert any(slow in note and quick in note for note in result.notes)


def test_a_service_that_is_further_on_has_served_it(store: Store) -> None:
    with answering({"status": "ready", "release_id": "later", "number": 7}) as address:
        run(served_by(add_release(store, "a"), address))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"status": "loading"}, "is loading, with no release"),
        ({"status": "ready", "release_id": "old", "number": 0}, "is ready, with old"),
        ({"status": "ready", "release_id": "other", "number": 1}, "is ready, with other"),
        (
            {**READY, "number": 0, "live": {"release_id": "a", "reason": "damaged", "detail": "vectors.npy is cut"}},
            "cannot load it (damaged: vectors.npy is cut)",
        ),
        (b"<html>", "answers 200, and not as `visual-search serve` does"),
        ([1], "answers 200, and not as"),
    ],
)
def test_who_does_not_serve_it_is_named_with_what_it_says(store: Store, said: Any, words: str) -> None:
    context = add_release(store, "a")
    with answering(READY) as good, answering(said) as bad:
        with pytest.raises(StageError) as raised:
            run(served_by(context, good, bad, wait_s=0.05))
        told = str(raised.value)
        assert f"a is live, but 1 of 2 services do not answer with it after 0.05 s: {bad} {words}" in told
        assert good not in told
    assert live_release_id(store) == "a"
    with answering(READY) as good:  # the run promotes nothing twice, and waits again
        assert run(served_by(context, good)).ledger.skipped == 1


def test_who_cannot_be_asked_is_named() -> None:
    with pytest.raises(StageError, match=r"http://127\.0\.0\.1:1 cannot be asked \(ConnectionError\)"):
        wait(["http://127.0.0.1:1"], 1, "a", 0.05)


def test_each_process_behind_a_name_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a headless service of Kubernetes has the addresses of all its pods."""

    real = socket.getaddrinfo

    def pods(host: str, port: int, *more: Any, **options: Any) -> Any:
        if host != "search.svc":
            return real(host, port, *more, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{last}", port)) for last in (1, 2)]

    with answering(READY) as first, monkeypatch.context() as patch:
        port = int(first.rpartition(":")[2])
        with answering({"status": "loading"}, READY, at=("127.0.0.2", port)) as second:
            patch.setattr(socket, "getaddrinfo", pods)
            service = f"http://search.svc:{port}"
            told = services.ask(service, 1, "a")
            assert (told.ready, told.words) == (False, f"at {second} is loading, with no release")
            wait([service], 1, "a", 5)


def test_a_name_of_both_kinds_of_addresses_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(READY) as address:
        port = int(address.rpartition(":")[2])
        kinds = [(socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1")]
        found = [(family, socket.SOCK_STREAM, 6, "", (host, port)) for family, host in kinds]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert services.ask(f"http://localhost:{port}", 1, "a").ready


def test_a_name_that_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    told = services.ask("http://serach.svc:8800", 1, "a")
    assert (told.ready, told.words) == (False, "cannot be asked (gaierror: Name or service not known)")


def test_a_rollback_waits_too(store: Store, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(add_release(store, name))
    config = tmp_path / "config.toml"
    with answering({"status": "ready", "release_id": "b", "number": 2}, {**READY, "number": 3}) as address:
        config.write_text(
            f'[store]\nuri = "{store.uri}"\n[catalogue]\nsnapshot = "f.csv"\n'
            'columns = { item_id = "i", photos = "p", category = "c" }\n'
            f'[promote]\nservices = ["{address}"]\nservices_wait_s = 5\n'
        )
        done = CliRunner().invoke(main, ["rollback", "--config", str(config), "--reason", "worse"])
    assert done.exit_code == 0, done.output
    assert live_release_id(store) == "a"


@pytest.mark.parametrize("address", ["search:8800", "ftp://x", "http://user:word@host", "http://host?x=1"])
def test_what_is_no_address_of_a_service(tmp_path: Path, address: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        '[catalogue]\nsnapshot = "f.csv"\ncolumns = { item_id = "i", photos = "p", category = "c" }\n'
        f'[promote]\nservices = ["{address}"]\n'
    )
    with pytest.raises(ConfigError, match=r"promote\.services"):
        load_config(config)

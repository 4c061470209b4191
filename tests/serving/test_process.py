"""The process: it answers, follows a promotion, and ends after what it has begun."""

import json
import socket
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from tests.serving.client import ids
from tests.serving.process import process
from tests.serving.shop import ServedShop
from tests.waiting import until


def test_it_answers_follows_a_promotion_and_ends_after_what_it_has_begun(own_shop: ServedShop) -> None:
    config = own_shop.config_path
    config.write_text(config.read_text().replace("drain_s = 0", "drain_s = 1"))
    with process(own_shop, log_format="json") as serve:
        serve.ready("first")
        assert ids(serve.search(own_shop.photo(3)).json()) == ["i3"]
        own_shop.go_live("second")
        serve.ready("second")
        answer = serve.search(own_shop.photo(15))
        assert (answer.headers["x-release-id"], ids(answer.json())) == ("second", ["j15"])
        slow = SlowUpload(serve.url, own_shop.photo(7))
        serve.process.terminate()
        until(lambda: serve.get("/readyz").json()["status"] == "draining")
        assert ids(serve.search(own_shop.photo(3)).json()) == ["j3"]  # still answered: not everybody has looked yet
        time.sleep(1.2)  # by now it takes no new connections
        assert slow.finish() == ("HTTP/1.1 200 OK", ["j7"])
        assert serve.process.wait(30) == 0
        lines = [json.loads(line) for line in serve.said().splitlines()]
        assert {"listening on", "release second answers, instead of first", "the service has ended"} <= {
            line["message"].partition(" http")[0] for line in lines
        }
        [asked] = [line for line in lines if line.get("route") == "/v1/search"][:1]
        assert (asked["status"], asked["severity"], asked["message"]) == (200, "INFO", "POST /v1/search 200")


def test_one_that_is_ended_while_it_loads_starts_again_by_itself(own_shop: ServedShop) -> None:
    config = own_shop.config_path
    config.write_text(config.read_text().replace("drain_s = 0", "drain_s = 60"))
    with process(own_shop):  # killed in the end
        pass
    with process(own_shop) as serve:
        serve.process.terminate()
        until(lambda: "not ready any more" in serve.said(), within_s=180)
        assert serve.end() == 0  # a second signal ends it at once, whatever it does
    with process(own_shop) as serve:
        serve.ready("first")
        assert ids(serve.search(own_shop.photo(2)).json()) == ["i2"]


def test_a_port_that_is_taken_is_told(shop: ServedShop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(main, ["serve", "--config", str(shop.config_path), "--port", port])
    assert result.exit_code == 1
    assert f"cannot listen on 127.0.0.1, port {port} (Address already in use); choose others" in result.output


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--host", "0.0.0.0"], "name the file of those who may with --api-keys, or say --no-keys"),
        (["--host", "shop.example"], "--host shop.example can be reached from other machines"),
        (["--api-keys", "keys.toml", "--no-keys"], "give --api-keys or --no-keys, not both"),
        (["--port", "70000"], "70000 is not in the range"),
    ],
)
def test_what_would_let_everybody_in_is_wrong_usage(shop: ServedShop, options: list[str], told: str) -> None:
    result = CliRunner().invoke(main, ["serve", "--config", str(shop.config_path), *options])
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())


def test_a_file_of_keys_that_is_none_ends_the_command(shop: ServedShop, tmp_path: Path) -> None:
    options = ["--api-keys", str(tmp_path / "none.toml")]
    result = CliRunner().invoke(main, ["serve", "--config", str(shop.config_path), *options])
    assert result.exit_code == 1
    assert "none.toml cannot be read" in result.output


class SlowUpload:
    """A request of which the second half is not sent yet."""

    def __init__(self, url: str, photo: bytes) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=30)
        self._rest = photo[len(photo) // 2 :]
        head = f"POST /v1/search?k=1 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(photo)}\r\n\r\n".encode()
        self._socket.sendall(head + photo[: len(photo) // 2])
        time.sleep(0.2)

    def finish(self) -> tuple[str, list[str]]:
        self._socket.sendall(self._rest)
        with self._socket, self._socket.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
        return head.decode().splitlines()[0], ids(json.loads(body))

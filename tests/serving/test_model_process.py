"""A model in a process of its own: it answers as one in this process, and its end is survived."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from pipelines.models.query_model import PREPARED
from pipelines.models.signature import Signature
from serving.model import child
from serving.model.process import LONGEST_FOLDER, ModelError, ModelProcess
from tests.serving.client import Client, alone, ids
from tests.serving.shop import SPEC, ServedShop
from transforms.image import prepare

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="threads stand by themselves on Linux alone")

LOADS = """
import sys
from pathlib import Path
from serving.model.process import ModelProcess
if __name__ == "__main__":
    model = ModelProcess(Path(sys.argv[1]), "serve_prepared", [Path(sys.argv[2]).read_bytes()])
    assert not {"tensorflow", "keras"} & sys.modules.keys()
    print(model.pid, flush=True)
    input()
"""


class Poison(bytes):
    """Ends the process that reads it, as what crashes in a library does."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (3,)


@pytest.fixture
def folder(shop: ServedShop) -> Path:
    return shop.root / "store/models/m1/saved_model"


@pytest.fixture
def model(folder: Path, photos: list[bytes]) -> Iterator[ModelProcess]:
    process = ModelProcess(folder, PREPARED, photos)
    yield process
    process.close()


@pytest.fixture
def photos(shop: ServedShop) -> list[bytes]:
    return [prepare(shop.photo(n), SPEC).jpeg for n in range(3)]


def ended(pid: int | None) -> bool:
    assert pid is not None
    until = time.monotonic() + 30
    while psutil.pid_exists(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not psutil.pid_exists(pid)


def test_it_gives_what_a_model_in_this_process_gives(model: ModelProcess, folder: Path, photos: list[bytes]) -> None:
    here, there = Signature(folder, PREPARED)(photos), model(photos)
    assert here.keys() == there.keys()
    for name, values in here.items():
        assert np.array_equal(values, there[name])
        assert values.dtype == there[name].dtype


def test_threads_that_ask_at_once_get_their_own_answers(model: ModelProcess, photos: list[bytes]) -> None:
    expected = [model([photo])["embedding"] for photo in photos]
    wrong: list[float] = []

    def ask(number: int) -> None:
        answers = [model([photos[number]])["embedding"] for _ in range(20)]
        wrong.extend(float(np.abs(answer - expected[number]).max()) for answer in answers)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wrong) == 60
    assert max(wrong) < 1e-5


def test_one_that_fails_on_what_is_asked_first_is_not_loaded(folder: Path) -> None:
    with pytest.raises(ModelError, match="InvalidArgumentError: "):
        ModelProcess(folder, PREPARED, [b"no photo"])


def test_what_the_model_fails_on_is_told_and_it_goes_on(model: ModelProcess, photos: list[bytes]) -> None:
    pid = model.pid
    with pytest.raises(ModelError, match="InvalidArgumentError: "):
        model([b"no photo"])
    assert model(photos)["embedding"].shape[0] == 3
    assert model.pid == pid


def test_where_its_process_is_killed_another_one_answers(model: ModelProcess, photos: list[bytes]) -> None:
    before, pid = model(photos)["embedding"], model.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert np.array_equal(model(photos)["embedding"], before)
    assert model.pid != pid


def test_where_that_one_is_killed_while_it_loads_too_a_third_one_answers(
    model: ModelProcess, photos: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, received, pids = model(photos)["embedding"], model._received, [model.pid]

    def killed_once() -> dict[str, Any]:
        if model.pid not in pids:
            pids.append(model.pid)
            if len(pids) == 2:
                os.kill(model.pid or 0, signal.SIGKILL)
        return received()

    monkeypatch.setattr(model, "_received", killed_once)
    os.kill(model.pid or 0, signal.SIGKILL)
    assert np.array_equal(model(photos)["embedding"], before)
    assert len(pids) == 3


def test_a_batch_on_which_it_always_ends_fails_and_others_do_not(model: ModelProcess, photos: list[bytes]) -> None:
    before = model(photos)["embedding"]
    with pytest.raises(ModelError, match="its process ends on this again and again"):
        model([Poison()])
    assert np.array_equal(model(photos)["embedding"], before)


@pytest.mark.parametrize("word", ["MemoryError: no", "ResourceExhaustedError: OOM when allocating"])
def test_want_of_memory_is_told_as_that(
    model: ModelProcess, photos: list[bytes], monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    ours, theirs = multiprocessing.Pipe()
    theirs.send((None, word))
    with monkeypatch.context() as patched:
        patched.setattr(model, "_connection", ours)
        with pytest.raises(MemoryError, match=word):
            model(photos)
    assert model(photos)["embedding"].shape[0] == len(photos)


def test_where_no_other_one_can_be_begun_it_is_tried_again(tmp_path: Path, folder: Path, photos: list[bytes]) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    model = ModelProcess(copy, PREPARED, photos)
    assert model.pid is not None
    os.kill(model.pid, signal.SIGKILL)
    copy.rename(tmp_path / "away")
    for _ in range(2):
        with pytest.raises(ModelError, match="does not exist"):
            model(photos)
    (tmp_path / "away").rename(copy)
    assert model(photos)["embedding"].shape[0] == 3
    model.close()


@pytest.mark.usefixtures("model")
def test_what_is_no_model_is_told_and_leaves_no_process(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    (tmp_path / "saved_model.pb").write_bytes(b"torn")
    with pytest.raises(ModelError, match=r"^\w+: .*saved_model"):
        ModelProcess(tmp_path, PREPARED, [])
    left = set(psutil.Process().children(recursive=True)) - before
    assert all(ended(each.pid) for each in left)


def test_signals_to_the_group_do_not_end_it_and_close_does(model: ModelProcess, photos: list[bytes]) -> None:
    pid = model.pid
    assert pid is not None
    for each in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid, each)
    assert model(photos)["embedding"].shape[0] == 3
    assert model.pid == pid
    model.close()
    assert ended(pid)


@pytest.mark.parametrize("how", ["killed", "ended"])
def test_it_ends_with_the_process_that_asks(tmp_path: Path, folder: Path, photos: list[bytes], how: str) -> None:
    photo = tmp_path / "prepared.jpg"
    photo.write_bytes(photos[0])
    with subprocess.Popen(
        [sys.executable, "-c", LOADS, str(folder), str(photo)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as asks:
        assert asks.stdout is not None
        pid = int(asks.stdout.readline())
        started = psutil.Process(asks.pid).children(recursive=True)
        assert pid in {each.pid for each in started}
        if how == "killed":
            asks.kill()
        else:
            asks.communicate("\n", timeout=60)
    assert all(ended(each.pid) for each in started)


@pytest.mark.parametrize(("longer", "said"), [(0, "begun"), (1, "set TMPDIR to another folder")])
def test_a_folder_of_which_no_socket_can_be_in_is_told(folder: Path, longer: int, said: str) -> None:
    """A socket's path has 107 bytes at most, and bind(2) says no more than that it is too long."""
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        long = Path(short, "x" * (LONGEST_FOLDER - len(short) - 1 + longer))
        long.mkdir()
        begun = "import sys; from serving.model import process; process.prepare(); process.clean_up(); print('begun')"
        command = [sys.executable, "-c", begun, str(folder)]
        done = subprocess.run(
            command, check=False, env=os.environ | {"TMPDIR": str(long)}, capture_output=True, text=True
        )
        assert said in done.stdout + done.stderr
        assert list(long.iterdir()) == []


def test_a_service_answers_on_when_its_model_is_killed(shop: ServedShop) -> None:
    async def ask(client: Client) -> None:
        before = await client.search(shop.photo(1), k=3)
        current = client.service.follower.current
        assert current is not None
        pid = current.engine._model._serve.pid
        os.kill(pid, signal.SIGKILL)
        assert ids(await client.search(shop.photo(1), k=3)) == ids(before)
        assert current.engine._model._serve.pid != pid

    alone(shop, ask)


@on_linux
def test_who_loads_stands_back_and_tells_what_went_wrong() -> None:
    assert child.behind_queries(lambda: os.getpriority(os.PRIO_PROCESS, 0)) == child.NICE
    assert os.getpriority(os.PRIO_PROCESS, 0) == 0
    with pytest.raises(ZeroDivisionError):
        child.behind_queries(lambda: 1 // 0)


@on_linux
def test_the_threads_that_run_a_model_do_not_stand_back(model: ModelProcess, photos: list[bytes]) -> None:
    """A thread begins where the one stands that begins it, and TensorFlow begins its own when it is first used."""
    assert model(photos * 20)["embedding"].shape[0] == 60
    tasks = list(Path(f"/proc/{model.pid}/task").iterdir())
    assert len(tasks) > 4
    assert {(task / "stat").read_text().rpartition(")")[2].split()[16] for task in tasks} == {"0"}

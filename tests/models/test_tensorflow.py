import os

import pytest

from pipelines.models.tensorflow import start_up_messages_kept

START_UP = b"I0000 00:00:1795278012.580137   20760 port.cc:153] oneDNN custom operations are on.\n"


def test_start_up_lines_are_dropped_and_others_come_after(capfd: pytest.CaptureFixture[str]) -> None:
    with start_up_messages_kept():
        os.write(2, START_UP)
        os.write(2, b"a line of another thread\n")
        assert capfd.readouterr().err == ""
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "a line of another thread\nafter\n"


def test_a_failure_shows_everything(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), start_up_messages_kept():
        os.write(2, START_UP)
        raise RuntimeError
    assert capfd.readouterr().err == START_UP.decode()

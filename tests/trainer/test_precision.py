from pathlib import Path

import pytest

from trainer import precision


def test_what_the_processor_announces(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("model name : x\nflags\t\t: fpu avx512_bf16 sse\n", encoding="ascii")
    assert precision.announced(cpuinfo)
    cpuinfo.write_text("flags\t\t: fpu avx512f\n", encoding="ascii")
    assert not precision.announced(cpuinfo)
    assert not precision.announced(tmp_path / "missing")


@pytest.mark.parametrize(
    ("seconds", "dtype"),
    [
        ({"float32": 1.0, "bfloat16": 0.5}, "bfloat16"),
        ({"float32": 1.0, "bfloat16": 0.9}, "float32"),  # not worth its rounding
        ({"float32": 1.0, "bfloat16": 2.0}, "float32"),
        ({"float32": 1.0}, "float32"),  # it died of an illegal instruction
        ({}, "float32"),
    ],
)
def test_the_faster_one_is_chosen(seconds: dict[str, float], dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "announced", lambda: True)
    monkeypatch.setattr(precision, "measured", lambda *_: seconds)
    assert precision.compute_dtype("small", 16, 16) == dtype


def test_nothing_is_timed_where_nothing_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "announced", lambda: False)
    monkeypatch.setattr(precision, "measured", lambda *_: pytest.fail("timed"))
    assert precision.compute_dtype("small", 16, 16) == "float32"


def test_both_are_timed_in_a_process_of_their_own() -> None:
    seconds = precision.measured("small", 16, 16)
    assert seconds["float32"] > 0
    assert set(seconds) <= {"float32", "bfloat16"}  # bfloat16 is missing where its kernels cannot run

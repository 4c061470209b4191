"""State dicts that torch 2.15 wrote, in both of its formats (golden/), read without it."""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from trainer.torch_file import TorchFileError, read_state_dict

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", ["state_zip.pth", "state_legacy.pth"])
def test_tensors_and_views_of_them_are_read_as_torch_shows_them(name: str) -> None:
    found = read_state_dict(GOLDEN / name)
    matrix = np.arange(24, dtype=np.float32).reshape(4, 6)
    expected = {
        "matrix": matrix,
        "turned": matrix.T,  # a view of the same storage, with other strides
        "part": matrix[1:3, 2:4],
        "half": np.array([0.5, -2.0], np.float16),
        "count": np.array(7),
        "none": np.zeros((0, 3), np.float32),
        "flags": np.array([True, False]),
        "parameter": np.array([1.5], np.float32),
    }
    assert list(found) == list(expected)
    for key, array in expected.items():
        assert found[key].dtype == array.dtype
        assert found[key].shape == array.shape
        assert np.array_equal(found[key], array)


def test_a_whole_module_is_refused_by_the_name_of_what_its_pickle_asks_for() -> None:
    with pytest.raises(TorchFileError, match=r"module\.pth: its pickle asks for torch\.nn\.modules\.linear\.Linear"):
        read_state_dict(GOLDEN / "module.pth")


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return exec, ("raise SystemExit('it ran')",)


def test_a_pickle_that_would_run_something_runs_nothing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.pth", "w") as archive:
        archive.writestr("evil/data.pkl", pickle.dumps({"weight": Evil()}))
    with pytest.raises(TorchFileError, match=r"its pickle asks for builtins\.exec"):
        read_state_dict(tmp_path / "evil.pth")


@pytest.mark.parametrize("name", ["state_zip.pth", "state_legacy.pth"])
def test_a_file_that_ends_early_is_damaged(tmp_path: Path, name: str) -> None:
    whole = (GOLDEN / name).read_bytes()
    for share in (0.3, 0.7, 0.97):
        (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(TorchFileError, match=name):
            read_state_dict(tmp_path / name)


def test_what_is_no_state_dict_is_said_to_be_none(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "list.pth", "w") as archive:
        archive.writestr("list/data.pkl", pickle.dumps([1, 2]))
    with pytest.raises(TorchFileError, match=r"it holds no state dict: save `model\.state_dict\(\)`"):
        read_state_dict(tmp_path / "list.pth")
    (tmp_path / "text.pth").write_text("weights")
    with pytest.raises(TorchFileError, match=r"text\.pth is damaged, or no file of torch\.save"):
        read_state_dict(tmp_path / "text.pth")

"""Tensors of a PyTorch state dict (`.pth`), read without PyTorch and without running what a pickle may hold.

Both formats of `torch.save` are read: a zip of a pickle and a file a storage, and the older file of four pickles
followed by all storages (torch/serialization.py, `_legacy_load`). The pickles may name the few things of which a state
dict is made, and nothing else.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, override

import numpy as np

MAGIC: Final = 0x1950A86A20F9469CFC6C
PROTOCOL: Final = 1001
DTYPES: Final = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}


class TorchFileError(ValueError):
    """A file that is no state dict, is damaged, or asks for more than a state dict needs."""


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage, whose bytes may come later: sizes and strides in elements."""

    storage: str
    dtype: np.dtype[Any]
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def read(self, storages: Mapping[str, bytes]) -> np.ndarray:
        """Return a copy of the view."""
        whole = np.frombuffer(storages[self.storage], self.dtype)
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))
        if 0 in self.size:
            return np.zeros(self.size, self.dtype)
        if min((self.offset, *self.stride)) < 0 or last >= len(whole):
            raise TorchFileError(f"a tensor of {self.size} reaches behind its storage of {len(whole)} numbers")
        steps = [step * self.dtype.itemsize for step in self.stride]
        return np.lib.stride_tricks.as_strided(whole[self.offset :], self.size, steps).copy()


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """Return the named arrays of a state dict. Raises TorchFileError, which names the file."""
    try:
        found, storages = _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(path)
        return {str(name): tensor.read(storages) for name, tensor in _tensors(found).items()}
    except TorchFileError as error:
        raise TorchFileError(f"{path}: {error}") from error
    except (pickle.UnpicklingError, EOFError, KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise TorchFileError(f"{path} is damaged, or no file of torch.save: {error}") from error


def _tensors(found: Any) -> Mapping[str, _Tensor]:
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):  # as trainers keep it
        found = found["state_dict"]
    if not isinstance(found, Mapping) or not all(isinstance(tensor, _Tensor) for tensor in found.values()):
        raise TorchFileError("it holds no state dict: save `model.state_dict()`, not the model")
    return found


def _read_zip(path: Path) -> tuple[Any, dict[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        root = next((name.removesuffix("data.pkl") for name in names if name.endswith("/data.pkl")), None)
        if root is None:
            raise TorchFileError("it is a zip without data.pkl; save `model.state_dict()` by torch.save")
        if f"{root}byteorder" in names and archive.read(f"{root}byteorder") != b"little":
            raise TorchFileError("its numbers are big-endian; save it anew on a little-endian machine")
        with archive.open(f"{root}data.pkl") as file:
            found = _Unpickler(file).load()
        start = f"{root}data/"
        return found, {name.removeprefix(start): archive.read(name) for name in names if name.startswith(start)}


def _read_legacy(path: Path) -> tuple[Any, dict[str, bytes]]:
    with path.open("rb") as file:
        if _Unpickler(file).load() != MAGIC or _Unpickler(file).load() != PROTOCOL:
            raise TorchFileError("it does not begin as files of torch.save do")
        if not _Unpickler(file).load().get("little_endian", True):
            raise TorchFileError("its numbers are big-endian; save it anew on a little-endian machine")
        unpickler = _Unpickler(file)
        found, storages = unpickler.load(), {}
        for key in _Unpickler(file).load():
            count = int.from_bytes(file.read(8), "little")
            storages[str(key)] = file.read(count * unpickler.dtypes[str(key)].itemsize)
        return found, storages


class _Unpickler(pickle.Unpickler):
    """Makes containers, numbers and views of storages; any other name in the pickle is an error."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.dtypes: dict[str, np.dtype[Any]] = {}

    @override
    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        known: dict[tuple[str, str], Callable[..., Any]] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _view,
            ("torch._utils", "_rebuild_parameter"): _parameter,
        }
        if (module, name) not in known:
            raise TorchFileError(f"its pickle asks for {module}.{name}, which a state dict of numbers does not need")
        return known[module, name]

    @override
    def persistent_load(self, pid: Any) -> tuple[str, np.dtype[Any]]:
        kind, dtype, key = pid[:3]
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise TorchFileError(f"its pickle refers to {kind!r}, not to a storage of numbers")
        if len(pid) > 5 and pid[5] is not None:
            raise TorchFileError("its storages are views of others; save it by a newer torch")
        self.dtypes[str(key)] = dtype
        return str(key), dtype


def _view(
    storage: tuple[str, np.dtype[Any]], offset: int, size: Sequence[int], stride: Sequence[int], *_: Any
) -> _Tensor:
    return _Tensor(*storage, int(offset), tuple(size), tuple(stride))


def _parameter(tensor: _Tensor, *_: Any) -> _Tensor:
    return tensor

"""What a SavedModel must be able to do here, tried on pictures before it is taken: signatures, shapes, and numbers."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from pipelines.errors import StageError
from pipelines.models.signature import category_outputs
from pipelines.models.tensorflow import import_tensorflow, start_up_messages_kept
from pipelines.tables.arrays import Array
from trainer.config import LEAF_OUTPUT
from transforms.pixels import decode_prepared

INPUTS: Final = {"serve_pixels": "uint8 [batch, height, width, 3]", "serve_prepared": "string [batch]"}
NEEDED: Final = {"embedding": "float32 [batch, dim], L2-normalised", "hash": "uint8 [batch, bits / 8]"}
ATTRIBUTE: Final = "attribute_probabilities_"
PICTURES: Final = 3
CLOSE: Final = 1e-3
"""How far numbers may be apart that should be equal: those of one photo alone and among others, say."""

Outputs = Mapping[str, Array]


@dataclass(frozen=True)
class Capabilities:
    """What a model reads and says: `columns` are those of each of its heads, by the name of the output."""

    height: int
    width: int
    dim: int
    bits: int
    columns: Mapping[str, int]

    @property
    def levels(self) -> list[str]:
        """The outputs of taxonomy levels, the top first."""
        return category_outputs(self.columns)

    @property
    def attributes(self) -> list[str]:
        """The attributes that it has a head of."""
        return sorted(name.removeprefix(ATTRIBUTE) for name in self.columns if name.startswith(ATTRIBUTE))


def capabilities_of(folder: Path) -> Capabilities:
    """Load a SavedModel, try it, and return what it can do. Raises StageError that says what it lacks."""
    signatures = _load(folder)
    height, width = _size(signatures["serve_pixels"])
    shown = _tried(signatures, height, width)
    heads = {name for name in shown if name == LEAF_OUTPUT or name.startswith(ATTRIBUTE)} | {*category_outputs(shown)}
    return Capabilities(
        height,
        width,
        dim=shown["embedding"].shape[1],
        bits=8 * shown["hash"].shape[1],
        columns={name: shown[name].shape[1] for name in sorted(heads)},
    )


def _load(folder: Path) -> dict[str, Any]:
    """Return the signatures that are needed, by name."""
    tf = import_tensorflow()
    if not (folder / "saved_model.pb").is_file():
        raise StageError(f"{folder} holds no saved_model.pb; name the folder that tf.saved_model.save has written")
    try:
        with start_up_messages_kept():
            loaded = tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise StageError(f"{folder} cannot be loaded as a SavedModel: {error}") from error
    found = {name: _signature(loaded, name) for name in INPUTS}
    found["model"] = loaded  # keeps the variables alive
    return found


def _tried(signatures: Mapping[str, Any], height: int, width: int) -> Outputs:
    """Return the outputs of a few pictures, which are as they must be."""
    import tensorflow as tf

    jpegs = _pictures(height, width)
    pixels = np.stack([decode_prepared(jpeg) for jpeg in jpegs])
    try:
        shown, alone = (_call(signatures["serve_pixels"], part) for part in (pixels, pixels[:1]))
        read = _call(signatures["serve_prepared"], np.array(jpegs, object))
    except (tf.errors.OpError, ValueError) as error:
        raise StageError(f"the model fails on a photo of {height} x {width}: {error}") from error
    _check_outputs(shown)
    _check_alike("serve_prepared gives other outputs than serve_pixels", shown, read)
    first = {"embedding": shown["embedding"][:1]}
    _check_alike("a photo alone gives another embedding than among others", first, alone)
    return shown


def _signature(loaded: Any, name: str) -> Any:
    if name not in loaded.signatures:
        there = ", ".join(sorted(loaded.signatures)) or "none"
        raise StageError(
            f"the model has no signature {name!r} ({INPUTS[name]} -> {', '.join(NEEDED)}); it has: {there}. Export it "
            "with both that are needed, as trainer/export.py does"
        )
    signature = loaded.signatures[name]
    if len(signature.structured_input_signature[1]) != 1:
        raise StageError(f"signature {name!r} takes other inputs than one, {INPUTS[name]}; export it with that")
    return signature


def _input(signature: Any) -> tuple[str, Any]:
    found: tuple[str, Any] = next(iter(signature.structured_input_signature[1].items()))
    return found


def _size(signature: Any) -> tuple[int, int]:
    """Return the (height, width) of the pixels that a model reads."""
    spec = _input(signature)[1]
    shape = spec.shape.as_list() if spec.shape.rank is not None else []
    if spec.dtype.name != "uint8" or len(shape) != 4 or shape[3] != 3 or None in shape[1:3]:
        raise StageError(
            f"signature 'serve_pixels' takes {spec.dtype.name} {shape}, needed is {INPUTS['serve_pixels']} with height "
            "and width fixed; export it for the size that photos are prepared in"
        )
    return shape[1], shape[2]


def _call(signature: Any, values: Array) -> Outputs:
    import tensorflow as tf

    return {name: value.numpy() for name, value in signature(**{_input(signature)[0]: tf.constant(values)}).items()}


def _pictures(height: int, width: int) -> list[bytes]:
    """Return prepared photos: a few soft patches of colour, as unlike as photos are."""
    found = []
    for seed in range(PICTURES):
        patches = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
        out = io.BytesIO()
        Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC).save(
            out, "JPEG", quality=95, subsampling=0
        )
        found.append(out.getvalue())
    return found


def _check_outputs(shown: Outputs) -> None:
    """Raise StageError unless embedding and hash are there, of the right types, and the embedding of length 1."""
    for name, what in NEEDED.items():
        dtype = what.partition(" ")[0]
        there = f"{shown[name].dtype.name} {list(shown[name].shape)}" if name in shown else "none"
        if name not in shown or shown[name].dtype.name != dtype or shown[name].ndim != 2 or not shown[name].shape[1]:
            raise StageError(f"the model must give {name!r} as {what}; it gives {there}")
    norms = np.linalg.norm(shown["embedding"], axis=1)
    if not np.isfinite(norms).all() or np.abs(norms - 1).max() > CLOSE:
        raise StageError(f"the embedding has norms of {_short(norms)}, not 1; export it L2-normalised")
    if np.ptp(shown["embedding"], axis=0).max() < CLOSE:
        raise StageError("the embedding is the same for all photos; does the model read its pixels as 0 to 255?")


def _check_alike(problem: str, one: Outputs, other: Outputs) -> None:
    for name, values in one.items():
        if name not in other or other[name].shape != values.shape:
            raise StageError(f"{problem}: {name!r} is missing or of another shape; export both from one function")
        far = float(np.abs(values.astype(np.float64) - other[name]).max())
        if name != "hash" and not far < CLOSE:
            raise StageError(f"{problem}: {name!r} is {far:.3g} apart; export it in inference mode, from one function")


def _short(values: Sequence[float] | Array) -> str:
    return ", ".join(f"{value:.4g}" for value in values)

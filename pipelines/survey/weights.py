"""When to begin with weights that others have trained, and why, in words."""

from __future__ import annotations

from typing import Final

FEW_PHOTOS: Final = 50_000
"""Below so many photos a net that begins with ImageNet's weights finds more than one that learns from them alone."""
WHY: Final = (
    "a net learns what pictures are like from millions of them; a few thousand do not teach that, and with the weights "
    "of ImageNet it is known before the first step"
)


def recommendation(photos: int | None) -> str | None:
    """Return what to do about weights for so many photos, None where they are enough; None photos are not counted."""
    if photos is not None and photos >= FEW_PHOTOS:
        return None
    some = f"with fewer than {FEW_PHOTOS:,} photos" if photos is None else f"with {photos:,} photos"
    return f'{some}, begin with ImageNet\'s weights (train.initial_weights = "imagenet"): {WHY}'

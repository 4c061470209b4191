"""Drawings of jackets, coats and dresses, laid flat and seen from the front."""

import numpy as np

from pipelines.demo.drawings.tops import SHOULDER, neckline, sleeve, torso
from pipelines.demo.geometry import bar, box, mirrored, oval, poly, smooth
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice


def jacket(s: Sketch, v: Variant) -> None:
    """Draw a jacket or a coat."""
    hem = v["length"]
    s.both(sleeve(0.96))
    s.add(torso(hem, 0.56, 0.5))
    front = v.on("front")
    jacket_collar(s, front)
    fasten(s, v.on("closure"), 0.06 if front in (1, 2) else -0.62, hem)
    if v.on("pockets") == 1:
        s.both(bar(0.24, 0.5, 0.44, 0.26, 0.1), "dark", "flat")
    elif v.on("pockets") == 2:
        s.both(box(0.16, 0.36, 0.46, 0.66, 0.03), "light")


def jacket_collar(s: Sketch, front: int) -> None:
    """Draw a plain collar, or lapels with a shirt and tie between them, or a funnel neck."""
    if front in (1, 2):
        s.add(poly((-0.2, SHOULDER - 0.08), (0.2, SHOULDER - 0.08), (0.0, 0.0)), "pale", "flat")
        s.add(poly((-0.05, SHOULDER), (0.05, SHOULDER), (0.07, -0.24), (0, -0.1), (-0.07, -0.24)), "accent", "flat")
    if front == 1:
        s.both(
            poly((0.2, SHOULDER - 0.1), (0.36, -0.62), (0.24, -0.56), (0.32, -0.46), (0.0, 0.04), (0.04, -0.16)), "trim"
        )
    elif front == 2:
        s.both(smooth(poly((0.18, SHOULDER - 0.1), (0.38, -0.6), (0.28, -0.2), (0.0, 0.06), (0.06, -0.2))), "trim")
    elif front == 3:
        s.add(box(-0.26, -1.06, 0.26, SHOULDER + 0.04, 0.05), "trim", "tube")
    else:
        s.both(
            poly((0.0, SHOULDER + 0.06), (0.22, SHOULDER - 0.1), (0.4, SHOULDER + 0.16), (0.16, SHOULDER + 0.3)), "trim"
        )


def fasten(s: Sketch, closure: int, top: float, hem: float) -> None:
    """Draw a zip, one or two rows of buttons, or a belt, from `top` to `hem`."""
    s.add(bar(0, top, 0, hem, 0.025), "dark", "flat")
    if closure == 0:
        s.add(bar(0, top, 0, hem, 0.07), "metal", "flat")
    elif closure in (1, 2):
        for y in np.linspace(top + 0.1, hem - 0.25, 3 if top > 0 else 5):
            for x in (0.06,) if closure == 1 else (0.17, -0.17):
                s.add(oval(x, float(y), 0.045), "metal", "flat")
    else:
        s.add(box(-0.55, 0.12, 0.55, 0.27), "accent")
        s.add(box(-0.1, 0.09, 0.1, 0.3), "metal", "flat")


def dress(s: Sketch, v: Variant) -> None:
    """Draw a dress."""
    hem, skirt, top = v["length"], v["skirt"], v.on("top")
    bust = SHOULDER + 0.2
    if top == 2:
        s.both(sleeve(0.3))
    if top == 3:
        s.both(sleeve(0.92))
    if top == 1:
        s.both(bar(0.24, -1.0, 0.28, bust + 0.1, 0.07), "main", "flat")
    upper = (
        ((0.2, SHOULDER - 0.05), (0.46, SHOULDER + 0.03)) if top >= 2 else ((0.12, bust + 0.04), (0.34, bust - 0.02))
    )
    flare = 0.34 + skirt * (hem + 0.2)
    s.add(
        mirrored(
            *upper,
            (0.42, -0.42),
            (0.33, -0.12),
            (0.34 + skirt * 0.1, 0.0),
            ((0.33 + flare) / 2 + 0.04, hem * 0.5),
            (flare, hem),
        )
    )
    if top >= 2:
        neckline(s, v.on("neck"))
    kind = v.on("detail")
    if kind == 1:
        s.add(box(-0.34, -0.18, 0.34, -0.06), "accent", "flat")
    elif kind == 2:
        for step in (0.35, 0.68):
            y = step * hem
            half = 0.34 + (flare - 0.34) * step + 0.03
            s.add(poly((-half, y), (half, y), (half + 0.03, y + 0.12), (-half - 0.03, y + 0.12)), "light", "flat")
    elif kind == 3:
        s.add(bar(0, bust + 0.15, 0, hem - 0.02, 0.06), "trim", "flat")
        for y in np.linspace(bust + 0.24, hem - 0.1, 6):
            s.add(oval(0, float(y), 0.04), "pale", "flat")


OUTFITS = (
    Archetype(
        "Jackets",
        ("Fashion", "Clothing", "Outerwear"),
        jacket,
        (
            axis("length", Cropped=0.35, Hip_length=0.7, Long_coat=1.16),
            choice("front", "Collared", "Notch lapel", "Shawl lapel", "Funnel neck"),
            choice("closure", "Zipped", "Single-breasted", "Double-breasted", "Belted"),
            choice("pockets", "No pockets", "Slant pockets", "Patch pockets"),
        ),
        ("wool", "leather", "denim", "nylon"),
        (60, 380),
        False,
    ),
    Archetype(
        "Dresses",
        ("Fashion", "Clothing", "Dresses"),
        dress,
        (
            axis("length", Mini=0.35, Knee=0.68, Midi=0.95, Maxi=1.2),
            choice("top", "Strapless", "Straps", "Short sleeve", "Long sleeve"),
            axis("skirt", Straight=0.03, A_line=0.22, Flared=0.42),
            choice("detail", "Plain", "Belted", "Tiered", "Button-front"),
            choice("neck", "Crew neck", "V-neck", "Scoop neck"),
        ),
        ("cotton", "satin", "linen", "jersey"),
        (30, 240),
        False,
    ),
)

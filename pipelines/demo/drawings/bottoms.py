"""Drawings of trousers, shorts and skirts, laid flat and seen from the front."""

import numpy as np

from pipelines.demo.geometry import bar, bend, box, mirrored, oval, poly
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice

TOP = -1.05


def waistband(s: Sketch, kind: int, half: float, top: float = TOP) -> None:
    """Draw a buttoned, drawstring, belted or wide waistband."""
    s.add(box(-half, top, half, top + (0.26 if kind == 3 else 0.13)), "trim", "flat")
    if kind == 0:
        s.add(oval(0, top + 0.065, 0.045), "metal", "flat")
    elif kind == 1:
        s.both(bend((0.02, top + 0.06), (0.1, top + 0.2), (0.07, top + 0.42), width=0.045), "pale", "flat")
    elif kind == 2:
        s.add(box(-half - 0.01, top + 0.01, half + 0.01, top + 0.12), "leather", "flat")
        s.add(box(-0.09, top - 0.02, 0.09, top + 0.15), "metal", "flat")


def trousers(s: Sketch, v: Variant) -> None:
    """Draw trousers."""
    hem, knee, cuff = v["length"], v["leg"] % 1, v["leg"] // 1 / 100
    for side in (1, -1):
        s.add(
            poly(
                (0.0, TOP + 0.05),
                (0.42 * side, TOP + 0.05),
                (0.5 * side, -0.5),
                ((0.28 + knee) * side, 0.2),
                ((0.28 + cuff) * side, hem),
                ((0.28 - cuff) * side, hem),
                ((0.3 - knee) * side, 0.2),
                (0.03 * side, -0.3),
                (0.0, -0.36),
            ),
            "main",
            "tube",
        )
    s.add(bar(0, TOP + 0.1, 0, -0.4, 0.03), "trim", "flat")
    waistband(s, v.on("waist"), 0.43)
    pockets = v.on("pockets")
    if pockets == 1:
        s.both(bend((0.26, TOP + 0.13), (0.28, TOP + 0.34), (0.47, TOP + 0.4), width=0.07), "dark", "flat")
    elif pockets == 2:
        s.both(box(0.3, -0.2, 0.56, 0.18, 0.02), "light")
        s.both(box(0.29, -0.22, 0.57, -0.12), "trim", "flat")
    elif pockets == 3:
        s.both(bar(0.49, TOP + 0.2, 0.28 + cuff - 0.03, hem, 0.07), "accent", "flat")


def shorts(s: Sketch, v: Variant) -> None:
    """Draw shorts."""
    hem, half, top = v["length"], v["leg"], -0.7
    for side in (1, -1):
        s.add(
            poly(
                (0.0, top + 0.05), (0.5 * side, top + 0.05), (half * side, hem), (0.07 * side, hem + 0.03), (0.0, -0.02)
            )
        )
        if v.on("hem") == 1:
            s.add(
                poly(
                    ((half + 0.01) * side, hem - 0.04),
                    (half * side, hem + 0.1),
                    (0.05 * side, hem + 0.13),
                    (0.07 * side, hem - 0.01),
                ),
                "light",
                "flat",
            )
        if v.on("hem") == 2:
            s.add(
                poly((0.5 * side, top + 0.1), (half * side, hem), ((half - 0.12) * side, hem), (0.4 * side, top + 0.1)),
                "accent",
                "flat",
            )
    s.add(bar(0, top + 0.1, 0, 0.0, 0.03), "trim", "flat")
    waistband(s, v.on("waist"), 0.52, top)
    if v.on("pockets") == 1:
        s.both(bend((0.3, top + 0.13), (0.33, top + 0.34), (0.54, top + 0.38), width=0.04), "dark", "flat")
    elif v.on("pockets") == 2:
        s.both(box(0.3, -0.25, 0.58, 0.05, 0.02), "light")


def skirt(s: Sketch, v: Variant) -> None:
    """Draw a skirt."""
    top, hem, cut = -0.8, v["length"], v.on("cut")
    flare = (0.42, 0.62 + 0.1 * hem, 0.8 + 0.1 * hem, 0.74)[cut]
    hip = (0.52, 0.5, 0.56, 0.5)[cut]
    s.add(mirrored((0.34, top), (hip, top + 0.5), (flare, hem)))
    if cut == 2:
        for fold in np.linspace(-0.8, 0.8, 7):
            s.add(
                poly(
                    (fold * 0.34, top),
                    (fold * hip, top + 0.5),
                    (fold * flare + 0.05, hem - 0.01),
                    (fold * flare - 0.05, hem - 0.01),
                ),
                "trim",
                "flat",
            )
    if cut == 3:
        for step in (0.33, 0.66):
            y, half = top + (hem - top) * step, 0.36 + (flare - 0.34) * step + 0.06
            s.add(poly((-half, y), (half, y), (half + 0.06, y + 0.15), (-half - 0.06, y + 0.15)), "light", "flat")
    detail = v.on("detail")
    if detail == 1:
        s.add(poly((0.16, hem - 0.5), (0.24, hem), (0.06, hem)), "hole", "flat")
    elif detail == 2:
        for y in np.linspace(top + 0.24, hem - 0.1, 6):
            s.add(oval(0, float(y), 0.05), "metal", "flat")
    elif detail == 3:
        s.add(poly((-flare, hem - 0.16), (flare, hem - 0.16), (flare, hem), (-flare, hem)), "accent", "flat")
    waistband(s, v.on("waist"), 0.36, top - 0.05)


BOTTOMS = (
    Archetype(
        "Trousers",
        ("Fashion", "Clothing", "Bottoms"),
        trousers,
        (
            axis("leg", Skinny=13.14, Straight=19.18, Flared=30.13, Wide_leg=33.27),
            choice("pockets", "Plain", "Slant pockets", "Cargo", "Side stripe"),
            axis("length", Cropped=0.55, Ankle=0.88, Full_length=1.2),
            choice("waist", "Buttoned", "Drawstring", "Belted", "High waist"),
        ),
        ("denim", "cotton", "wool", "linen"),
        (25, 130),
        False,
    ),
    Archetype(
        "Shorts",
        ("Fashion", "Clothing", "Bottoms"),
        shorts,
        (
            axis("length", Hot_pants=0.1, Mid_thigh=0.4, Bermuda=0.8),
            choice("waist", "Buttoned", "Drawstring", "Belted", "High waist"),
            axis("leg", Slim_leg=0.55, Wide_leg=0.8),
            choice("hem", "Plain hem", "Turn-up", "Side panel"),
            choice("pockets", "No pockets", "Slant pockets", "Cargo"),
        ),
        ("denim", "cotton", "nylon"),
        (15, 70),
        False,
    ),
    Archetype(
        "Skirts",
        ("Fashion", "Clothing", "Bottoms"),
        skirt,
        (
            choice("cut", "Pencil", "A-line", "Pleated", "Tiered"),
            axis("length", Mini=0.05, Knee=0.45, Midi=0.8, Maxi=1.18),
            choice("detail", "Plain", "Slit", "Button-front", "Border hem"),
            choice("waist", "Buttoned", "Drawstring", "Belted", "High waist"),
        ),
        ("cotton", "satin", "denim", "wool"),
        (18, 110),
        False,
    ),
)

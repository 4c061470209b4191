"""Drawings of bags and luggage, seen from the front."""

import numpy as np

from pipelines.demo.geometry import bar, bend, blob, box, oval, poly, smooth, tube
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice


def handbag(s: Sketch, v: Variant) -> None:
    """Draw a handbag."""
    height, body = v["height"], v.on("body")
    top, base = 0.8 - height, 0.8
    handles(s, v.on("handle"), top)
    outline = {
        0: poly((-0.62, top), (0.62, top), (0.9, base), (-0.9, base)),
        1: box(-0.8, top, 0.8, base, 0.08),
        2: poly((-0.86, top), (0.86, top), (0.56, base), (-0.56, base)),
        3: blob(
            (-0.62, top),
            (0.62, top),
            (0.98, base - height * 0.3),
            (0.7, base + 0.04),
            (-0.7, base + 0.04),
            (-0.98, base - height * 0.3),
        ),
    }[body]
    s.add(smooth(outline, rounds=1) if body in (0, 2) else outline)
    front = v.on("front")
    if front == 1:
        s.add(
            blob(
                (-0.66, top - 0.02),
                (0.66, top - 0.02),
                (0.62, top + height * 0.4),
                (0.0, top + height * 0.62),
                (-0.62, top + height * 0.4),
            ),
            "trim",
        )
        s.add(box(-0.09, top + height * 0.42, 0.09, top + height * 0.6, 0.03), "metal", "flat")
    elif front == 2:
        s.add(bar(-0.64, top + 0.1, 0.64, top + 0.1, 0.06), "metal", "flat")
        s.add(bar(0.5, top + 0.1, 0.54, top + 0.32, 0.05), "accent", "flat")
    elif front == 3:
        s.add(box(-0.44, base - height * 0.55, 0.44, base - 0.1, 0.05), "trim")
    elif front == 4:
        s.add(box(-0.68, base - height * 0.36, 0.68, base - height * 0.36 + 0.14), "accent", "flat")
        s.add(oval(0, base - height * 0.36 + 0.07, 0.11), "metal", "flat")


def handles(s: Sketch, kind: int, top: float) -> None:
    """Draw two short handles, one arch, a long strap or a chain above `top`."""
    if kind == 0:
        s.add(
            bend((-0.36, top + 0.12), (-0.34, top - 0.36), (0.34, top - 0.36), (0.36, top + 0.12), width=0.07), "accent"
        )
        s.add(
            bend((-0.3, top + 0.12), (-0.26, top - 0.24), (0.26, top - 0.24), (0.3, top + 0.12), width=0.07), "accent"
        )
    elif kind == 1:
        s.add(tube(oval(0, top + 0.06, 0.46, 0.5, 180, 360), 0.12), "accent")
    elif kind == 2:
        s.add(
            bend((-0.6, top + 0.1), (-0.5, -1.2), (0.0, -1.22), (0.5, -1.2), (0.6, top + 0.1), width=0.055),
            "accent",
            "flat",
        )
    else:
        for turn in np.linspace(180, 360, 13):
            x, y = 0.6 * np.cos(np.radians(turn)), top + 0.08 + 0.62 * np.sin(np.radians(turn))
            s.add(oval(float(x), float(y), 0.07, 0.05), "metal", "flat")


def backpack(s: Sketch, v: Variant) -> None:
    """Draw a backpack."""
    top, width = -v["height"], 0.62
    s.add(tube(oval(0, top + 0.02, 0.16, 0.16, 180, 360), 0.07), "trim", "flat")
    s.both(bend((0.4, top + 0.2), (0.86, top + 0.5), (0.8, 0.7), width=0.14), "trim")
    if v.on("sides") == 1:
        s.both(box(0.5, 0.3, 0.78, 0.86, 0.08), "accent")
    kind = v.on("top")
    s.add(
        blob(
            (-width + 0.1, top),
            (width - 0.1, top),
            (width, top + 0.3),
            (width + 0.04, 0.95),
            (-width - 0.04, 0.95),
            (-width, top + 0.3),
        )
        if kind == 0
        else box(-width, top + (0.1 if kind == 2 else 0), width, 0.92, 0.12)
    )
    if kind == 0:
        s.add(
            bend((-0.5, top + 0.5), (-0.4, top + 0.14), (0.4, top + 0.14), (0.5, top + 0.5), width=0.045),
            "metal",
            "flat",
        )
    elif kind == 1:
        s.add(
            blob(
                (-0.66, top - 0.05),
                (0.66, top - 0.05),
                (0.66, top + 0.5),
                (0.5, top + 0.64),
                (-0.5, top + 0.64),
                (-0.66, top + 0.5),
            ),
            "trim",
        )
        s.both(box(0.2, top + 0.45, 0.32, top + 0.85), "leather", "flat")
    else:
        s.add(box(-0.66, top - 0.02, 0.66, top + 0.16, 0.08), "trim", "tube")
        s.both(bar(0.56, top + 0.05, 0.56, top + 0.5, 0.07), "dark", "flat")
    pocket = v.on("pocket")
    if pocket == 1:
        s.add(box(-0.44, 0.28, 0.44, 0.84, 0.1), "accent")
        s.add(bar(-0.38, 0.4, 0.38, 0.4, 0.045), "metal", "flat")
    elif pocket == 2:
        s.both(box(0.04, 0.34, 0.5, 0.84, 0.08), "accent")
    elif pocket == 3:
        s.add(box(-0.44, 0.5, 0.44, 0.86, 0.08), "accent")
        s.add(box(-0.36, 0.06, 0.36, 0.42, 0.08), "light")


def suitcase(s: Sketch, v: Variant) -> None:
    """Draw a suitcase."""
    width, base = v["width"], 0.95
    top = -0.55
    if v.on("handle") == 1:
        s.both(bar(width * 0.4, top, width * 0.4, -1.15, 0.06), "metal", "flat")
        s.add(box(-width * 0.48, -1.2, width * 0.48, -1.08, 0.05), "dark")
    elif v.on("handle") == 0:
        s.add(bend((-0.22, top + 0.02), (-0.2, top - 0.2), (0.2, top - 0.2), (0.22, top + 0.02), width=0.08), "dark")
    else:
        s.both(
            bend(
                (width * 0.3, top + 0.02),
                (width * 0.3, top - 0.16),
                (width * 0.75, top - 0.16),
                (width * 0.75, top + 0.02),
                width=0.07,
            ),
            "dark",
        )
    if v.on("base") > 0:
        for x in (
            (-width * 0.8, width * 0.8) if v.on("base") == 1 else (-width * 0.8, -width * 0.3, width * 0.3, width * 0.8)
        ):
            s.add(oval(x, base + 0.05, 0.1, 0.1), "dark", "ball")
    s.add(box(-width, top, width, base, 0.16))
    face = v.on("face")
    if face in (1, 3):
        for x in np.linspace(-0.7, 0.7, 6):
            s.add(bar(x * width, top + 0.1, x * width, base - 0.1, 0.04), "trim", "flat")
    if face in (2, 3):
        for y in np.linspace(top + 0.22, base - 0.22, 6):
            s.add(bar(-width + 0.04, float(y), width - 0.04, float(y), 0.04), "trim", "flat")
    if face == 4:
        s.both(box(width * 0.45, top, width * 0.62, base), "leather", "flat")
        s.both(box(width * 0.41, 0.1, width * 0.66, 0.26, 0.02), "metal", "flat")
    s.both(box(width - 0.2, top, width - 0.04, top + 0.16, 0.06), "accent", "flat")


BAGS = (
    Archetype(
        "Handbags",
        ("Fashion", "Bags"),
        handbag,
        (
            choice("handle", "Twin handles", "Arch handle", "Shoulder strap", "Chain strap"),
            choice("body", "Trapeze", "Boxy", "Bucket", "Hobo"),
            choice("front", "Plain", "Flap", "Zipped", "Pocket", "Belted"),
            axis("height", Clutch=0.62, Medium=0.98, Tall=1.28),
        ),
        ("leather", "canvas", "suede"),
        (40, 420),
    ),
    Archetype(
        "Backpacks",
        ("Fashion", "Bags"),
        backpack,
        (
            choice("top", "Zip-top", "Flap-top", "Roll-top"),
            choice("pocket", "Plain", "One pocket", "Side by side", "Stacked pockets"),
            axis("height", Mini=0.3, Daypack=0.65, Tall=1.02),
            choice("sides", "Slim sides", "Bottle pockets"),
        ),
        ("nylon", "canvas", "leather"),
        (30, 190),
    ),
    Archetype(
        "Suitcases",
        ("Fashion", "Bags"),
        suitcase,
        (
            choice("face", "Smooth", "Vertical ribs", "Horizontal ribs", "Grid", "Strapped"),
            choice("handle", "Carry handle", "Pull handle", "Twin handles"),
            axis("width", Cabin=0.48, Medium=0.64, Trunk=0.88),
            choice("base", "No wheels", "Two wheels", "Four wheels"),
        ),
        ("plastic", "aluminium", "leather"),
        (50, 350),
    ),
)

"""Drawings of vases, lamps and clocks, seen from the front."""

import numpy as np

from pipelines.demo.geometry import Points, bar, box, mirrored, oval, poly, regular, smooth, tube
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice


def vase(s: Sketch, v: Variant) -> None:
    """Draw a vase."""
    lip, belly, foot = v["lip"], v["belly"], v["foot"]
    top, base = 0.95 - v["height"], 0.95
    at = top + (base - top) * 0.55
    if v.on("ears") > 0:
        s.both(tube(oval(lip + 0.12, top + (at - top) * 0.55, 0.24, (at - top) * 0.4, -110, 110), 0.08), "accent")
    s.add(
        smooth(
            mirrored(
                (lip, top),
                (lip * 0.8, top + (at - top) * 0.3),
                (belly, at - 0.06),
                (belly * 0.96, at + 0.2),
                (foot, base),
            ),
            rounds=2,
        ),
        "main",
        "tube",
    )
    s.add(oval(0, top + 0.06, lip * 0.84, 0.06), "hole", "flat")
    ring = v.on("ring")
    if ring:
        for y in ((at,), (at - 0.16, at + 0.16))[ring - 1]:
            half = belly * (0.93 if ring == 1 else 0.85)
            s.add(box(-half, y - 0.05, half, y + 0.05), "accent", "tube")


def lamp(s: Sketch, v: Variant) -> None:
    """Draw a table lamp."""
    top, height = -1.05, v["shade"]
    low = top + height
    stem = v.on("base")
    outlines: dict[int, Points] = {
        0: bar(0, low - 0.1, 0, 0.95, 0.08),
        1: smooth(mirrored((0.08, low - 0.05), (0.1, low + 0.2), (0.36, 0.55), (0.2, 0.95))),
        2: oval(0, 0.62, 0.34),
    }
    if stem == 3:
        for x in (-0.5, 0.05, 0.5):
            s.add(bar(0, low - 0.1, x, 1.02, 0.07), "wood", "flat")
    elif stem == 4:
        for y in np.linspace(low + 0.1, 0.82, 4):
            s.add(oval(0, float(y), 0.17, 0.14), "accent", "ball")
    else:
        s.add(outlines[stem], "metal" if stem == 0 else "accent", "tube" if stem < 2 else "ball")
        s.add(bar(0, low - 0.1, 0, low + 0.25, 0.07), "metal", "flat")
    if stem != 3:
        s.add(box(-0.38, 0.92, 0.38, 1.04, 0.05), "dark" if stem == 0 else "trim")
    shades: dict[int, Points] = {
        0: poly((-0.34, top), (0.34, top), (0.78, low), (-0.78, low)),
        1: box(-0.66, top, 0.66, low),
        2: np.vstack([oval(0, low, 0.76, height, 180, 360)]),
        3: oval(0, top + height / 2, 0.5, height * 0.56),
        4: smooth(
            poly(
                (-0.22, top),
                (0.22, top),
                (0.3, top + height * 0.5),
                (0.86, low),
                (-0.86, low),
                (-0.3, top + height * 0.5),
            ),
            rounds=1,
        ),
    }
    s.add(shades[v.on("cover")], "main", "glow")
    if v.on("cover") in (0, 1, 4):
        half = (0.78, 0.66, 0, 0, 0.8)[v.on("cover")]
        s.add(box(-half, low - 0.07, half, low), "accent", "flat")


def clock(s: Sketch, v: Variant) -> None:
    """Draw a wall or mantel clock."""
    r, rim = 0.82, v["rim"]
    case = v.on("case")
    outline = (
        oval(0, 0, r),
        box(-r, -r, r, r, 0.12),
        regular(0, 0, r * 1.06, r * 1.06, 8, 22.5),
        regular(0, 0, r * 1.15, r * 1.1, 6, 0),
    )[case]
    if v.on("top") == 1:
        s.both(oval(0.42, -0.9, 0.24), "metal", "ball")
        s.both(bar(0.45, 0.7, 0.62, 1.02, 0.12), "metal")
    elif v.on("top") == 2:
        s.add(bar(0, 0.6, 0, 1.16, 0.05), "metal", "flat")
        s.add(oval(0, 1.12, 0.15), "metal", "ball")
    s.add(outline)
    s.add(outline * (1 - rim), "paper", "flat")
    ticks = (0, 4, 12)[v.on("markers")]
    for turn in np.arange(ticks) * 2 * np.pi / max(ticks, 1):
        a, b = 0.56 * (1 - rim) * 1.1, 0.72 * (1 - rim) * 1.1
        s.add(
            bar(
                float(np.sin(turn) * a), float(np.cos(turn) * a), float(np.sin(turn) * b), float(np.cos(turn) * b), 0.07
            ),
            "dark",
            "flat",
        )
    s.add(bar(0, 0.06, -0.28, -0.26, 0.08), "dark", "flat")
    s.add(bar(0, 0.06, 0.2, -0.5, 0.06), "dark", "flat")
    s.add(oval(0, 0, 0.07), "accent", "flat")


DECORATION = (
    Archetype(
        "Vases",
        ("Home", "Decoration"),
        vase,
        (
            axis("belly", Cylinder=0.32, Pear=0.5, Globe=0.78),
            axis("lip", Bud=0.16, Open=0.34, Flared=0.6),
            axis("foot", Fine_foot=0.18, Wide_foot=0.42),
            axis("height", Low=1.1, Tall=1.95),
            choice("ears", "No handles", "Two handles"),
            choice("ring", "Plain", "One ring", "Two rings"),
        ),
        ("ceramic", "glass", "terracotta"),
        (10, 150),
    ),
    Archetype(
        "Table lamps",
        ("Home", "Lighting"),
        lamp,
        (
            choice("cover", "Cone shade", "Drum shade", "Dome shade", "Globe shade", "Bell shade"),
            choice("base", "Stick base", "Vase base", "Ball base", "Tripod", "Beaded base"),
            axis("shade", Small_shade=0.55, Medium_shade=0.85, Big_shade=1.15),
        ),
        ("linen", "paper", "metal", "cotton"),
        (25, 220),
    ),
    Archetype(
        "Clocks",
        ("Home", "Decoration"),
        clock,
        (
            choice("case", "Round", "Square", "Octagonal", "Hexagonal"),
            choice("markers", "No markers", "Four markers", "Twelve markers"),
            axis("rim", Fine_rim=0.1, Medium_rim=0.22, Broad_rim=0.4),
            choice("top", "Wall clock", "Alarm clock", "Pendulum"),
        ),
        ("wood", "metal", "plastic"),
        (12, 160),
    ),
)

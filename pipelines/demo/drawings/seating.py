"""Drawings of chairs and sofas."""

import numpy as np

from pipelines.demo.geometry import Points, bar, bend, blob, box, oval, poly, smooth, tube
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice


def chair(s: Sketch, v: Variant) -> None:
    """Draw a chair from the front, a little from above."""
    top, seat = 0.2 - v["back"], 0.3
    back = v.on("style")
    if back in (1, 2, 3):
        s.both(bar(0.5, top, 0.46, seat, 0.1), "wood", "tube")
        s.add(box(-0.54, top - 0.05, 0.54, top + 0.12, 0.08), "wood")
    if back == 0:
        s.add(blob((-0.6, top), (0.6, top), (0.52, seat), (-0.52, seat)))
    elif back == 1:
        for x in np.linspace(-0.32, 0.32, 5):
            s.add(bar(x, top + 0.1, x * 0.9, seat, 0.05), "wood", "flat")
    elif back == 2:
        for y in np.linspace(top + 0.25, seat - 0.1, 3):
            s.add(box(-0.48, y - 0.06, 0.48, y + 0.06), "main")
    elif back == 3:
        s.add(box(-0.4, top + 0.14, 0.4, seat, 0.04))
    else:
        s.add(tube(oval(0, (top + seat) / 2, 0.5, (seat - top) / 2 + 0.02), 0.09), "wood")
        s.add(oval(0, (top + seat) / 2, 0.36, (seat - top) / 2 - 0.1))
    chair_legs(s, v.on("legs"), seat)
    s.add(smooth(poly((-0.56, seat - 0.06), (0.56, seat - 0.06), (0.68, seat + 0.16), (-0.68, seat + 0.16)), rounds=1))
    s.add(box(-0.67, seat + 0.12, 0.67, seat + 0.12 + v["seat"], 0.05), "trim")
    if v.on("arms") == 1:
        for side in (1, -1):
            s.add(
                bend((0.54 * side, seat - 0.3), (0.76 * side, seat - 0.32), (0.74 * side, seat + 0.2), width=0.1),
                "wood",
            )


def chair_legs(s: Sketch, kind: int, seat: float) -> None:
    """Draw four legs, splayed legs, hairpins or a swivel foot below `seat`."""
    y = seat + 0.14
    if kind == 0:
        s.both(bar(0.42, y, 0.42, 1.0, 0.08), "wood", "tube")
        s.both(bar(0.6, y, 0.6, 1.12, 0.1), "wood", "tube")
    elif kind == 1:
        s.both(bar(0.34, y, 0.5, 1.0, 0.08, 0.05), "wood", "tube")
        s.both(bar(0.5, y, 0.82, 1.12, 0.11, 0.06), "wood", "tube")
    elif kind == 2:
        s.both(tube(poly((0.42, y), (0.58, 1.12), (0.66, y)), 0.045), "metal", "flat")
    else:
        s.add(bar(0, y, 0, 0.92, 0.13), "metal", "tube")
        for x in (-0.62, 0.62, 0.16):
            s.add(bar(0, 0.86, x, 1.02, 0.08), "metal", "flat")
            s.add(oval(x, 1.06, 0.08), "dark", "ball")


def sofa(s: Sketch, v: Variant) -> None:
    """Draw a sofa."""
    seats, height = v.on("seats"), v["back"]
    half = 0.44 + 0.14 * seats
    top, seat, base = 0.2 - height, 0.25, 0.72
    legs = v.on("legs")
    if legs < 2:
        low = base + (0.12 if legs == 0 else 0.3)
        s.both(bar(half - 0.14, base - 0.05, half - 0.12, low, 0.1, 0.06), "wood", "flat")
    else:
        s.add(box(-half + 0.02, base - 0.05, half - 0.02, base + 0.16), "trim", "flat")
    if v.on("style") == 2:
        s.add(
            blob(
                (-half, top + 0.2),
                (-half * 0.5, top),
                (0, top - 0.3),
                (half * 0.5, top),
                (half, top + 0.2),
                (half, base),
                (-half, base),
            )
        )
    else:
        s.add(box(-half + 0.06, top, half - 0.06, base, 0.1))
    inner = half - 0.18
    for number in range(seats):
        x0, x1 = (-inner + 2 * inner * (number + k) / seats for k in (0, 1))
        if v.on("style") == 1:
            s.add(box(x0 + 0.015, top + 0.06, x1 - 0.015, seat + 0.04, 0.08), "light")
        s.add(box(x0, seat, x1, seat + 0.24, 0.07), "light")
    s.add(box(-half + 0.1, seat + 0.22, half - 0.1, base, 0.03), "trim", "top")
    arm: Points = (
        box(half - 0.2, seat - 0.22, half, base, 0.02),
        blob(
            (half - 0.24, seat - 0.32),
            (half + 0.08, seat - 0.32),
            (half + 0.06, seat),
            (half, base),
            (half - 0.2, base),
        ),
        poly((half - 0.2, top + 0.12), (half - 0.04, seat - 0.02), (half, base), (half - 0.2, base)),
    )[v.on("arms")]
    s.both(arm)
    if v.nudge > 0.2:
        s.add(box(-inner + 0.02, seat - 0.26, -inner + 0.34, seat + 0.06, 0.06), "accent")


SEATING = (
    Archetype(
        "Chairs",
        ("Home", "Furniture", "Seating"),
        chair,
        (
            choice("style", "Shell back", "Spindle back", "Ladder back", "Panel back", "Medallion back"),
            choice("legs", "Straight legs", "Splayed legs", "Hairpin legs", "Swivel"),
            axis("back", Low_back=0.62, Mid_back=0.95, High_back=1.3),
            choice("arms", "Armless", "With arms"),
            axis("seat", Thin_seat=0.05, Cushioned=0.18),
        ),
        ("linen", "leather", "plastic", "wood"),
        (40, 320),
    ),
    Archetype(
        "Sofas",
        ("Home", "Furniture", "Seating"),
        sofa,
        (
            axis("seats", Armchair=1, Two_seater=2, Three_seater=3, Four_seater=4),
            choice("arms", "Square arms", "Rolled arms", "Sloped arms"),
            choice("style", "Tight back", "Cushion back", "Camel back"),
            choice("legs", "Short legs", "Tall legs", "Skirted"),
            axis("back", Low_back=0.45, High_back=0.85),
        ),
        ("linen", "leather", "velvet"),
        (300, 2200),
    ),
)

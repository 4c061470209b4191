"""Drawings of balls, bicycles and skateboards."""

import numpy as np

from pipelines.demo.geometry import bar, bend, blob, box, mirrored, oval, poly, regular, smooth, star, tube
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice


def ball(s: Sketch, v: Variant) -> None:
    """Draw a ball."""
    r, kind = v["size"], v.on("kind")
    tall = 0.66 if kind == 5 else 1.0
    s.add(oval(0, 0, r, r * tall), "main", "ball")
    (football, basketball, tennis_ball, beach_ball, volleyball, rugby_ball)[kind](s, r)
    if v.on("mark") == 1:
        s.add(star(0, r * 0.42 * tall, r * 0.26), "accent", "flat")
    elif v.on("mark") == 2:
        s.add(box(-r * 0.94, -r * 0.12, r * 0.94, r * 0.12), "accent", "ball")


def football(s: Sketch, r: float) -> None:
    """Draw a pentagon, its seams and the corners of its neighbours on a ball of radius `r`."""
    s.add(regular(0, 0, r * 0.34, r * 0.34, 5), "dark", "flat")
    for turn in np.radians(np.arange(5) * 72 - 90):
        c, n = float(np.cos(turn)), float(np.sin(turn))
        s.add(bar(c * r * 0.34, n * r * 0.34, c * r * 0.7, n * r * 0.7, 0.045), "dark", "flat")
        s.add(oval(c * r * 0.8, n * r * 0.8, r * 0.13), "dark", "flat")


def basketball(s: Sketch, r: float) -> None:
    """Draw four dark seams."""
    left, right = oval(-r * 1.1, 0, r * 0.8, r * 0.95, -60, 60), oval(r * 1.1, 0, r * 0.8, r * 0.95, 120, 240)
    for path in (poly((0, -r), (0, r)), poly((-r, 0), (r, 0)), left, right):
        s.add(tube(path, 0.05), "dark", "flat")


def tennis_ball(s: Sketch, r: float) -> None:
    """Draw two pale curved seams."""
    s.add(tube(oval(-r * 0.9, 0, r * 0.75, r * 0.9, -58, 58), 0.08), "pale", "flat")
    s.add(tube(oval(r * 0.9, 0, r * 0.75, r * 0.9, 122, 238), 0.08), "pale", "flat")


def beach_ball(s: Sketch, r: float) -> None:
    """Draw three coloured wedges."""
    for number in range(0, 6, 2):
        s.add(np.vstack([oval(0, 0, r, r, number * 60, number * 60 + 60), poly((0, 0))]), "accent", "ball")
    s.add(oval(0, 0, r * 0.16), "pale", "flat")


def volleyball(s: Sketch, r: float) -> None:
    """Draw three pairs of panel seams."""
    for turn in np.radians((0, 120, 240)):
        rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        for offset in (-0.25, 0.15):
            path = smooth(poly((-0.2, offset), (0.4, offset + 0.12), (0.95, offset * 0.4)), closed=False) * r
            s.add(tube(path @ rotation, 0.04), "trim", "flat")


def rugby_ball(s: Sketch, r: float) -> None:
    """Draw the lacing and the bands of an oval ball."""
    s.add(bar(-r * 0.4, 0, r * 0.4, 0, 0.05), "pale", "flat")
    for x in np.linspace(-0.3, 0.3, 5):
        s.add(bar(x * r, -0.08, x * r, 0.08, 0.04), "pale", "flat")
    s.both(box(r * 0.6, -r * 0.4, r * 0.7, r * 0.4), "pale", "flat")


def bicycle(s: Sketch, v: Variant) -> None:
    """Draw a bicycle."""
    r, y, tyre = v["wheel"], 0.5, v["tyre"]
    rear, front = (-0.6, y), (0.6, y)
    for x in (-0.6, 0.6):
        s.add(tube(oval(x, y, r), tyre), "dark", "flat")
        for turn in np.radians(np.arange(0, 180, 36)):
            c, n = float(np.cos(turn)) * r, float(np.sin(turn)) * r
            s.add(bar(x - c, y - n, x + c, y + n, 0.012), "metal", "flat")
        s.add(oval(x, y, 0.05), "metal", "flat")
    crank, saddle, head = (-0.1, y + 0.02), (-0.3, -0.32), (0.42, -0.36)
    frame = v.on("frame")
    if frame == 0:
        s.add(tube(poly(rear, crank, head, (-0.26, -0.22), rear), 0.07), "main", "flat")
        s.add(bar(*crank, *saddle, 0.07), "main", "flat")
    elif frame == 1:
        s.add(tube(smooth(poly(head, (0.2, 0.3), crank, rear), closed=False), 0.08), "main", "flat")
        s.add(bar(*crank, *saddle, 0.07), "main", "flat")
    else:
        s.add(bar(-0.62, y, 0.46, -0.2, 0.1), "main", "flat")
        s.add(bar(-0.12, y, *saddle, 0.07), "main", "flat")
    s.add(bar(*front, 0.38, -0.5, 0.065), "main", "flat")
    s.add(bar(*saddle, -0.33, -0.48, 0.05), "metal", "flat")
    s.add(blob((-0.56, -0.56), (-0.12, -0.5), (-0.2, -0.44), (-0.5, -0.44)), "leather")
    s.add(
        {
            0: bend((0.38, -0.48), (0.36, -0.62), (0.62, -0.64), width=0.06),
            1: bend((0.38, -0.5), (0.66, -0.54), (0.72, -0.3), (0.5, -0.26), width=0.055),
            2: bend((0.38, -0.48), (0.4, -0.74), (0.12, -0.7), width=0.06),
        }[v.on("bar")],
        "dark",
        "flat",
    )
    s.add(tube(oval(*crank, 0.11), 0.04), "metal", "flat")
    if v.on("extra") == 1:
        s.add(poly((0.88, -0.4), (0.83, -0.1), (0.53, -0.1), (0.48, -0.4)), "wood")
    elif v.on("extra") == 2:
        s.both(tube(oval(0.6, y, r + 0.08, r + 0.08, 200, 320), 0.06), "accent", "flat")


def skateboard(s: Sketch, v: Variant) -> None:
    """Draw a skateboard from below, standing."""
    half, nose = v["width"], v.on("nose")
    top, base = -v["length"], v["length"]
    s.add(
        {
            0: box(-half, top, half, base, half),
            1: smooth(mirrored((0.06, top), (half * 0.8, top + 0.5), (half, 0.3), (half * 0.7, base)), rounds=2),
            2: smooth(
                mirrored(
                    (half * 0.7, top), (half, top + 0.3), (half * 0.72, 0.0), (half, base - 0.3), (half * 0.7, base)
                ),
                rounds=2,
            ),
        }[nose]
    )
    art = v.on("art")
    if art == 1:
        s.add(star(0, 0, half * 0.9), "accent", "flat")
    elif art == 2:
        for y in (-0.3, -0.05, 0.2):
            s.add(box(-half * 0.86, y, half * 0.86, y + 0.12), "accent", "flat")
    elif art == 3:
        s.add(
            smooth(
                poly(
                    (-0.1, -0.5),
                    (half * 0.7, -0.5),
                    (0.06, -0.06),
                    (half * 0.6, -0.06),
                    (-half * 0.5, 0.5),
                    (-0.02, 0.06),
                    (-half * 0.6, 0.06),
                ),
                rounds=0,
            ),
            "accent",
            "flat",
        )
    for y in (top + 0.36, base - 0.36):
        s.add(box(-half - 0.02, y - 0.04, half + 0.02, y + 0.04), "metal", "flat")
        s.add(box(-0.12, y - 0.12, 0.12, y + 0.12, 0.03), "metal", "soft")
        s.both(
            box(half - 0.12, y - 0.12, half + 0.12, y + 0.12, 0.06), "pale" if v.on("wheels") == 0 else "dark", "tube"
        )


SPORTS = (
    Archetype(
        "Balls",
        ("Leisure", "Sports"),
        ball,
        (
            choice("kind", "Football", "Basketball", "Tennis ball", "Beach ball", "Volleyball", "Rugby ball"),
            choice("mark", "Plain", "Star", "Banded"),
            axis("size", Mini=0.5, Training=0.68, Match=0.88),
        ),
        ("leather", "rubber", "plastic"),
        (6, 60),
    ),
    Archetype(
        "Bicycles",
        ("Leisure", "Sports", "Cycling"),
        bicycle,
        (
            choice("frame", "Diamond", "Step-through", "Folding"),
            choice("bar", "Flat bar", "Drop bar", "Swept bar"),
            axis("tyre", Thin_tyres=0.05, Fat_tyres=0.13),
            choice("extra", "Bare", "Basket", "Mudguards"),
            axis("wheel", Small_wheels=0.28, Large_wheels=0.42),
        ),
        ("metal", "lacquer"),
        (120, 2400),
        False,
    ),
    Archetype(
        "Skateboards",
        ("Leisure", "Sports"),
        skateboard,
        (
            choice("nose", "Popsicle", "Pintail", "Wasp"),
            choice("art", "Plain", "Star", "Stripes", "Bolt"),
            axis("length", Cruiser=0.75, Street=0.95, Longboard=1.18),
            axis("width", Slim=0.26, Wide=0.42),
            choice("wheels", "Pale wheels", "Dark wheels"),
        ),
        ("wood", "lacquer"),
        (25, 160),
        False,
    ),
)

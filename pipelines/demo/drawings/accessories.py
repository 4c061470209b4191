"""Drawings of glasses, watches, necklaces and umbrellas, seen from the front."""

import numpy as np

from pipelines.demo.geometry import bar, bend, blob, box, oval, poly, regular, smooth, tube
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice


def glasses(s: Sketch, v: Variant) -> None:
    """Draw glasses."""
    lens, rim, size = v.on("lens"), v["rim"], v["size"]
    for side in (1, -1):
        outline = {
            0: oval(0, 0, 0.38, 0.36),
            1: box(-0.42, -0.3, 0.42, 0.3, 0.08),
            2: poly((-0.36, -0.16), (0.1, -0.28), (0.52, -0.42), (0.42, 0.04), (0.2, 0.28), (-0.2, 0.3), (-0.36, 0.1)),
            3: blob((-0.46, -0.3), (0.44, -0.3), (0.48, 0.0), (0.2, 0.46), (-0.12, 0.4), (-0.42, 0.06)),
            4: regular(0, 0, 0.44, 0.38, 6, 0),
            5: box(-0.44, -0.2, 0.44, 0.2, 0.2),
        }[lens] * size * (side, 1.0) + (0.5 * side, 0.0)
        s.add(bar(0.86 * side, -0.16, 1.0 * side, -0.2, 0.1), "main", "flat")
        centre = outline.mean(axis=0)
        if v.on("frame") == 0:
            s.add((outline - centre) * (1 + rim) + centre)
        elif v.on("frame") == 1:
            upper = (outline - centre) * (1 + rim * 1.3) + centre
            s.add(np.where(upper[:, 1:] > 0.0, upper * (1, 0) + (0, 0.0), upper))
        s.add(outline, ("glass", "tint", "fade")[v.on("tint")], "top" if v.on("tint") else "flat")
        s.add(
            poly((centre[0] - 0.18, -0.16), (centre[0] - 0.08, -0.16), (centre[0] - 0.2, 0.14), (centre[0] - 0.26, 0.1))
            * (1, size),
            "gleam",
            "flat",
        )
    s.add(bend((-0.2, -0.06), (0.0, -0.16), (0.2, -0.06), width=0.06), "main", "flat")
    if v.on("bridge") == 1:
        s.add(bar(-0.3, -0.26 * size, 0.3, -0.26 * size, 0.055), "main", "flat")


def watch(s: Sketch, v: Variant) -> None:
    """Draw a wrist watch."""
    strap = v.on("strap")
    half = (0.24, 0.26, 0.22, 0.3)[strap]
    role = ("leather", "metal", "accent", "main")[strap]
    s.add(poly((-half, -0.3), (half, -0.3), (half * 0.8, -1.2), (-half * 0.8, -1.2)), role, "tube")
    s.add(poly((-half, 0.3), (half, 0.3), (half * 0.8, 1.2), (-half * 0.8, 1.2)), role, "tube")
    if strap == 1:
        for y in np.linspace(0.5, 1.12, 6):
            s.add(bar(-half, y, half, y, 0.035), "dark", "flat")
            s.add(bar(-half, -y, half, -y, 0.035), "dark", "flat")
    elif strap == 0:
        for y in (0.7, 0.84, 0.98):
            s.add(oval(0, y, 0.035), "dark", "flat")
    elif strap == 2:
        s.add(poly((-half * 0.3, -0.3), (half * 0.3, -0.3), (half * 0.25, -1.2), (-half * 0.25, -1.2)), "pale", "flat")
        s.add(poly((-half * 0.3, 0.3), (half * 0.3, 0.3), (half * 0.25, 1.2), (-half * 0.25, 1.2)), "pale", "flat")
    r = v["size"]
    dial = v.on("dial")
    outline = (
        oval(0, 0, r),
        box(-r * 0.85, -r, r * 0.85, r, 0.1),
        regular(0, 0, r * 1.05, r * 1.05, 8, 22.5),
        oval(0, 0, r * 1.05, r * 0.74),
    )[dial]
    s.add(box(r * 0.8, -0.06, r + 0.1, 0.06, 0.02), "metal", "flat")
    s.add(outline * 1.12, "metal", "soft")
    s.add(outline * 0.96, "main", "flat")
    watch_face(s, v, r)


def watch_face(s: Sketch, v: Variant, r: float) -> None:
    """Draw markers, sub-dials and hands."""
    dials = ((), ((0.0, 0.45),), ((-0.42, 0.0), (0.42, 0.0)), ((-0.4, -0.08), (0.4, -0.08), (0.0, 0.46)))[
        v.on("subdials")
    ]
    for x, y in dials:
        s.add(oval(x * r, y * r, r * 0.25), "pale", "flat")
        s.add(bar(x * r, y * r, x * r, y * r - 0.08, 0.025), "dark", "flat")
    ticks = (0, 4, 12)[v.on("markers")]
    for turn in np.arange(ticks) * 2 * np.pi / max(ticks, 1):
        x, y = (
            np.sin(turn) * r * (0.72 if v.on("dial") != 3 else 0.8),
            np.cos(turn) * r * (0.72 if v.on("dial") != 3 else 0.5),
        )
        s.add(oval(float(x), float(y), 0.05), "pale", "flat")
    s.add(bar(0, 0, 0, -r * 0.62, 0.05), "pale", "flat")
    s.add(bar(0, 0, r * 0.42, r * 0.16, 0.06), "pale", "flat")
    s.add(oval(0, 0, 0.05), "metal", "flat")


def umbrella(s: Sketch, v: Variant) -> None:
    """Draw an open umbrella."""
    arch, top = v["arch"], -0.75
    s.add(bar(0, top - 0.2, 0, 0.95, 0.05), "metal", "flat")
    handle = v.on("handle")
    if handle == 0:
        s.add(bend((0, 0.7), (0, 1.15), (0.3, 1.18), (0.3, 0.95), width=0.1), "wood")
    elif handle == 1:
        s.add(box(-0.08, 0.6, 0.08, 1.12, 0.06), "dark")
    else:
        s.add(oval(0, 1.0, 0.14), "wood", "ball")
    panels = v.on("panels")
    rim = top + arch
    for number in range(panels):
        x0, x1 = (-1 + 2 * (number + k) / panels for k in (0, 1))
        y0, y1 = (rim - (0.1 if v.on("edge") else 0.0) * np.cos(x * 1.5) for x in (x0, x1))
        middle = (x0 + x1) / 2
        arc = (
            oval(0, rim, 1.0, arch, 180 + 180 * number / panels, 180 + 180 * (number + 1) / panels)
            if panels == 1
            else None
        )
        dip = 0.16 / panels if v.on("edge") else -0.02
        sides = smooth(poly((0, top), (x0 * 0.75, top + arch * 0.3), (x0, y0)), closed=False)
        right = smooth(poly((x1, y1), (x1 * 0.75, top + arch * 0.3), (0, top)), closed=False)
        s.add(
            np.vstack([sides, poly((middle, (y0 + y1) / 2 - dip)), right]) if arc is None else arc,
            "accent" if v.on("colours") and number % 2 else "main",
        )


def necklace(s: Sketch, v: Variant) -> None:
    """Draw a necklace."""
    drop, chain = v["drop"], v.on("chain")
    path = smooth(
        poly(
            (-0.7, -1.0), (-0.66, -0.3), (-0.3, drop - 0.1), (0.0, drop), (0.3, drop - 0.1), (0.66, -0.3), (0.7, -1.0)
        ),
        closed=False,
        rounds=3,
    )
    if chain == 0:
        s.add(tube(path, 0.035), "metal", "flat")
    else:
        for x, y in path[:: 2 if chain == 1 else 3]:
            s.add(
                oval(float(x), float(y), 0.065 if chain == 1 else 0.04 + 0.1 * max(0.0, float(y) + 0.6)),
                "main" if chain == 1 else "accent",
                "ball",
            )
    pendant = v.on("pendant")
    if pendant == 1:
        s.add(oval(0, drop + 0.2, 0.2), "main", "ball")
    elif pendant == 2:
        s.add(regular(0, drop + 0.24, 0.2, 0.3, 4), "main", "soft")
    elif pendant == 3:
        s.add(
            blob(
                (0, drop + 0.56),
                (-0.36, drop + 0.16),
                (-0.2, drop - 0.06),
                (0, drop + 0.1),
                (0.2, drop - 0.06),
                (0.36, drop + 0.16),
            ),
            "main",
        )
    elif pendant == 4:
        s.add(bar(0, drop, 0, drop + 0.55, 0.12), "metal")
        s.add(bar(-0.17, drop + 0.17, 0.17, drop + 0.17, 0.12), "metal")
    elif pendant == 5:
        for x, long in ((-0.2, 0.3), (0.0, 0.5), (0.2, 0.3)):
            s.add(bar(x, drop - abs(x) * 0.3, x, drop + long, 0.05, 0.12), "main")


ACCESSORIES = (
    Archetype(
        "Glasses",
        ("Fashion", "Accessories", "Eyewear"),
        glasses,
        (
            choice("lens", "Round", "Square", "Cat-eye", "Aviator", "Hexagonal", "Capsule"),
            choice("tint", "Clear", "Tinted", "Gradient tint"),
            choice("frame", "Full rim", "Half rim", "Rimless"),
            axis("size", Small=0.8, Oversize=1.14),
            choice("bridge", "Single bridge", "Double bridge"),
            axis("rim", Fine=0.14, Chunky=0.32),
        ),
        ("acetate", "metal", "plastic"),
        (20, 240),
        False,
    ),
    Archetype(
        "Watches",
        ("Fashion", "Accessories", "Watches"),
        watch,
        (
            choice("dial", "Round", "Square", "Octagonal", "Oval"),
            choice("strap", "Leather strap", "Link bracelet", "Striped strap", "Rubber strap"),
            choice("subdials", "Plain", "One subdial", "Two subdials", "Chronograph"),
            choice("markers", "No markers", "Four markers", "Twelve markers"),
            axis("size", Small=0.4, Large=0.58),
        ),
        ("metal", "ceramic", "plastic"),
        (50, 900),
        False,
    ),
    Archetype(
        "Necklaces",
        ("Fashion", "Accessories", "Jewellery"),
        necklace,
        (
            choice("pendant", "No pendant", "Disc", "Lozenge", "Heart", "Cross", "Fringe"),
            choice("chain", "Fine chain", "Beaded", "Graduated beads"),
            axis("drop", Choker=-0.45, Princess=0.0, Opera=0.45),
        ),
        ("glass", "metal", "ceramic"),
        (12, 300),
        False,
    ),
    Archetype(
        "Umbrellas",
        ("Fashion", "Accessories", "Umbrellas"),
        umbrella,
        (
            axis("panels", Four_panels=4, Six_panels=6, Eight_panels=8),
            choice("handle", "Crook", "Straight grip", "Knob"),
            axis("arch", Flat=0.55, Domed=1.05),
            choice("colours", "One colour", "Two-tone"),
            choice("edge", "Straight edge", "Scalloped"),
        ),
        ("nylon", "plastic"),
        (12, 70),
        False,
    ),
)

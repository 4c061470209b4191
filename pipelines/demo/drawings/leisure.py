"""Drawings of books, guitars, headphones and cameras."""

import numpy as np

from pipelines.demo.geometry import bar, bend, blob, box, mirrored, oval, poly, regular, smooth, star, tube
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice


def book(s: Sketch, v: Variant) -> None:
    """Draw a standing book."""
    half, thick, top, base = v["width"], v["thick"], -0.9, 0.9
    s.add(poly((-half, top), (half, top), (half + thick, top - 0.12), (-half + thick, top - 0.12)), "paper", "flat")
    s.add(poly((half, top), (half + thick, top - 0.12), (half + thick, base - 0.12), (half, base)), "paper", "top")
    for step in np.linspace(0.2, 0.8, 4):
        s.add(
            bar(half + thick * step, top - 0.12 * step, half + thick * step, base - 0.12 * step, 0.012), "hole", "flat"
        )
    s.add(box(-half, top, half, base, 0.02), "main", "flat")
    s.add(box(-half, top, -half + 0.12, base), "trim", "tube")
    x0, x1 = -half + 0.24, half - 0.12
    title = v.on("title")
    for y, width in (
        ((-0.68, 1.0), (-0.52, 0.7))
        if title == 0
        else ((0.5, 1.0), (0.66, 0.6))
        if title == 1
        else ((-0.08, 1.0), (0.08, 0.8))
    ):
        s.add(box(x0, y, x0 + (x1 - x0) * width, y + 0.09), "pale", "flat")
    picture = v.on("cover")
    y = 0.2 if title == 0 else -0.3 if title == 1 else 0.48
    middle = (x0 + x1) / 2
    if picture == 1:
        s.add(oval(middle, y, 0.26), "accent", "flat")
    elif picture == 2:
        s.add(box(x0, y - 0.22, x1, y + 0.22), "accent", "flat")
        s.add(poly((x0, y + 0.22), (middle, y - 0.1), (x1, y + 0.22)), "trim", "flat")
    elif picture == 3:
        s.add(star(middle, y, 0.28), "accent", "flat")
    elif picture == 4:
        s.add(tube(box(x0 - 0.06, top + 0.08, x1 + 0.06, base - 0.08, 0.05), 0.04), "accent", "flat")
    if v.on("extra") == 1:
        s.add(
            poly(
                (half - 0.3, base),
                (half - 0.18, base),
                (half - 0.18, base + 0.24),
                (half - 0.24, base + 0.16),
                (half - 0.3, base + 0.24),
            ),
            "accent",
            "flat",
        )
    elif v.on("extra") == 2:
        s.add(box(half - 0.22, top, half - 0.13, base), "dark", "flat")


def guitar(s: Sketch, v: Variant) -> None:
    """Draw a guitar."""
    body = v.on("body")
    s.add(bar(0, -0.95, 0, 0.5, 0.13), "wood", "tube")
    if body == 0:
        s.add(smooth(mirrored((0.1, -0.1), (0.44, -0.04), (0.3, 0.3), (0.64, 0.6), (0.5, 1.1), (0.0, 1.14))))
    elif body == 1:
        s.add(smooth(mirrored((0.1, -0.12), (0.56, -0.08), (0.46, 0.3), (0.68, 0.6), (0.64, 1.1), (0.0, 1.16))))
    elif body == 2:
        s.add(
            smooth(
                poly(
                    (-0.12, 0.1),
                    (-0.5, -0.26),
                    (-0.44, 0.3),
                    (-0.56, 0.8),
                    (-0.3, 1.12),
                    (0.3, 1.12),
                    (0.56, 0.8),
                    (0.42, 0.3),
                    (0.46, -0.1),
                    (0.12, 0.14),
                )
            )
        )
    elif body == 3:
        s.add(poly((-0.1, 0.2), (-0.62, 1.1), (-0.34, 1.16), (0.0, 0.72), (0.34, 1.16), (0.62, 1.1), (0.1, 0.2)))
    else:
        s.add(oval(0, 0.68, 0.54, 0.48), "main", "ball")
    if v.on("hole") == 0:
        s.add(oval(0, 0.42 if body != 4 else 0.56, 0.18), "dark", "flat")
    elif v.on("hole") == 1:
        s.both(bend((0.22, 0.32), (0.3, 0.5), (0.2, 0.66), (0.28, 0.8), width=0.055), "dark", "flat")
    else:
        s.add(box(-0.18, 0.42, 0.18, 0.52), "dark", "flat")
        s.add(box(-0.18, 0.66, 0.18, 0.76), "dark", "flat")
    if v.on("guard") == 1:
        s.add(blob((0.12, 0.3), (0.34, 0.5), (0.34, 0.86), (0.14, 0.8)), "accent", "flat")
    s.add(bar(0, -0.95, 0, 0.34, 0.1), "wood", "tube")
    s.add(box(-0.2, 0.86, 0.2, 0.94, 0.02), "wood", "flat")
    for x in (-0.03, 0.0, 0.03):
        s.add(bar(x, -1.1, x, 0.88, 0.012), "pale", "flat")
    head = v.on("head")
    s.add(
        (
            mirrored((0.08, -0.9), (0.14, -0.94), (0.12, -1.22)),
            poly((-0.06, -0.9), (-0.1, -1.22), (0.16, -1.24), (0.1, -0.9)),
            mirrored((0.05, -0.9), (0.26, -1.2), (0.0, -1.08)),
        )[head],
        "accent",
        "flat",
    )
    for y in (-1.0, -1.08, -1.16):
        s.both(oval(0.17, y, 0.035), "metal", "flat")


def headphones(s: Sketch, v: Variant) -> None:
    """Draw headphones."""
    width, cup = v["band"], v.on("cup")
    s.add(
        tube(np.vstack([poly((-0.7, 0.3)), oval(0, -0.1, 0.7, 0.82, 180, 360), poly((0.7, 0.3))]), width),
        "trim",
        "soft",
    )
    if v.on("pad") == 1:
        s.add(tube(oval(0, -0.1, 0.62, 0.74, 225, 315), 0.12), "accent")
    outline = (
        oval(0.7, 0.42, 0.27, 0.4),
        box(0.46, 0.06, 0.92, 0.8, 0.1),
        oval(0.7, 0.4, 0.22, 0.24),
        regular(0.7, 0.42, 0.3, 0.42, 6, -90),
    )[cup]
    s.both((outline - (0.7, 0.42)) * (0.9, 0.94) + (0.56, 0.42), "dark")
    s.both(outline)
    s.both((outline - (0.7, 0.42)) * 0.5 + (0.74, 0.42), "accent", "flat")
    if v.on("mic") == 1:
        s.add(bend((-0.72, 0.6), (-0.6, 0.95), (-0.1, 0.98), width=0.05), "dark", "flat")
        s.add(oval(-0.1, 0.98, 0.09, 0.06), "dark", "ball")
    elif v.on("mic") == 2:
        s.add(bend((0.7, 0.7), (0.6, 1.1), (0.0, 0.9), (-0.2, 1.15), width=0.035), "dark", "flat")


def camera(s: Sketch, v: Variant) -> None:
    """Draw a camera."""
    half, top, base, r = v["width"], -0.42, 0.6, v["lens"]
    prism = v.on("top")
    if prism == 1:
        s.add(poly((-0.3, top + 0.02), (-0.2, top - 0.28), (0.2, top - 0.28), (0.3, top + 0.02)), "trim")
    elif prism == 2:
        s.add(box(-half + 0.15, top - 0.12, -half + 0.6, top + 0.02, 0.02), "trim")
        s.add(oval(half - 0.25, top - 0.04, 0.12, 0.08), "metal", "flat")
    elif prism == 3:
        s.add(box(-0.26, top - 0.36, 0.26, top - 0.04, 0.04), "dark")
        s.add(box(-0.22, top - 0.31, 0.22, top - 0.1), "glass", "flat")
    s.both(
        bend((half - 0.02, top + 0.1), (half + 0.06, top - 0.3), (half * 0.7, -1.1), (half * 0.2, -1.2), width=0.05),
        "leather",
        "flat",
    )
    s.add(box(-half, top, half, base, 0.12))
    if v.on("grip") == 1:
        s.add(box(-half, top + 0.24, half, base - 0.16), "dark", "flat")
    elif v.on("grip") == 2:
        s.add(box(-half - 0.02, top + 0.02, -half + 0.26, base, 0.1), "dark")
    s.add(oval(0.06, 0.12, r), "dark", "ball")
    s.add(oval(0.06, 0.12, r * 0.84), "metal", "soft")
    s.add(oval(0.06, 0.12, r * 0.64), "dark", "flat")
    s.add(oval(0.06, 0.12, r * 0.46), "tint", "ball")
    s.add(oval(0.06 - r * 0.16, 0.12 - r * 0.16, r * 0.12), "gleam", "flat")
    s.add(box(half - 0.34, top + 0.06, half - 0.1, top + 0.2, 0.03), "paper", "flat")
    s.add(oval(-half + 0.2, top + 0.12, 0.07), "accent", "flat")


LEISURE = (
    Archetype(
        "Books",
        ("Leisure", "Books"),
        book,
        (
            choice("cover", "Text only", "Round picture", "Landscape", "Star", "Framed"),
            choice("title", "Title on top", "Title below", "Title in the middle"),
            axis("thick", Slim=0.08, Novel=0.2, Doorstop=0.38),
            axis("width", Pocket=0.45, Large=0.66),
            choice("extra", "Plain", "Bookmark", "Elastic band"),
        ),
        ("paper", "linen", "leather"),
        (6, 60),
    ),
    Archetype(
        "Guitars",
        ("Leisure", "Music"),
        guitar,
        (
            choice("body", "Parlour", "Dreadnought", "Double-cut", "Flying V", "Resonator"),
            choice("hole", "Round hole", "F-holes", "Pickups"),
            choice("head", "Slotted head", "Six in line", "Fishtail"),
            choice("guard", "No guard", "Pickguard"),
        ),
        ("wood", "lacquer"),
        (90, 1500),
        False,
    ),
    Archetype(
        "Headphones",
        ("Leisure", "Electronics"),
        headphones,
        (
            choice("cup", "Oval cups", "Square cups", "On-ear", "Hexagonal cups"),
            choice("mic", "Wireless", "With microphone", "Wired"),
            axis("band", Fine_band=0.07, Broad_band=0.2),
            choice("pad", "Plain", "Padded"),
        ),
        ("plastic", "leather", "metal"),
        (20, 380),
        False,
    ),
    Archetype(
        "Cameras",
        ("Leisure", "Electronics"),
        camera,
        (
            choice("top", "Compact", "Reflex", "Rangefinder", "Waist-level"),
            axis("lens", Small_lens=0.28, Medium_lens=0.4, Big_lens=0.54),
            choice("grip", "Plain", "Leatherette", "Grip"),
            axis("width", Slim=0.66, Wide=0.92),
        ),
        ("metal", "leather", "plastic"),
        (60, 1800),
        False,
    ),
)

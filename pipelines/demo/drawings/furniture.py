"""Drawings of tables, cabinets and beds."""

import numpy as np

from pipelines.demo.geometry import bar, blob, box, mirrored, oval, poly, smooth, tube
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice


def table(s: Sketch, v: Variant) -> None:
    """Draw a table, a little from above."""
    top, base, width = 0.85 - v["height"], 1.0, 0.96
    kind = v.on("legs")
    if kind == 0:
        s.both(bar(0.62, top, 0.62, base - 0.16, 0.08), "wood", "tube")
        s.both(bar(0.84, top, 0.84, base, 0.1), "wood", "tube")
    elif kind == 1:
        s.both(bar(0.74, top, -0.74, base, 0.1), "wood", "flat")
    elif kind == 2:
        s.add(bar(0, top, 0, base - 0.06, 0.22, 0.16), "wood", "tube")
        s.add(oval(0, base - 0.04, 0.5, 0.1), "wood", "top")
    elif kind == 3:
        s.both(bar(0.5, top, 0.76, base, 0.09), "wood", "flat")
        s.both(bar(0.66, top, 0.4, base, 0.09), "wood", "flat")
    else:
        s.both(tube(poly((0.6, top), (0.74, base), (0.86, top)), 0.05), "metal", "flat")
    under = v.on("under")
    if under == 1:
        s.add(poly((-0.66, base - 0.36), (0.66, base - 0.36), (0.82, base - 0.22), (-0.82, base - 0.22)), "trim", "top")
    elif under in (2, 3):
        s.add(box(-0.8, top, 0.8, top + 0.34), "trim")
        for x in (0.0,) if under == 2 else (-0.4, 0.4):
            s.add(box(x - 0.34, top + 0.06, x + 0.34, top + 0.28), "main", "flat")
            s.add(oval(x, top + 0.17, 0.05), "metal", "ball")
    shape = v.on("top")
    if shape == 0:
        s.add(poly((-width + 0.16, top - 0.24), (width - 0.16, top - 0.24), (width, top), (-width, top)), "main", "top")
        s.add(box(-width, top - 0.01, width, top + 0.09), "trim", "flat")
    else:
        ry = 0.17 if shape == 1 else 0.1
        s.add(oval(0, top - 0.08 + 0.09, width if shape == 1 else width * 0.78, ry), "trim", "flat")
        s.add(oval(0, top - 0.08, width if shape == 1 else width * 0.78, ry), "main", "top")


def cabinet(s: Sketch, v: Variant) -> None:
    """Draw a chest of drawers or a cupboard."""
    half, rows, columns = v["width"], v.on("rows"), v.on("columns")
    top, base = 0.8 - 0.36 * rows - 0.1, 0.8
    legs = v.on("legs")
    if legs == 0:
        s.both(bar(half - 0.1, base, half - 0.04, 1.1, 0.1, 0.06), "wood", "flat")
    elif legs == 1:
        s.add(box(-half + 0.03, base, half - 0.03, 0.94), "dark", "flat")
    else:
        s.both(oval(half - 0.12, 0.9, 0.11), "wood", "ball")
    s.add(box(-half, top, half, base, 0.02), "trim")
    s.add(box(-half - 0.05, top - 0.08, half + 0.05, top + 0.03), "light", "flat")
    for row in range(rows):
        for column in range(columns):
            x0, x1 = (-half + 0.04 + (2 * half - 0.08) * (column + k) / columns for k in (0, 1))
            y0, y1 = (top + 0.06 + (base - top - 0.1) * (row + k) / rows for k in (0, 1))
            s.add(box(x0 + 0.02, y0 + 0.02, x1 - 0.02, y1 - 0.02), "main", "flat")
            middle = (x0 + x1) / 2
            if v.on("knobs") == 0:
                s.add(oval(middle, (y0 + y1) / 2, 0.08), "metal", "ball")
            elif v.on("knobs") == 1:
                s.add(bar(middle - 0.17, (y0 + y1) / 2, middle + 0.17, (y0 + y1) / 2, 0.075), "metal", "flat")
            else:
                s.add(oval(middle, y0 + 0.03, 0.18, 0.14, 0, 180), "dark", "flat")


def bed(s: Sketch, v: Variant) -> None:
    """Draw a bed from its foot end."""
    half, head = v["width"], v["head"]
    top = 0.35 - head
    style = v.on("style")
    if style == 0:
        s.add(box(-half, top, half, 0.7, 0.08))
    elif style == 1:
        s.add(np.vstack([oval(0, top + 0.3, half, 0.4, 180, 360), poly((half, 0.7), (-half, 0.7))]))
    else:
        s.add(
            tube(poly((-half + 0.04, 0.7), (-half + 0.04, top), (half - 0.04, top), (half - 0.04, 0.7)), 0.09),
            "wood",
            "flat",
        )
        for x in np.linspace(-half + 0.2, half - 0.2, 7):
            s.add(bar(float(x), top, float(x), 0.5, 0.045), "wood", "flat")
    pillows = v.on("pillows")
    for number in range(pillows):
        x0, x1 = (-half + 0.1 + (2 * half - 0.2) * (number + k) / pillows for k in (0, 1))
        s.add(blob((x0 + 0.01, 0.02), (x1 - 0.01, 0.02), (x1 - 0.03, 0.36), (x0 + 0.03, 0.36)), "pale")
    s.add(mirrored((half - 0.1, 0.3), (half, 0.55), (half, 0.88)), "paper")
    s.add(smooth(mirrored((half - 0.08, 0.42), (half + 0.03, 0.62), (half + 0.03, 0.84)), rounds=1), "accent")
    if v.on("foot") == 0:
        s.add(box(-half - 0.04, 0.8, half + 0.04, 0.96, 0.03), "wood")
        s.both(bar(half - 0.1, 0.94, half - 0.1, 1.12, 0.1), "wood", "flat")
    else:
        s.add(box(-half - 0.04, 0.56, half + 0.04, 1.0, 0.05), "main")
        s.both(bar(half - 0.06, 0.94, half - 0.06, 1.12, 0.1), "dark", "flat")


FURNITURE = (
    Archetype(
        "Tables",
        ("Home", "Furniture"),
        table,
        (
            choice("top", "Rectangular", "Round", "Oval"),
            choice("legs", "Four legs", "Crossed legs", "Pedestal", "Trestle", "Hairpin legs"),
            axis("height", Coffee=0.6, Dining=1.05, Bar=1.6),
            choice("under", "Plain", "With shelf", "One drawer", "Two drawers"),
        ),
        ("wood", "marble", "metal", "glass"),
        (60, 600),
    ),
    Archetype(
        "Cabinets",
        ("Home", "Furniture", "Storage"),
        cabinet,
        (
            axis("rows", One_row=1, Two_rows=2, Three_rows=3, Four_rows=4, Five_rows=5),
            axis("columns", One_column=1, Two_columns=2, Three_columns=3),
            choice("knobs", "Knobs", "Bar handles", "Cut-outs"),
            choice("legs", "Legs", "Plinth", "Bun feet"),
            axis("width", Narrow=0.55, Wide=0.9),
        ),
        ("wood", "metal", "plastic"),
        (80, 700),
    ),
    Archetype(
        "Beds",
        ("Home", "Furniture", "Bedroom"),
        bed,
        (
            choice("style", "Panel head", "Arched head", "Slatted head"),
            axis("width", Single=0.52, Double=0.92),
            axis("head", Low_head=0.5, High_head=1.2),
            axis("pillows", One_pillow=1, Two_pillows=2, Three_pillows=3),
            choice("foot", "Open foot", "Footboard"),
        ),
        ("wood", "linen", "velvet", "leather"),
        (150, 1400),
    ),
)

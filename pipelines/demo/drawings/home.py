"""Drawings of kitchen ware, vases, lamps and clocks, seen from the front."""

import numpy as np

from pipelines.demo.geometry import Points, bar, bend, blob, box, mirrored, oval, poly, regular, smooth, tube
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice


def mug(s: Sketch, v: Variant) -> None:
    """Draw a mug."""
    half, base = 0.56, 0.75
    top = base - v["height"]
    widths = {0: (half, half), 1: (half + 0.14, half - 0.16), 2: (half - 0.1, half), 3: (half - 0.16, half + 0.14)}[v.on("body")]
    kind, middle = v.on("handle"), (top + base) / 2
    reach = v["height"] * 0.3
    for side in {0: (1,), 1: (1,), 2: (1,), 3: (), 4: (1, -1)}[kind]:
        at = (widths[0] + widths[1]) / 2 - 0.06
        path = {1: poly((at, middle - reach), (at + 0.36, middle - reach), (at + 0.36, middle + reach), (at, middle + reach)),
                2: smooth(poly((at, middle - reach), (at + 0.5, middle - reach * 1.3), (at + 0.3, middle), (at - 0.02, middle + reach)), closed=False)}.get(
            kind, oval(at, middle, 0.36, reach, -90, 90))
        s.add(tube(path, 0.12) * (side, 1), "accent" if v.nudge > 0.5 else "main")
    bulge = 0.16 if v.on("body") == 2 else 0.0
    s.add(smooth(mirrored((widths[0], top), (widths[0] + bulge, middle), (widths[1], base - 0.03), (widths[1] - 0.06, base + 0.04)), rounds=1), "main", "tube")
    s.add(oval(0, top + 0.02, widths[0] - 0.05, 0.085), "light", "flat")
    s.add(oval(0, top + 0.03, widths[0] - 0.1, 0.06), "hole", "flat")
    band = v.on("band")
    for y in {0: (), 1: (middle,), 2: (top + 0.26, base - 0.2), 3: (base - 0.1,), 4: ()}[band]:
        s.add(box(-half - bulge * 0.6, y - 0.07, half + bulge * 0.6, y + 0.07), "accent", "tube")
    if band == 4:
        s.add(blob((0, middle + 0.26), (-0.26, middle - 0.02), (-0.16, middle - 0.2), (0, middle - 0.08), (0.16, middle - 0.2), (0.26, middle - 0.02)), "accent", "flat")


def bottle(s: Sketch, v: Variant) -> None:
    """Draw a bottle."""
    half, neck, top = v["width"], 0.16, -1.0
    collar = top + v["neck"]
    shoulder = {0: ((neck, collar), (half, collar + 0.3)), 1: ((neck, collar), (half - 0.05, collar + 0.02), (half, collar + 0.1)),
                2: ((neck, collar - 0.1), (half * 0.6, collar + 0.3), (half, collar + 0.6))}[v.on("shoulder")]
    s.add(smooth(mirrored((neck, top), *shoulder, (half, 1.0), (half - 0.08, 1.08)), rounds=1), "main", "tube")
    stopper = v.on("cap")
    if stopper == 0:
        s.add(box(-0.13, top - 0.16, 0.13, top + 0.06, 0.03), "wood", "tube")
    elif stopper == 1:
        s.add(box(-0.2, top - 0.14, 0.2, top + 0.1, 0.03), "accent", "tube")
    elif stopper == 2:
        s.add(box(-0.07, top - 0.24, 0.07, top), "dark", "tube")
        s.add(box(-0.34, top - 0.24, 0.1, top - 0.13, 0.05), "dark")
        s.add(box(-0.17, top - 0.06, 0.17, top + 0.08), "dark", "tube")
    else:
        s.add(oval(0, top - 0.06, 0.19), "accent", "ball")
    label = v.on("label")
    if label == 1:
        s.add(box(-half + 0.04, 0.1, half - 0.04, 0.68), "paper", "tube")
        s.add(box(-half * 0.6, 0.2, half * 0.6, 0.32), "accent", "flat")
        s.add(box(-half * 0.4, 0.42, half * 0.4, 0.48), "dark", "flat")
    elif label == 2:
        s.add(oval(0, 0.38, half * 0.74, 0.3), "paper", "flat")
        s.add(oval(0, 0.38, half * 0.4, 0.16), "accent", "flat")
    elif label == 3:
        s.add(box(-half, 0.3, half, 0.42), "accent", "tube")
        s.add(box(-half, 0.52, half, 0.64), "accent", "tube")


def teapot(s: Sketch, v: Variant) -> None:
    """Draw a teapot, its spout to the left."""
    rx, ry = 0.6, v["height"]
    cy = 0.7 - ry
    spout = v.on("spout")
    path = (poly((-0.4, cy + 0.14), (-0.98, cy - 0.3)), smooth(poly((-0.4, cy + ry * 0.5), (-0.84, cy + 0.2), (-0.72, cy - 0.2), (-1.0, cy - 0.32)), closed=False),
            poly((-0.5, cy - 0.12), (-0.86, cy - 0.34)))[spout]
    s.add(tube(path, 0.26, 0.12))
    handle = v.on("handle")
    if handle == 0:
        s.add(tube(oval(rx - 0.06, cy, 0.38, ry * 0.62, -90, 90), 0.1), "accent")
    elif handle == 1:
        s.add(tube(oval(0, cy - ry * 0.6, 0.52, 0.62, 180, 360), 0.09), "accent")
    else:
        s.add(bar(0.4, cy, 1.02, cy - 0.18, 0.16, 0.2), "wood")
    s.add(oval(0, cy, rx, ry) if v.on("body") == 0 else box(-rx, cy - ry, rx, cy + ry, 0.16) if v.on("body") == 1
          else smooth(mirrored((0.34, cy - ry), (0.45, cy), (0.68, cy + ry)), rounds=1), "main", "ball")
    lid = cy - ry
    s.add(oval(0, lid + 0.04, 0.34, 0.1), "trim", "soft")
    s.add((oval(0, lid - 0.09, 0.09), regular(0, lid - 0.1, 0.12, 0.14, 3), box(-0.13, lid - 0.14, 0.13, lid - 0.03, 0.04))[v.on("knob")], "accent", "ball")
    s.add(box(-0.36, 0.66, 0.36, 0.76), "trim", "flat")


def vase(s: Sketch, v: Variant) -> None:
    """Draw a vase."""
    lip, belly, foot = v["lip"], v["belly"], v["foot"]
    top, base = 0.95 - v["height"], 0.95
    at = top + (base - top) * 0.55
    if v.on("ears") > 0:
        s.both(tube(oval(lip + 0.12, top + (at - top) * 0.55, 0.24, (at - top) * 0.4, -110, 110), 0.08), "accent")
    s.add(smooth(mirrored((lip, top), (lip * 0.8, top + (at - top) * 0.3), (belly, at - 0.06), (belly * 0.96, at + 0.2), (foot, base)), rounds=2), "main", "tube")
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
        4: smooth(poly((-0.22, top), (0.22, top), (0.3, top + height * 0.5), (0.86, low), (-0.86, low), (-0.3, top + height * 0.5)), rounds=1),
    }
    s.add(shades[v.on("cover")], "main", "glow")
    if v.on("cover") in (0, 1, 4):
        half = (0.78, 0.66, 0, 0, 0.8)[v.on("cover")]
        s.add(box(-half, low - 0.07, half, low), "accent", "flat")


def clock(s: Sketch, v: Variant) -> None:
    """Draw a wall or mantel clock."""
    r, rim = 0.82, v["rim"]
    case = v.on("case")
    outline = (oval(0, 0, r), box(-r, -r, r, r, 0.12), regular(0, 0, r * 1.06, r * 1.06, 8, 22.5), regular(0, 0, r * 1.15, r * 1.1, 6, 0))[case]
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
        s.add(bar(float(np.sin(turn) * a), float(np.cos(turn) * a), float(np.sin(turn) * b), float(np.cos(turn) * b), 0.07), "dark", "flat")
    s.add(bar(0, 0.06, -0.28, -0.26, 0.08), "dark", "flat")
    s.add(bar(0, 0.06, 0.2, -0.5, 0.06), "dark", "flat")
    s.add(oval(0, 0, 0.07), "accent", "flat")


HOME = (
    Archetype("Mugs", ("Home", "Kitchen", "Drinkware"), mug, (
        choice("handle", "Round handle", "Square handle", "Ear handle", "No handle", "Two handles"), choice("body", "Straight", "Tapered", "Barrel", "Conical"),
        choice("band", "Plain", "One band", "Two bands", "Foot band", "Heart"), axis("height", Espresso=0.75, Standard=1.15, Tall=1.55)), ("ceramic", "enamel", "glass"), (5, 30)),
    Archetype("Bottles", ("Home", "Kitchen", "Drinkware"), bottle, (
        choice("cap", "Cork", "Screw cap", "Pump", "Ball stopper"), choice("shoulder", "Round shoulder", "Square shoulder", "Sloped shoulder"),
        axis("width", Slim=0.3, Standard=0.44, Wide=0.62), choice("label", "No label", "Square label", "Oval label", "Rings"), axis("neck", Short_neck=0.24, Long_neck=0.66)),
        ("glass", "steel", "plastic"), (8, 45)),
    Archetype("Teapots", ("Home", "Kitchen", "Tableware"), teapot, (
        choice("handle", "Side handle", "Top handle", "Stick handle"), choice("spout", "Straight spout", "Swan spout", "Short spout"), choice("body", "Globe", "Square", "Bell"),
        axis("height", Squat=0.42, Standard=0.58, Tall=0.76), choice("knob", "Ball knob", "Pointed knob", "Flat knob")), ("ceramic", "enamel", "steel"), (18, 120)),
    Archetype("Vases", ("Home", "Decoration"), vase, (
        axis("belly", Cylinder=0.32, Pear=0.5, Globe=0.78), axis("lip", Bud=0.16, Open=0.34, Flared=0.6), axis("foot", Fine_foot=0.18, Wide_foot=0.42),
        axis("height", Low=1.1, Tall=1.95), choice("ears", "No handles", "Two handles"), choice("ring", "Plain", "One ring", "Two rings")), ("ceramic", "glass", "terracotta"), (10, 150)),
    Archetype("Table lamps", ("Home", "Lighting"), lamp, (
        choice("cover", "Cone shade", "Drum shade", "Dome shade", "Globe shade", "Bell shade"), choice("base", "Stick base", "Vase base", "Ball base", "Tripod", "Beaded base"),
        axis("shade", Small_shade=0.55, Medium_shade=0.85, Big_shade=1.15)), ("linen", "paper", "metal", "cotton"), (25, 220)),
    Archetype("Clocks", ("Home", "Decoration"), clock, (
        choice("case", "Round", "Square", "Octagonal", "Hexagonal"), choice("markers", "No markers", "Four markers", "Twelve markers"),
        axis("rim", Fine_rim=0.1, Medium_rim=0.22, Broad_rim=0.4), choice("top", "Wall clock", "Alarm clock", "Pendulum")), ("wood", "metal", "plastic"), (12, 160)),
)

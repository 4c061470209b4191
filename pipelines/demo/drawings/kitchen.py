"""Drawings of kitchen ware, seen from the front."""

from pipelines.demo.geometry import bar, blob, box, mirrored, oval, poly, regular, smooth, tube
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice


def mug(s: Sketch, v: Variant) -> None:
    """Draw a mug."""
    half, base = 0.56, 0.75
    top = base - v["height"]
    widths = {0: (half, half), 1: (half + 0.14, half - 0.16), 2: (half - 0.1, half), 3: (half - 0.16, half + 0.14)}[
        v.on("body")
    ]
    kind, middle = v.on("handle"), (top + base) / 2
    reach = v["height"] * 0.3
    for side in {0: (1,), 1: (1,), 2: (1,), 3: (), 4: (1, -1)}[kind]:
        at = (widths[0] + widths[1]) / 2 - 0.06
        path = {
            1: poly(
                (at, middle - reach), (at + 0.36, middle - reach), (at + 0.36, middle + reach), (at, middle + reach)
            ),
            2: smooth(
                poly(
                    (at, middle - reach),
                    (at + 0.5, middle - reach * 1.3),
                    (at + 0.3, middle),
                    (at - 0.02, middle + reach),
                ),
                closed=False,
            ),
        }.get(kind, oval(at, middle, 0.36, reach, -90, 90))
        s.add(tube(path, 0.12) * (side, 1), "accent" if v.nudge > 0.5 else "main")
    bulge = 0.16 if v.on("body") == 2 else 0.0
    s.add(
        smooth(
            mirrored(
                (widths[0], top), (widths[0] + bulge, middle), (widths[1], base - 0.03), (widths[1] - 0.06, base + 0.04)
            ),
            rounds=1,
        ),
        "main",
        "tube",
    )
    s.add(oval(0, top + 0.02, widths[0] - 0.05, 0.085), "light", "flat")
    s.add(oval(0, top + 0.03, widths[0] - 0.1, 0.06), "hole", "flat")
    band = v.on("band")
    for y in {0: (), 1: (middle,), 2: (top + 0.26, base - 0.2), 3: (base - 0.1,), 4: ()}[band]:
        s.add(box(-half - bulge * 0.6, y - 0.07, half + bulge * 0.6, y + 0.07), "accent", "tube")
    if band == 4:
        s.add(
            blob(
                (0, middle + 0.26),
                (-0.26, middle - 0.02),
                (-0.16, middle - 0.2),
                (0, middle - 0.08),
                (0.16, middle - 0.2),
                (0.26, middle - 0.02),
            ),
            "accent",
            "flat",
        )


def bottle(s: Sketch, v: Variant) -> None:
    """Draw a bottle."""
    half, neck, top = v["width"], 0.16, -1.0
    collar = top + v["neck"]
    shoulder = {
        0: ((neck, collar), (half, collar + 0.3)),
        1: ((neck, collar), (half - 0.05, collar + 0.02), (half, collar + 0.1)),
        2: ((neck, collar - 0.1), (half * 0.6, collar + 0.3), (half, collar + 0.6)),
    }[v.on("shoulder")]
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
    path = (
        poly((-0.4, cy + 0.14), (-0.98, cy - 0.3)),
        smooth(poly((-0.4, cy + ry * 0.5), (-0.84, cy + 0.2), (-0.72, cy - 0.2), (-1.0, cy - 0.32)), closed=False),
        poly((-0.5, cy - 0.12), (-0.86, cy - 0.34)),
    )[spout]
    s.add(tube(path, 0.26, 0.12))
    handle = v.on("handle")
    if handle == 0:
        s.add(tube(oval(rx - 0.06, cy, 0.38, ry * 0.62, -90, 90), 0.1), "accent")
    elif handle == 1:
        s.add(tube(oval(0, cy - ry * 0.6, 0.52, 0.62, 180, 360), 0.09), "accent")
    else:
        s.add(bar(0.4, cy, 1.02, cy - 0.18, 0.16, 0.2), "wood")
    s.add(
        oval(0, cy, rx, ry)
        if v.on("body") == 0
        else box(-rx, cy - ry, rx, cy + ry, 0.16)
        if v.on("body") == 1
        else smooth(mirrored((0.34, cy - ry), (0.45, cy), (0.68, cy + ry)), rounds=1),
        "main",
        "ball",
    )
    lid = cy - ry
    s.add(oval(0, lid + 0.04, 0.34, 0.1), "trim", "soft")
    s.add(
        (
            oval(0, lid - 0.09, 0.09),
            regular(0, lid - 0.1, 0.12, 0.14, 3),
            box(-0.13, lid - 0.14, 0.13, lid - 0.03, 0.04),
        )[v.on("knob")],
        "accent",
        "ball",
    )
    s.add(box(-0.36, 0.66, 0.36, 0.76), "trim", "flat")


KITCHEN = (
    Archetype(
        "Mugs",
        ("Home", "Kitchen", "Drinkware"),
        mug,
        (
            choice("handle", "Round handle", "Square handle", "Ear handle", "No handle", "Two handles"),
            choice("body", "Straight", "Tapered", "Barrel", "Conical"),
            choice("band", "Plain", "One band", "Two bands", "Foot band", "Heart"),
            axis("height", Espresso=0.75, Standard=1.15, Tall=1.55),
        ),
        ("ceramic", "enamel", "glass"),
        (5, 30),
    ),
    Archetype(
        "Bottles",
        ("Home", "Kitchen", "Drinkware"),
        bottle,
        (
            choice("cap", "Cork", "Screw cap", "Pump", "Ball stopper"),
            choice("shoulder", "Round shoulder", "Square shoulder", "Sloped shoulder"),
            axis("width", Slim=0.3, Standard=0.44, Wide=0.62),
            choice("label", "No label", "Square label", "Oval label", "Rings"),
            axis("neck", Short_neck=0.24, Long_neck=0.66),
        ),
        ("glass", "steel", "plastic"),
        (8, 45),
    ),
    Archetype(
        "Teapots",
        ("Home", "Kitchen", "Tableware"),
        teapot,
        (
            choice("handle", "Side handle", "Top handle", "Stick handle"),
            choice("spout", "Straight spout", "Swan spout", "Short spout"),
            choice("body", "Globe", "Square", "Bell"),
            axis("height", Squat=0.42, Standard=0.58, Tall=0.76),
            choice("knob", "Ball knob", "Pointed knob", "Flat knob"),
        ),
        ("ceramic", "enamel", "steel"),
        (18, 120),
    ),
)

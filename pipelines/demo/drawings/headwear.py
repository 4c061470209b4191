"""Drawings of caps, hats and beanies, seen from the front."""

import numpy as np

from pipelines.demo.geometry import bar, bend, blob, box, oval, poly, regular, smooth
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice


def cap(s: Sketch, v: Variant) -> None:
    """Draw a cap with a peak to the left."""
    crown, peak = v["crown"], v["peak"]
    base = 0.35
    s.add(
        blob(
            (-0.66, base + 0.04),
            (-0.62, base - crown * 0.75),
            (-0.2, base - crown * 1.08),
            (0.3, base - crown * 1.08),
            (0.72, base - crown * 0.75),
            (0.76, base + 0.04),
        )
    )
    for x in (-0.28, 0.34):
        s.add(bend((x, base), (x * 0.9, base - crown * 0.6), (0.04, base - crown), width=0.03), "trim", "flat")
    s.add(oval(0.05, base - crown * 1.0, 0.08, 0.04), "accent", "flat")
    s.add(
        blob(
            (-0.66, base - 0.16),
            (-0.2, base - 0.02),
            (0.1, base + 0.06),
            (-0.4, base + 0.2),
            (-0.72 - peak, base + 0.26),
            (-0.74 - peak, base + 0.12),
        ),
        "accent",
    )
    badge = v.on("badge")
    if badge == 1:
        s.add(oval(0.02, base - crown * 0.5, 0.17), "pale", "flat")
    elif badge == 2:
        s.add(box(-0.2, base - crown * 0.68, 0.26, base - crown * 0.32, 0.02), "pale", "flat")
    elif badge == 3:
        s.add(poly((-0.64, base - 0.18), (0.74, base - 0.18), (0.75, base), (-0.65, base)), "pale", "flat")
    if v.on("back") == 1:
        s.add(box(0.56, base - 0.1, 0.86, base + 0.04, 0.04), "metal", "flat")


def hat(s: Sketch, v: Variant) -> None:
    """Draw a hat with a brim all round."""
    brim, crown, base = v["brim"], v["crown"], 0.35
    droop = v["curve"]
    s.add(
        smooth(
            poly(
                (-brim, base + droop),
                (-0.5, base - 0.06),
                (0.5, base - 0.06),
                (brim, base + droop),
                (brim * 0.8, base + 0.14 + droop * 0.5),
                (0.0, base + 0.24),
                (-brim * 0.8, base + 0.14 + droop * 0.5),
            )
        ),
        "trim",
    )
    top = base - crown
    outline = {
        0: blob(
            (-0.52, base + 0.08), (-0.52, top), (-0.2, top - 0.14), (0.2, top - 0.14), (0.52, top), (0.52, base + 0.08)
        ),
        1: poly((-0.52, base + 0.08), (-0.46, top), (0.46, top), (0.52, base + 0.08)),
        2: smooth(
            poly(
                (-0.54, base + 0.1),
                (-0.46, top + 0.04),
                (-0.2, top - 0.1),
                (0.0, top + 0.12),
                (0.2, top - 0.1),
                (0.46, top + 0.04),
                (0.54, base + 0.1),
            )
        ),
    }[v.on("top")]
    s.add(outline, "main", "tube")
    band = v.on("band")
    if band:
        height = 0.26 if band == 2 else 0.15
        s.add(
            poly(
                (-0.52, base + 0.06 - height), (0.52, base + 0.06 - height), (0.53, base + 0.06), (-0.53, base + 0.06)
            ),
            "accent",
            "tube",
        )
    if band == 3:
        s.both(poly((0.3, base - 0.02), (0.56, base - 0.2), (0.56, base + 0.14)), "accent")
        s.add(box(0.25, base - 0.09, 0.35, base + 0.06), "trim", "flat")


def beanie(s: Sketch, v: Variant) -> None:
    """Draw a knitted hat."""
    crown, base = v["crown"], 0.45
    if v.on("ears") == 1:
        s.both(blob((0.3, base - 0.14), (0.74, base - 0.14), (0.64, base + 0.5), (0.44, base + 0.5)), "trim")
        s.both(bar(0.52, base + 0.4, 0.5, base + 0.72, 0.06), "accent", "flat")
    s.add(
        blob(
            (-0.72, base),
            (-0.74, base - crown * 0.6),
            (-0.35, base - crown * 1.1),
            (0.35, base - crown * 1.1),
            (0.74, base - crown * 0.6),
            (0.72, base),
        )
    )
    for x in np.linspace(-0.54, 0.54, 7):
        s.add(
            bend((x, base - 0.05), (x, base - crown * 0.6), (x * 0.4, base - crown * 0.95), width=0.025), "trim", "flat"
        )
    if v.on("cuff") > 0:
        s.add(box(-0.76, base - 0.12 * v.on("cuff") - 0.06, 0.76, base + 0.06, 0.06), "accent", "tube")
    top = v.on("pompom")
    if top:
        radius = 0.16 if top == 1 else 0.27
        s.add(regular(0, base - crown - radius * 0.4, radius, radius, 17), "pale", "ball")


HEADWEAR = (
    Archetype(
        "Caps",
        ("Fashion", "Accessories", "Headwear"),
        cap,
        (
            choice("badge", "Plain", "Round badge", "Patch", "Band"),
            axis("peak", Short_peak=0.0, Long_peak=0.26),
            axis("crown", Low_crown=0.55, High_crown=0.95),
            choice("back", "Fitted", "Snapback"),
        ),
        ("cotton", "wool", "denim"),
        (10, 40),
    ),
    Archetype(
        "Hats",
        ("Fashion", "Accessories", "Headwear"),
        hat,
        (
            axis("brim", Narrow_brim=0.68, Medium_brim=0.85, Wide_brim=1.02),
            choice("top", "Round crown", "Flat crown", "Pinched crown"),
            choice("band", "No band", "Slim band", "Wide band", "Bow"),
            axis("crown", Low_crown=0.36, Mid_crown=0.6, Top_hat=1.0),
            axis("curve", Upturned=-0.16, Downturned=0.12),
        ),
        ("wool", "straw", "suede"),
        (20, 110),
    ),
    Archetype(
        "Beanies",
        ("Fashion", "Accessories", "Headwear"),
        beanie,
        (
            choice("pompom", "No pompom", "Small pompom", "Big pompom"),
            choice("cuff", "No cuff", "Slim cuff", "Deep cuff"),
            axis("crown", Short=0.62, Slouchy=1.1),
            choice("ears", "Plain", "Ear flaps"),
        ),
        ("wool", "cashmere", "cotton"),
        (9, 45),
    ),
)

"""Drawings of heeled shoes and sandals, seen from the side with the toe to the left."""

from pipelines.demo.geometry import bar, bend, box, oval, poly, smooth
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice

GROUND = 0.6


def pump(s: Sketch, v: Variant) -> None:
    """Draw a shoe with a heel."""
    lift = v["heel"]
    base = GROUND - lift
    toe = {0: -1.0, 1: -0.86, 2: -0.84}[v.on("toe")]
    ankle_straps(s, v.on("strap"), base)
    s.add(
        smooth(
            poly(
                (toe, GROUND - 0.02),
                (toe + 0.02, GROUND - 0.14),
                (-0.6, GROUND - 0.3),
                (-0.38, GROUND - 0.24),
                (0.0, base + (GROUND - base) * 0.35),
                (0.4, base - 0.08),
                (0.74, base - 0.36),
                (0.86, base - 0.3),
                (0.84, base + 0.0),
                (0.5, base + 0.06),
                (0.1, base + lift * 0.5 + 0.06),
                (-0.3, GROUND),
                (toe + 0.05, GROUND),
            ),
            rounds=2,
        )
    )
    if v.on("toe") == 2:
        s.add(oval(-0.78, GROUND - 0.11, 0.13, 0.07), "skin", "flat")
    heels = {
        0: poly((0.58, base + 0.03), (0.85, base - 0.05), (0.8, GROUND), (0.73, GROUND)),
        1: poly((0.46, base + 0.03), (0.85, base - 0.05), (0.84, GROUND), (0.52, GROUND)),
        2: poly(
            (-0.3, GROUND - 0.03),
            (0.1, base + lift * 0.5),
            (0.5, base + 0.03),
            (0.85, base - 0.04),
            (0.82, GROUND),
            (-0.35, GROUND),
        ),
        3: poly(
            (0.4, base + 0.04),
            (0.85, base - 0.05),
            (0.76, GROUND - lift * 0.4),
            (0.8, GROUND),
            (0.64, GROUND),
            (0.64, GROUND - lift * 0.4),
        ),
    }
    s.add(heels[v.on("heel type")], "accent" if v.on("heel type") == 2 else "trim", "tube")
    if v.on("toe") == 1 and v.nudge > 0:
        s.add(box(-0.66, GROUND - 0.28, -0.46, GROUND - 0.16, 0.03), "metal", "flat")


def ankle_straps(s: Sketch, kind: int, base: float) -> None:
    """Draw an ankle strap, a T strap or a lace-up over a heeled shoe."""
    if kind in (1, 2):
        s.add(bend((0.2, base - 0.3), (0.45, base - 0.38), (0.82, base - 0.36), width=0.07), "trim", "flat")
        s.add(bar(0.82, base - 0.37, 0.83, base - 0.1, 0.06), "trim", "flat")
    if kind == 2:
        s.add(bar(0.24, base - 0.3, -0.46, GROUND - 0.2, 0.07), "trim", "flat")
    if kind == 3:
        for y in (0.25, 0.42, 0.6):
            s.add(
                bend((0.12, base - y - 0.05), (0.45, base - y + 0.06), (0.86, base - y - 0.05), width=0.05),
                "trim",
                "flat",
            )
        s.add(bar(0.83, base - 0.64, 0.83, base, 0.05), "trim", "flat")


def sandal(s: Sketch, v: Variant) -> None:
    """Draw a sandal."""
    back, front = v["sole"], min(v["sole"], 0.22)
    if v.on("back") != 0:
        s.add(
            bend((0.3, GROUND - back - 0.34), (0.6, GROUND - back - 0.42), (0.86, GROUND - back - 0.3), width=0.09),
            "main",
            "flat",
        )
        s.add(bar(0.84, GROUND - back - 0.34, 0.8, GROUND - back + 0.02, 0.09), "main", "flat")
    if v.on("back") == 2:
        s.add(bar(0.34, GROUND - back - 0.34, -0.3, GROUND - front - 0.2, 0.08), "main", "flat")
    s.add(
        smooth(
            poly(
                (-0.98, GROUND - front - 0.05),
                (-0.4, GROUND - front - 0.02),
                (0.1, GROUND - back),
                (0.86, GROUND - back - 0.04),
                (0.84, GROUND),
                (0.4, GROUND),
                (-0.2, GROUND),
                (-0.96, GROUND),
            ),
            rounds=1,
        ),
        "sole",
        "top",
    )
    s.add(
        bend(
            (-0.98, GROUND - front - 0.04),
            (-0.4, GROUND - front - 0.02),
            (0.1, GROUND - back),
            (0.86, GROUND - back - 0.04),
            width=0.06,
        ),
        "wood",
        "flat",
    )
    count = v.on("straps")
    for step in range(count):
        x = -0.66 + step * 0.7 / max(count, 2)
        rise = 0.24 + 0.05 * step
        y = GROUND - front - (back - front) * max(0.0, x + 0.4) * 0.9
        s.add(
            bend(
                (x - 0.14, y + 0.02),
                (x - 0.06, y - rise),
                (x + 0.16, y - rise),
                (x + 0.2, y + 0.02),
                width=0.5 / (count + 1.2),
            )
        )


HEELS = (
    Archetype(
        "Heels",
        ("Fashion", "Footwear"),
        pump,
        (
            choice("heel type", "Stiletto", "Block heel", "Wedge", "Spool"),
            choice("strap", "Pump", "Ankle strap", "T-strap", "Lace-up"),
            axis("heel", Kitten=0.22, Mid=0.42, High=0.66),
            choice("toe", "Pointed", "Round toe", "Peep toe"),
        ),
        ("leather", "satin", "suede"),
        (45, 220),
    ),
    Archetype(
        "Sandals",
        ("Fashion", "Footwear"),
        sandal,
        (
            axis("straps", One_strap=1, Two_straps=2, Three_straps=3, Four_straps=4),
            choice("back", "Mule", "Ankle strap", "T-bar"),
            axis("sole", Flat=0.1, Flatform=0.24, Wedge=0.46),
        ),
        ("leather", "canvas", "rubber"),
        (20, 110),
    ),
)

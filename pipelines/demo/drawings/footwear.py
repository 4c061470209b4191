"""Drawings of sneakers and boots, seen from the side with the toe to the left."""

from pipelines.demo.geometry import bar, blob, box, oval, poly, smooth, star
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice

GROUND = 0.6


def sneaker(s: Sketch, v: Variant) -> None:
    """Draw a sneaker."""
    sole, collar = GROUND - v["sole"], -v["collar"]
    s.add(
        blob((0.05, -0.2 + collar), (0.2, -0.42 + collar), (0.66, -0.34 + collar), (0.7, -0.1), (0.1, 0.1)),
        "trim",
        "flat",
    )
    s.add(
        blob(
            (-0.98, sole + 0.03),
            (-0.98, 0.3),
            (-0.78, 0.14),
            (-0.35, -0.02),
            (-0.05, -0.28 + collar / 2),
            (0.06, -0.32 + collar),
            (0.4, -0.2 + collar),
            (0.7, -0.38 + collar),
            (0.76, -0.05),
            (0.84, sole + 0.03),
            (0.8, sole + 0.05),
            (-0.9, sole + 0.05),
        )
    )
    if v.on("side") == 1:
        for x in (-0.08, 0.08, 0.24):
            s.add(bar(x + 0.1, -0.02, x - 0.08, sole - 0.02, 0.08), "accent", "flat")
    if v.on("side") == 2:
        s.add(smooth(poly((-0.4, 0.3), (-0.1, 0.42), (0.75, -0.08), (0.05, 0.2), (-0.25, 0.22))), "accent", "flat")
    if v.on("side") == 3:
        s.add(star(0.3, 0.12, 0.25), "accent", "flat")
    s.add(blob((-1.0, sole + 0.04), (-0.99, 0.28), (-0.8, 0.18), (-0.66, 0.24), (-0.6, sole + 0.04)), "trim")
    s.add(blob((0.62, sole + 0.02), (0.62, 0.1), (0.8, 0.02), (0.86, 0.25), (0.86, sole + 0.02)), "accent")
    s.add(box(-1.02, sole, 0.9, GROUND, 0.08), "sole", "top")
    fasten(s, v.on("closure"), collar)


def fasten(s: Sketch, kind: int, collar: float) -> None:
    """Draw laces, straps, an elastic or a zip over the instep of a sneaker."""
    top = -0.26 + collar * 0.8
    if kind == 0:
        for step in range(4):
            x, y = -0.42 + step * 0.13, 0.04 + (top - 0.04) * step / 3.4
            s.add(bar(x - 0.05, y - 0.04, x + 0.2, y + 0.08, 0.055), "pale", "flat")
    elif kind == 1:
        for step in range(2):
            y = top + 0.08 + step * 0.2
            s.add(
                poly(
                    (-0.3 - step * 0.18 + 0.1, y), (0.36, y + 0.04), (0.36, y + 0.17), (-0.34 - step * 0.16, y + 0.12)
                ),
                "accent",
            )
    elif kind == 2:
        s.add(poly((0.12, -0.12 + collar), (0.34, -0.1 + collar), (0.28, 0.22), (0.16, 0.22)), "dark", "flat")
    else:
        s.add(bar(-0.42, 0.06, 0.05, top, 0.06), "metal", "flat")


def boot(s: Sketch, v: Variant) -> None:
    """Draw a boot."""
    top, lift = 0.1 - v["shaft"], v["heel"] * 0.5
    toe = -0.98 if v.on("toe") == 1 else -0.86
    s.add(oval(0.42, top + 0.01, 0.33, 0.05), "dark", "flat")
    s.add(
        smooth(
            poly(
                (0.1, top),
                (0.75, top),
                (0.72, -0.05),
                (0.8, 0.3 - lift * 0.3),
                (0.76, GROUND - 0.08 - lift),
                (0.3, GROUND - 0.08 - lift),
                (-0.3, GROUND - 0.06),
                (toe, GROUND - 0.05),
                (toe - 0.04, GROUND - 0.15),
                (-0.62, GROUND - 0.34),
                (-0.12, 0.14 - lift * 0.3),
                (0.08, -0.1),
            ),
            rounds=2,
        ),
        "main",
        "tube",
    )
    s.add(
        smooth(
            poly(
                (toe - 0.06, GROUND - 0.09),
                (-0.3, GROUND - 0.09),
                (0.3, GROUND - 0.11 - lift),
                (0.8, GROUND - 0.12 - lift),
                (0.8, GROUND - 0.04 - lift),
                (0.3, GROUND - 0.03 - lift),
                (-0.25, GROUND),
                (toe, GROUND),
            ),
            rounds=1,
        ),
        "sole",
        "flat",
    )
    boot_heel(s, v.on("heel type"), lift)
    boot_closure(s, v.on("closure"), top)


def boot_heel(s: Sketch, kind: int, lift: float) -> None:
    """Draw a block, a stiletto or a wedge under a boot whose heel is raised by `lift`."""
    back, floor = GROUND - 0.1 - lift, GROUND - 0.08 - lift
    heels = (
        poly((0.4, floor), (0.8, back), (0.76, GROUND), (0.46, GROUND)),
        poly((0.55, floor), (0.8, back), (0.74, GROUND), (0.67, GROUND)),
        poly((-0.2, GROUND - 0.05), (0.3, back), (0.8, back), (0.78, GROUND), (-0.25, GROUND)),
    )
    s.add(heels[kind], "sole", "flat")


def boot_closure(s: Sketch, kind: int, top: float) -> None:
    """Draw laces, a zip, buckles or a fur cuff on a boot."""
    if kind == 0:
        for step in range(5):
            y = top + 0.1 + step * (0.12 - top) / 5
            s.add(bar(0.08, y, 0.34, y + 0.06, 0.05), "pale", "flat")
    elif kind == 1:
        s.add(bar(0.44, top, 0.44, 0.4, 0.05), "metal", "flat")
    elif kind == 2:
        for y in (top + 0.14, 0.02):
            s.add(box(0.06, y, 0.76, y + 0.1), "accent", "flat")
            s.add(box(0.22, y - 0.03, 0.38, y + 0.13), "metal", "flat")
    else:
        s.add(box(0.04, top - 0.06, 0.8, top + 0.14, 0.1), "pale")


FOOTWEAR = (
    Archetype(
        "Sneakers",
        ("Fashion", "Footwear"),
        sneaker,
        (
            choice("closure", "Lace-up", "Strap", "Slip-on", "Zip"),
            axis("collar", Low=0.0, Mid=0.22, High=0.5),
            choice("side", "Plain", "Striped side", "Swoosh", "Star"),
            axis("sole", Thin_sole=0.1, Cushioned=0.2, Platform=0.36),
        ),
        ("leather", "canvas", "suede"),
        (35, 160),
    ),
    Archetype(
        "Boots",
        ("Fashion", "Footwear"),
        boot,
        (
            axis("shaft", Ankle=0.3, Calf=0.75, Knee=1.15),
            choice("closure", "Lace-up", "Zipped", "Buckled", "Fur cuff"),
            axis("heel", Low_heel=0.16, Mid_heel=0.34, High_heel=0.54),
            choice("heel type", "Block", "Stiletto", "Wedge"),
            choice("toe", "Round toe", "Pointed"),
        ),
        ("leather", "suede", "rubber"),
        (60, 280),
    ),
)

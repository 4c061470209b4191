"""Drawings of T-shirts, shirts and sweaters, laid flat and seen from the front."""

import numpy as np

from pipelines.demo.geometry import Points, bar, bend, blob, box, mirrored, oval, poly, star
from pipelines.demo.sketch import Archetype, Sketch, Variant, axis, choice

SHOULDER = -0.82


def sleeve(length: float, flare: float = 0.0) -> Points:
    """Return the right sleeve: `length` 0 is none, 1 reaches the hip."""
    reach = np.array([0.36, 1.28]) * length * 0.98
    cuff = np.array([0.27, -0.06]) * (0.86 - 0.26 * length + flare)
    tip = np.array([0.7, -0.62]) + reach
    return np.vstack([poly((0.42, SHOULDER), (0.62, -0.72)), tip + cuff * 0.35, tip - cuff * 0.75, poly((0.46, -0.3))])


def torso(hem: float, width: float = 0.52, waist: float | None = None) -> Points:
    """Return a body from the shoulders to `hem`."""
    waist = width if waist is None else waist
    return mirrored((0.2, SHOULDER - 0.05), (0.5, SHOULDER + 0.04), (width, -0.4), (waist, 0.1), (width + 0.02, hem))


def neckline(s: Sketch, kind: int) -> None:
    """Cut a crew, V, scoop or boat neck."""
    outer = {
        0: oval(0, SHOULDER - 0.05, 0.23, 0.15, 0, 180),
        1: poly((-0.22, SHOULDER - 0.06), (0.22, SHOULDER - 0.06), (0.0, SHOULDER + 0.4)),
        2: oval(0, SHOULDER - 0.05, 0.3, 0.38, 0, 180),
        3: oval(0, SHOULDER - 0.04, 0.42, 0.09, 0, 180),
    }[kind]
    s.add(outer, "trim", "flat")
    s.add((outer - (0, SHOULDER - 0.05)) * (0.8, 0.74) + (0, SHOULDER - 0.06), "hole", "flat")


def tshirt(s: Sketch, v: Variant) -> None:
    """Draw a T-shirt."""
    hem = v["length"]
    if v["sleeve"] > 0:
        s.both(sleeve(v["sleeve"]))
        s.add(torso(hem))
    else:
        s.add(mirrored((0.24, SHOULDER - 0.05), (0.4, SHOULDER), (0.36, -0.5), (0.5, -0.32), (0.5, 0.1), (0.53, hem)))
    neckline(s, v.on("neck"))
    mark = v.on("print")
    if mark == 1:
        s.add(box(0.08, -0.44, 0.4, -0.06, 0.03), "accent", "flat")
    elif mark == 2:
        s.add(oval(0, -0.08, 0.28), "accent", "flat")
    elif mark == 3:
        s.add(star(0, -0.06, 0.34), "accent", "flat")
    elif mark == 4:
        s.add(box(-0.54, -0.24, 0.54, 0.02), "accent", "flat")


def shirt(s: Sketch, v: Variant) -> None:
    """Draw a buttoned shirt."""
    hem = v["hem"]
    s.both(sleeve(v["sleeve"]))
    s.add(torso(0.95 + min(hem, 0)))
    if hem > 0:
        s.add(oval(0, 0.94, 0.53, hem, 0, 180))
    s.add(poly((-0.2, SHOULDER - 0.08), (0.2, SHOULDER - 0.08), (0.0, SHOULDER + 0.22)), "hole", "flat")
    s.add(box(-0.05, SHOULDER + 0.2, 0.05, 0.97 + max(hem, 0) * 0.9), "trim", "flat")
    for step in range(6):
        s.add(oval(0, -0.48 + step * 0.26, 0.035), "pale", "flat")
    collar = v.on("collar")
    if collar == 0:
        s.both(
            poly((0.2, SHOULDER - 0.12), (0.3, SHOULDER + 0.12), (0.12, SHOULDER + 0.22), (0.0, SHOULDER + 0.12)),
            "light",
        )
    elif collar == 1:
        s.add(bend((-0.24, SHOULDER - 0.1), (0.0, SHOULDER + 0.3), (0.24, SHOULDER - 0.1), width=0.1), "light")
    else:
        s.both(
            poly((0.22, SHOULDER - 0.12), (0.52, SHOULDER + 0.1), (0.3, SHOULDER + 0.36), (0.0, SHOULDER + 0.2)),
            "light",
        )
    for side in (1, -1)[: v.on("pockets")]:
        s.add(
            poly(
                (0.12 * side, -0.36), (0.4 * side, -0.36), (0.4 * side, -0.06), (0.26 * side, 0.0), (0.12 * side, -0.06)
            ),
            "light",
        )


def sweater(s: Sketch, v: Variant) -> None:
    """Draw a knitted sweater or a hoodie."""
    hem, width = v["length"], 0.56
    neck = v.on("neck")
    if neck == 3:
        s.add(
            blob((-0.44, SHOULDER + 0.1), (-0.42, -1.14), (0.0, -1.22), (0.42, -1.14), (0.44, SHOULDER + 0.1)), "trim"
        )
    s.both(sleeve(0.98, v["sleeve"]))
    s.add(torso(hem, width))
    s.add(box(-width - 0.02, hem - 0.14, width + 0.02, hem), "trim", "flat")
    if neck < 2:
        neckline(s, neck)
    elif neck == 2:
        s.add(box(-0.22, -1.1, 0.22, SHOULDER + 0.06, 0.08), "trim", "tube")
    else:
        s.add(oval(0, SHOULDER - 0.04, 0.26, 0.22), "hole", "flat")
        s.both(bar(0.12, SHOULDER + 0.14, 0.13, -0.3, 0.04), "pale", "flat")
    sweater_front(s, v.on("front"), hem)


def sweater_front(s: Sketch, front: int, hem: float) -> None:
    """Draw a pouch, a zip, stripes or cables on a sweater."""
    if front == 1:
        s.add(poly((-0.28, 0.22), (0.28, 0.22), (0.42, 0.5), (0.42, 0.68), (-0.42, 0.68), (-0.42, 0.5)), "trim")
    elif front == 2:
        s.add(bar(0, SHOULDER + 0.12, 0, hem, 0.05), "metal", "flat")
    elif front == 3:
        for step in (-0.3, -0.14, 0.02):
            s.add(box(-0.57, step, 0.57, step + 0.08), "accent", "flat")
    elif front == 4:
        for x in (-0.28, 0.0, 0.28):
            s.add(bend(*[(x + (0.06 if k % 2 else -0.06), -0.5 + k * 0.2) for k in range(7)], width=0.06), "light")


TOPS = (
    Archetype(
        "T-shirts",
        ("Fashion", "Clothing", "Tops"),
        tshirt,
        (
            axis("sleeve", Sleeveless=0.0, Cap_sleeve=0.1, Short_sleeve=0.3, Elbow_sleeve=0.5),
            choice("neck", "Crew neck", "V-neck", "Scoop neck", "Boat neck"),
            choice("print", "Plain", "Chest pocket", "Round print", "Star print", "Chest band"),
            axis("length", Cropped=0.35, Regular=0.75, Tunic=1.15),
        ),
        ("cotton", "linen", "jersey"),
        (9, 45),
        False,
    ),
    Archetype(
        "Shirts",
        ("Fashion", "Clothing", "Tops"),
        shirt,
        (
            axis("sleeve", Short_sleeve=0.3, Three_quarter=0.68, Long_sleeve=0.98),
            choice("collar", "Point collar", "Band collar", "Wide collar"),
            axis("pockets", No_pocket=0, One_pocket=1, Two_pockets=2),
            axis("hem", Cropped=-0.4, Straight_hem=0.0, Curved_hem=0.22),
        ),
        ("cotton", "linen", "satin", "denim"),
        (18, 90),
        False,
    ),
    Archetype(
        "Sweaters",
        ("Fashion", "Clothing", "Tops"),
        sweater,
        (
            choice("neck", "Crew neck", "V-neck", "Turtleneck", "Hooded"),
            choice("front", "Plain", "Pouch pocket", "Zipped", "Chest stripes", "Cable knit"),
            axis("length", Cropped=0.42, Regular=0.78, Long=1.15),
            axis("sleeve", Slim_sleeve=0.0, Wide_sleeve=0.5),
        ),
        ("wool", "cotton", "cashmere"),
        (25, 140),
        False,
    ),
)

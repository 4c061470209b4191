"""What a drawing is made of: parts in paint order, and the axes along which one archetype varies.

Owns the records between drawings and painter; knows nothing of pixels, files or catalogues.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pipelines.demo.geometry import Points, flip


@dataclass(frozen=True, slots=True)
class Part:
    """One filled outline: `role` picks its colour and texture, `light` how it is lit (see `paint.LIGHTS`)."""

    points: Points
    role: str = "main"
    light: str = "soft"


@dataclass(slots=True)
class Sketch:
    """Parts of one product, back to front."""

    parts: list[Part] = field(default_factory=list)

    def add(self, points: Points, role: str = "main", light: str = "soft") -> None:
        """Paint `points` over what is there."""
        self.parts.append(Part(points, role, light))

    def both(self, points: Points, role: str = "main", light: str = "soft") -> None:
        """Paint `points` and their mirror image."""
        self.add(points, role, light)
        self.add(flip(points), role, light)


@dataclass(frozen=True, slots=True)
class Axis:
    """One visible way to differ: `values` maps the name of a child category to the number that the drawing uses."""

    name: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Variant:
    """Where one product lies on its archetype's axes; `nudge`, -1 to 1, decides small differences."""

    values: Mapping[str, float]
    nudge: float = 0.0

    def __getitem__(self, axis: str) -> float:
        """Return the number on `axis`."""
        return self.values[axis]

    def on(self, axis: str) -> int:
        """Return the number on a qualitative axis, as an int to compare with."""
        return round(self.values[axis])


Draw = Callable[[Sketch, Variant], None]


@dataclass(frozen=True, slots=True)
class Archetype:
    """One kind of product: where it hangs in the taxonomy, how it varies, how it is drawn and what it is made of."""

    name: str
    parents: tuple[str, ...]
    draw: Draw
    axes: tuple[Axis, ...]
    materials: tuple[str, ...]
    price: tuple[float, float]
    stands: bool = True


def axis(name: str, **values: float) -> Axis:
    """Return an axis from `Name_of_category=number` pairs."""
    return Axis(name, {label.replace("_", " "): number for label, number in values.items()})


def choice(name: str, *labels: str) -> Axis:
    """Return a qualitative axis: the labels are numbered from 0."""
    return Axis(name, {label: float(number) for number, label in enumerate(labels)})

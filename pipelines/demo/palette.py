"""Colours, patterns and materials that products come in. Owns their names and numbers; draws nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

RGB = tuple[int, int, int]

COLOURS: Final[Mapping[str, RGB]] = MappingProxyType(
    {
        "black": (44, 44, 49),
        "white": (240, 238, 232),
        "grey": (146, 148, 152),
        "navy": (36, 50, 98),
        "blue": (50, 108, 200),
        "sky": (140, 192, 230),
        "red": (204, 42, 46),
        "burgundy": (118, 30, 54),
        "pink": (240, 154, 182),
        "orange": (238, 130, 42),
        "yellow": (246, 206, 66),
        "green": (50, 142, 80),
        "olive": (118, 122, 64),
        "brown": (122, 78, 50),
        "beige": (218, 196, 160),
        "purple": (118, 70, 160),
        "turquoise": (40, 174, 176),
    }
)
COLOUR_WEIGHTS: Final = (9, 7, 6, 7, 7, 4, 6, 3, 5, 4, 4, 5, 3, 5, 5, 4, 4)

PATTERNS: Final = (
    "solid", "stripes", "pinstripes", "diagonal", "checks", "plaid", "dots", "gradient", "zigzag", "floral",
    "camouflage",
)  # fmt: skip
PATTERN_WEIGHTS: Final = (44, 8, 5, 4, 6, 6, 7, 6, 4, 6, 4)

SHAPES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"slim": (0.84, 1.0), "regular": (1.0, 1.0), "wide": (1.08, 0.88), "tall": (0.94, 1.1)}
)
SHAPE_WEIGHTS: Final = (2, 6, 2, 2)


@dataclass(frozen=True, slots=True)
class Material:
    """How a surface answers light: depth of shade, strength of highlight, kind and depth of grain (0 to 1)."""

    depth: float
    gloss: float
    grain: str
    rough: float


_CLOTH, _KNIT, _SMOOTH = (
    Material(0.42, 0.0, "weave", 0.10),
    Material(0.5, 0.0, "knit", 0.24),
    Material(0.5, 0.5, "fine", 0.03),
)
_SHINY, _WOOD, _STONE = (
    Material(0.6, 0.85, "fine", 0.03),
    Material(0.35, 0.2, "wood", 0.24),
    Material(0.35, 0.35, "veins", 0.16),
)

MATERIALS: Final[Mapping[str, Material]] = MappingProxyType(
    {
        "acetate": Material(0.4, 0.6, "veins", 0.22),
        "aluminium": Material(0.55, 0.6, "brushed", 0.12),
        "canvas": Material(0.4, 0.0, "weave", 0.2),
        "cashmere": Material(0.45, 0.0, "fine", 0.16),
        "ceramic": _SHINY,
        "cotton": _CLOTH,
        "denim": Material(0.45, 0.0, "twill", 0.3),
        "enamel": Material(0.6, 0.7, "speckle", 0.3),
        "glass": Material(0.65, 1.0, "fine", 0.0),
        "jersey": Material(0.45, 0.0, "fine", 0.06),
        "lacquer": _SHINY,
        "leather": Material(0.55, 0.4, "pebble", 0.09),
        "linen": Material(0.36, 0.0, "weave", 0.26),
        "marble": _STONE,
        "metal": Material(0.6, 0.8, "brushed", 0.1),
        "nylon": Material(0.5, 0.3, "fine", 0.08),
        "paper": Material(0.25, 0.0, "fine", 0.06),
        "plastic": _SMOOTH,
        "rubber": Material(0.5, 0.15, "fine", 0.04),
        "satin": Material(0.62, 0.55, "fine", 0.02),
        "steel": Material(0.65, 0.8, "brushed", 0.08),
        "straw": Material(0.4, 0.0, "knit", 0.34),
        "suede": Material(0.36, 0.0, "speckle", 0.16),
        "terracotta": Material(0.42, 0.0, "speckle", 0.22),
        "velvet": Material(0.66, 0.2, "fine", 0.08),
        "wood": _WOOD,
        "wool": _KNIT,
    }
)


@dataclass(frozen=True, slots=True)
class Look:
    """What one variant of a product is made of: colours, pattern (with its size and turn in degrees) and material."""

    colour: str
    second: str
    pattern: str
    material: str
    size: float = 1.0
    turn: float = 0.0
    fitting: int = 0


def mix(a: RGB, b: RGB, share: float) -> RGB:
    """Return `a` with `share` of `b` mixed in."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


METALS: Final[tuple[RGB, ...]] = ((176, 180, 188), (212, 174, 92), (92, 94, 102), (206, 158, 136))
WOODS: Final[tuple[RGB, ...]] = ((176, 128, 80), (112, 74, 48), (206, 168, 118), (64, 46, 38))
SOLES: Final[tuple[RGB, ...]] = ((242, 240, 234), (54, 52, 54), (190, 146, 96), (226, 216, 196))
LEATHERS: Final[tuple[RGB, ...]] = ((138, 88, 50), (60, 42, 34), (188, 132, 82), (40, 38, 40))


def role_colours(look: Look) -> dict[str, RGB]:
    """Return the plain colour of every role of a drawing; "main" is the ground colour of the pattern."""
    main, second = COLOURS[look.colour], COLOURS[look.second]
    black, white = (24, 24, 28), (255, 255, 255)
    dim = sum(main) < 240
    return {
        "main": main,
        "accent": second,
        "trim": mix(main, white, 0.22) if dim else mix(main, black, 0.24),
        "light": mix(main, white, 0.3),
        "hole": mix(main, black, 0.62),
        "dark": (46, 45, 50),
        "pale": (246, 244, 238) if sum(main) < 620 else (96, 98, 108),
        "paper": (248, 244, 232),
        "sole": SOLES[look.fitting % 4],
        "metal": METALS[look.fitting // 2 % 4],
        "wood": WOODS[look.fitting // 3 % 4],
        "leather": LEATHERS[look.fitting // 5 % 4],
        "glass": (222, 234, 240),
        "tint": (52, 54, 66),
        "fade": (124, 112, 110),
        "gleam": (252, 253, 255),
        "skin": (228, 184, 152),
    }

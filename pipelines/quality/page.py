"""A page of the weakest matches, pictures side by side, with the commands to type: one self-contained HTML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.quality.commands import command
from pipelines.quality.findings import LONELY, MEANINGS, MISLABELLED, TITLES, Finding, Shown, Weakest
from pipelines.search.output import printable
from pipelines.search.pictures import Pictures
from pipelines.tables.taxonomy import leaf_value

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Card:
    """An item with its picture, "" where it cannot be read."""

    shown: Shown
    picture: str

    @property
    def category(self) -> str:
        """The path of its category."""
        return leaf_value(self.shown.category)


@dataclass(frozen=True)
class Row:
    """A finding: both items, what it says, and each action as it is said and typed."""

    cards: tuple[Card, Card]
    says: str
    actions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Section:
    """The findings of a kind."""

    title: str
    meaning: str
    rows: tuple[Row, ...]


def render_page(weakest: Weakest, pictures: Pictures, config_path: str) -> str:
    """Return the page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.filters["printable"] = printable
    sections = [
        Section(TITLES[kind], MEANINGS[kind], tuple(_row(one, pictures, config_path) for one in found))
        for kind, found in weakest.findings.items()
    ]
    return environment.get_template("page.html").render(weakest=weakest, sections=sections)


def measure_of(finding: Finding) -> str:
    """Return a finding's number in words."""
    if finding.kind == MISLABELLED:
        return f"{finding.share:.0%} of what is similar is in {leaf_value(finding.category)}; {finding.score:.2f} sure"
    if finding.kind == LONELY:
        return f"similarity {finding.score:.3f}"
    return "the same photo" if finding.is_same_photo else f"{finding.score:.0f} of 64 bits differ"


def _row(finding: Finding, pictures: Pictures, config_path: str) -> Row:
    cards = tuple(Card(one, pictures.of_photo(one.item_id, one.image_uri)) for one in (finding.item, finding.other))
    actions = tuple((action.says, command(action, config_path)) for action in finding.actions)
    return Row((cards[0], cards[1]), measure_of(finding), actions)

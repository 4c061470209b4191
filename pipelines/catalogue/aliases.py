"""Categories that were renamed, merged or split: from the path that a feed says to the one that counts.

A rule names an old path and a new one. It moves all that is listed below the old path too, unless a longer one has a
rule of its own. A rule with a condition, for what a path alone cannot decide, moves single items of exactly that path;
such rules come first, in their order, and so does a rule that moves what is listed at a path to below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Final

from pipelines.catalogue.categories import MAX_DEPTH, levels_in
from pipelines.catalogue.formats.base import FeedError
from pipelines.catalogue.mapping import Item
from pipelines.catalogue.sheets import Line, Sheet
from pipelines.config import Columns
from pipelines.tables.spelling import fold_spelling
from pipelines.tables.taxonomy import category_value, leaf_value, path_of

COLUMNS: Final = ("old", "new", "when")
_OLD, _NEW = ("old", "from", "source"), ("new", "to", "target")
_WITH: Final = ("", " path", "_path", " category", "_category")
NAMES: Final[Mapping[str, str]] = {
    **{f"{word}{more}": "old" for word in _OLD for more in _WITH},
    **{f"{word}{more}": "new" for word in _NEW for more in _WITH},
    "when": "when",
}
"""What people call the columns."""
ITEM, TITLE = "item_id", "title"
_IDS: Final = re.compile(r"[\s|]+")

Path = tuple[str, ...]


@dataclass(frozen=True)
class Condition:
    """Which items a rule is for: some ids, or those whose title or attribute holds a pattern, in any case."""

    field: str
    ids: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None

    def holds(self, item: Item) -> bool:
        """Tell whether it is an item's."""
        if self.pattern is None:
            return item.item_id in self.ids
        text = item.title if self.field == TITLE else item.attributes.get(self.field, "")
        return self.pattern.search(text) is not None


@dataclass(frozen=True)
class Rule:
    """One line of the sheet."""

    line: int
    old: Path
    new: Path
    when: Condition | None = None

    @property
    def is_exact(self) -> bool:
        """Whether what is listed below the old path stays."""
        return self.when is not None or self.new[: len(self.old)] == self.old

    def moved(self, path: Path) -> Path:
        """Return where the rule moves its old path, or what is below it."""
        return self.new + path[len(self.old) :]


@dataclass(frozen=True)
class Aliases:
    """The rules of the sheet in `place`; none where there is no sheet."""

    rules: tuple[Rule, ...] = ()
    place: str = ""

    def of_item(self, path: Path, item: Item) -> Path:
        """Return the path that an item of this path is listed at now. Raises FeedError when it is too deep."""
        moved = self._followed(path, item)
        if len(moved) > MAX_DEPTH and moved != path:
            raise FeedError(
                f"{self.place}: item {item.item_id!r} comes to {leaf_value(moved)!r}, {len(moved)} levels, and the "
                f"limit is {MAX_DEPTH}: write a shorter new path"
            )
        return moved

    def of_value(self, kind: str, value: str) -> str | None:
        """Return what a category value of the taxonomy is called now, None where it keeps its name, or moves deeper."""
        path = path_of(value)
        moved = self._followed(path, None)
        if moved == path:
            return None
        if kind.startswith("level:"):
            level = int(kind.partition(":")[2])
            return category_value(moved, level) if len(moved) == level + 1 else None
        return leaf_value(moved)

    def choices(self, path: Path) -> Iterator[Rule]:
        """Yield the rules that may move a path: those with a condition, and the one that holds for all others."""
        exact, below = self._by_path
        for rule in exact.get(path, ()):
            yield rule
            if rule.when is None:
                return
        found = (below[path[:length]] for length in range(len(path), 0, -1) if path[:length] in below)
        yield from islice(found, 1)

    def _followed(self, path: Path, item: Item | None) -> Path:
        """Return where the rules lead, one after the other; without an item by the path alone."""
        passed = {path}
        while rule := next((r for r in self.choices(path) if r.when is None or (item and r.when.holds(item))), None):
            path = rule.moved(path)
            if path in passed:
                raise FeedError(
                    f"{self.place}: line {rule.line} leads in a circle, back to {leaf_value(path)!r}; remove it"
                )
            passed.add(path)
        return path

    @cached_property
    def _by_path(self) -> tuple[Mapping[Path, Sequence[Rule]], Mapping[Path, Rule]]:
        exact: dict[Path, list[Rule]] = {}
        for rule in sorted(self.rules, key=lambda rule: (rule.when is None, rule.line)):
            if rule.is_exact:
                exact.setdefault(rule.old, []).append(rule)
        return exact, {rule.old: rule for rule in self.rules if not rule.is_exact}


def read_aliases(sheet: Sheet, columns: Columns) -> Aliases:
    """Return the rules of a sheet. Raises FeedError that names the line, or both, and the fix."""
    if sheet.lines and not {"old", "new"} <= {*sheet.columns}:
        raise FeedError(f"{sheet.file} has the columns {', '.join(sheet.columns)}; it needs old and new")
    rules = tuple(rule for line in sheet.lines if (rule := _rule(sheet, line, columns)) is not None)
    _check_once(sheet, rules)
    aliases = Aliases(rules, str(sheet.file))
    for rule in rules:
        _check_ends(aliases, rule)
    return aliases


def _rule(sheet: Sheet, line: Line, columns: Columns) -> Rule | None:
    old, new = (path_in(sheet, line, name, columns) for name in ("old", "new"))
    for name, path in (("old", old), ("new", new)):
        if not path:
            raise sheet.wrong(line.number, f"the {name} path is empty; write both, or remove the line")
    said = line.text("when")
    if old == new and not said:
        return None
    return Rule(line.number, old, new, _condition(sheet, line, said, columns) if said else None)


def path_in(sheet: Sheet, line: Line, column: str, columns: Columns) -> Path:
    """Return the path in a cell, () where it is empty: written as in the feed, or a list of levels in JSON."""
    value: Any = line.cells.get(column)
    between = columns.category_separator if isinstance(columns.category, str) else ">"
    levels = value if isinstance(value, list) else levels_in(line.text(column), between)
    path = tuple(fold_spelling(str(level)) for level in levels)
    if not any(path):
        return ()
    if not all(path):
        raise sheet.wrong(line.number, f"{value!r} has an empty level; write the levels between {between!r}")
    if len(path) > MAX_DEPTH:
        raise sheet.wrong(line.number, f"{value!r} has {len(path)} levels, the limit is {MAX_DEPTH}")
    return path


def _condition(sheet: Sheet, line: Line, said: str, columns: Columns) -> Condition:
    name, sign, pattern = (part.strip() for part in said.partition("="))
    fields = (ITEM, TITLE, *columns.attributes)
    if not sign or name not in fields or not pattern:
        raise sheet.wrong(line.number, f"when = {said!r}; write FIELD=PATTERN, where FIELD is {', '.join(fields)}")
    if name == ITEM:
        return Condition(name, frozenset(filter(None, _IDS.split(pattern))))
    try:
        return Condition(name, pattern=re.compile(pattern, re.IGNORECASE))
    except re.error as error:
        raise sheet.wrong(line.number, f"{pattern!r} is no regular expression: {error}") from error


def _check_once(sheet: Sheet, rules: Sequence[Rule]) -> None:
    first: dict[Path, Rule] = {}
    for rule in rules:
        if rule.when is None and (other := first.setdefault(rule.old, rule)) is not rule:
            raise FeedError(
                f"{sheet.file}: lines {other.line} and {rule.line} both say what {leaf_value(rule.old)!r} becomes; "
                "remove one, or say by `when` which items a line is for"
            )


def _check_ends(aliases: Aliases, start: Rule) -> None:
    """Follow a rule to where it leads, whatever items its path holds. Raises FeedError for a circle."""

    def follow(path: Path, passed: tuple[Rule, ...]) -> None:
        for rule in aliases.choices(path):
            if rule in passed:
                lines = " and ".join(str(line) for line in sorted({one.line for one in passed[passed.index(rule) :]}))
                raise FeedError(
                    f"{aliases.place}: lines {lines} lead in a circle, from {leaf_value(rule.old)!r} back to it; "
                    "remove one"
                )
            follow(rule.moved(path), (*passed, rule))

    follow(start.new, (start,))

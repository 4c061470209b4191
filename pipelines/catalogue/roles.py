"""What photos are for, as a config tells it of those whose rows do not say. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import translate
from urllib.parse import unquote

from pipelines.catalogue.mapping import Photo
from pipelines.config import CatalogueSection, RoleRule


@dataclass(frozen=True)
class _Rule:
    """One rule, its patterns compiled."""

    role: str
    name: re.Pattern[str] | None
    pattern: re.Pattern[str] | None
    position: int | None

    def fits(self, uri: str, place: int, count: int) -> bool:
        """Tell whether it is about a photo, the one at a place, from 0, of so many."""
        wanted = None if self.position is None else (self.position - 1 if self.position > 0 else count + self.position)
        if wanted not in (None, place):
            return False
        path = unquote(re.split(r"[?#]", uri, maxsplit=1)[0]) if "://" in uri else uri
        names = {uri, path, path.rpartition("/")[2]}
        return (self.name is None or any(map(self.name.match, names))) and (
            self.pattern is None or any(map(self.pattern.search, names))
        )


@dataclass(frozen=True)
class Roles:
    """Rules of which the first that fits counts, the role of photos that none fits, and roles that are left out."""

    rules: tuple[_Rule, ...] = ()
    default: str = "main"
    left_out: frozenset[str] = frozenset()

    @classmethod
    def of(cls, section: CatalogueSection) -> Roles:
        """Return what a config says."""
        return cls(tuple(map(_compiled, section.roles)), section.default_role, frozenset(section.drop_roles))

    def told(self, photos: Sequence[Photo]) -> tuple[Photo, ...]:
        """Return all photos of an item, in their order, those without a role with theirs."""
        return tuple(
            photo if photo.role else replace(photo, role=self._role(photo.image_uri, place, len(photos)))
            for place, photo in enumerate(photos)
        )

    def _role(self, uri: str, place: int, count: int) -> str:
        return next((rule.role for rule in self.rules if rule.fits(uri, place, count)), self.default)


def _compiled(rule: RoleRule) -> _Rule:
    name = re.compile(translate(rule.name), re.IGNORECASE) if rule.name else None
    pattern = re.compile(rule.pattern, re.IGNORECASE) if rule.pattern else None
    return _Rule(rule.role, name, pattern, rule.position)

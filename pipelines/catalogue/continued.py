"""Rows that leave out what a row before them says, as Shopify's of further variants and photos do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.catalogue.mapping import Mapper

CONTINUED = "continued"
"""The remark on rows that look like it while the config does not say so."""
NAMELESS = "nameless"
"""The remark on such rows that leave out the id too."""


@dataclass
class Continuation:
    """The rows of one file in their order, each with what it leaves out from the first one of its product.

    Rows of one product stand together and share the value of `catalogue.columns.continues`. A row of the same item adds
    its photos, and is in all else what the first one says; a row of another item, a variant, keeps what it says itself.
    Where that column is the id's own, rows without id and category continue the one above, as Odoo's do.
    """

    mapper: Mapper
    first: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    mapped: Mapping[str, Any] = field(default_factory=dict)
    """The cells of the last row as the mapping has read them."""
    is_certain: bool = False
    """Whether a row that names no product is of the first one's."""

    def whole(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the cells of the next row with what it leaves out."""
        column = self.mapper.section.columns.continues
        if column is None:
            return values
        nameless = column == self.mapper.section.columns.item_id and self._is_nameless(values)
        of_first = (nameless and self.is_certain) or self._same(column, self.first, values)
        if not of_first or self._says_otherwise(values):
            self.first, self.is_certain = values, not nameless
            return values
        own = self._own(values)
        return {**values, **{name: self.first.get(name) for name in self._names(values) if name not in own}}

    def damaged(self) -> None:
        """Let no row without an id continue what stands above a damaged row: it may be of that one's product."""
        self.is_certain = False

    def remark(self, values: Mapping[str, Any], source: str, *, sound: bool) -> None:
        """Take note of a row; one that is not sound may leave out what the sound one before says of its product."""
        columns = self.mapper.section.columns
        if sound:
            self.before = values
        elif not columns.continues and any(
            name and self._same(name, self.before, values) for name in (columns.item_id, columns.group_id)
        ):
            self.mapper.remarks.add(CONTINUED, source)
        elif not columns.continues and self.before and self._is_nameless(values):
            self.mapper.remarks.add(NAMELESS, source)

    def _is_nameless(self, values: Mapping[str, Any]) -> bool:
        """Tell whether a row has neither an id nor a category: one with a category has lost its own id."""
        columns = self.mapper.section.columns
        category = [columns.category] if isinstance(columns.category, str) else columns.category
        return not any(self._said(values, [columns.item_id, *category]))

    def _says_otherwise(self, values: Mapping[str, Any]) -> bool:
        """Tell whether a row is no more of the first one's item, but another row about it: with a category, and unlike.

        That of a further language, as Magento has, is without a category.
        """
        columns = self.mapper.section.columns
        said = {*self._said(values, [columns.item_id, *columns.category_columns])}
        if columns.item_id not in said or len(said) == 1 or not self._same(columns.item_id, self.first, values):
            return False
        names = said | ({columns.title} if columns.title else set())
        return any(self.mapper.said(values, name) not in ("", self.mapper.said(self.first, name)) for name in names)

    def _own(self, values: Mapping[str, Any]) -> set[str]:
        """Return the columns in which a row speaks for itself."""
        columns = self.mapper.section.columns
        said = {*self._said(values, self._names(values))}
        if columns.item_id in said and not self._same(columns.item_id, self.first, values):
            return said
        photos = {*columns.photo_columns}
        return (said & {columns.role, columns.split}) | (photos if said & photos else set())

    def _names(self, values: Mapping[str, Any]) -> Iterable[str]:
        """Return the columns that are mapped, and those that rows of a format are made plain with."""
        return dict.fromkeys([*self.mapper.needed, *values])

    def _said(self, values: Mapping[str, Any], columns: Iterable[str]) -> Iterable[str]:
        return (name for name in columns if self.mapper.said(values, name))

    def _same(self, column: str, before: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
        text = self.mapper.said(values, column)
        return bool(text) and text == self.mapper.said(before, column)

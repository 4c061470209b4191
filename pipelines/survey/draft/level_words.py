"""Words in the names of columns that are levels of a category below another one, or are none: data alone."""

from __future__ import annotations

from typing import Final

from pipelines.survey.draft.words import plain_words

LEVELS_BELOW: Final = plain_words("aisle aisles shelf shelves gondola gondole regal")
"""Words of a level that only beside a category is one."""
PARTS_OF_GROUPS: Final = plain_words(
    "group groups grp gruppe gruppen warengruppe artikelgruppe produktgruppe groupe gruppo grupo grupp grupa groep "
    "productgroep varugrupp varegruppe family familie famille familia famiglia rayon reparto rubro rubrique dept type",
)
"""Words of groups of which sub-, Unter-, sous- and the like make a level below."""
NO_LEVELS: Final = plain_words(
    "supplier suppliers vendor vendors lieferant fournisseur proveedor fornitore maker producer designer author artist "
    "publisher license licence franchise seller merchant country origin land pays pais paese unit units uom einheit "
    "unite unidad unita status state tax vat mwst season saison url link slug handle path description summary tags "
    "tag option options variant variants model collection gtin ean upc code codes id ids warehouse store location",
)
"""Words of columns that say of an item by whom, where or how it is sold, and no level."""

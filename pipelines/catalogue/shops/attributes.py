"""Attributes by the words that shops have for them, in the languages of Europe. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_WORDS: Final = {
    "colour": "color colour farbe couleur colore cor kleur färg farve farge väri kolor barva szín renk χρώμα цвет "
    "колір",
    "size": "size größe grösse groesse taille talla taglia tamanho maat storlek størrelse koko rozmiar velikost méret "
    "beden μέγεθος размер розмір",
    "material": "material materials matériau matière materiale materiaal materiał materiál anyag malzeme υλικό "
    "материал матеріал",
    "gender": "gender geschlecht genre género genere geslacht kön køn kjønn płeć pohlaví nem cinsiyet φύλο пол стать",
    "pattern": "pattern muster motif patrón estampado fantasia padrão patroon mönster mønster wzór vzor minta desen",
    "brand": "brand marke marque marca merk märke mærke merke merkki marka značka márka manufacturer hersteller бренд",
}
_OURS: Final = {word: ours for ours, words in _WORDS.items() for word in words.split()}
_OF_SHOPS: Final = re.compile(r"^(?:pa_|attribute_)+")


def named(pairs: Iterable[tuple[str, str]], before: str) -> dict[str, str]:
    """Return {before + name: value} of attributes by their own names, and by ours where a word for it is known."""
    found: dict[str, str] = {}
    for name, value in pairs:
        name, value = name.strip(), value.strip()
        if not name or not value:
            continue
        found.setdefault(before + name, value)
        known = ours(name)
        if known:
            found.setdefault(before + known, value)
    return found


def ours(name: str) -> str | None:
    """Return our word for an attribute by the name that a shop has for it, None where it is none that is known."""
    return _OURS.get(_OF_SHOPS.sub("", name.casefold()))

"""The words by which exporters say things, as defaults: no value, gone, not gone."""

from __future__ import annotations

_PROGRAMS = [
    "nan",
    "NaN",
    "NaT",
    "<NA>",
    "NA",
    "None",
    "null",
    "NULL",
    "\\N",
    "N/A",
    "n/a",
    "undefined",
    "no_selection",
    "-",
]
_EXCEL = [
    "#N/A", "#NV", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#BUSY!", "#FIELD!",
    "#CONNECT!", "#BLOCKED!", "#UNKNOWN!", "#GETTING_DATA",
    "#BEZUG!", "#WERT!", "#ZAHL!", "#ÜBERLAUF!", "#KALK!", "#FELD!",
    "#VALEUR!", "#NOM?", "#NUL!", "#NOMBRE!", "#EPARS!", "#PROPAGATION!",
    "#¡REF!", "#¡VALOR!", "#¿NOMBRE?", "#¡DIV/0!", "#¡NULO!", "#¡NUM!", "#¡DESBORDAMIENTO!", "#¡CALC!", "#N/D",
    "#RIF!", "#VALORE!", "#NOME?", "#NULLO!", "#ESPANSIONE!",
    "#VALOR!", "#NULO!", "#NÚM!", "#DESPEJAR!",
    "#VERW!", "#WAARDE!", "#NAAM?", "#DEEL/0!", "#LEEG!", "#GETAL!", "#N/B", "#OVERLOOP!",
]  # fmt: skip
"""English, and what differs in German, French, Spanish, Italian, Portuguese and Dutch."""
_GOOGLE = ["#ERROR!", "Loading..."]
_LIBRE_OFFICE = [f"Err:{number}" for number in (501, 502, 504, *range(507, 515), 516, 517, 518, 520, 522, 523, 527)]
NO_VALUE = [*_PROGRAMS, *_EXCEL, *_GOOGLE, *_LIBRE_OFFICE]
DELETED = ["1", "1.0", "true", "t", "yes", "y", "delete", "deleted", "d"]
NOT_DELETED = ["0", "0.0", "false", "f", "no", "n", "insert", "update", "upsert", "create", "i", "u", "c"]
ANY, NONE = "*", ""
"""Among words of a column: every word that is not named, and an empty cell."""

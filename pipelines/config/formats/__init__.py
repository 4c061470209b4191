"""What exports of shop systems are like, each as a fragment of a config, in a TOML file beside this one.

Beside keys of the config such a file holds `[names]`: what else a column is called in exports of that kind.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

Format = Literal["google_merchant", "shopify", "woocommerce", "magento"]
FORMATS: tuple[Format, ...] = get_args(Format)
SETTINGS = frozenset(
    {"photo_separator", "category_separator", "category_path_separator", "category_choice", "category_depths"}
)
"""Keys of `catalogue.columns` that name no column."""


@dataclass(frozen=True)
class Preset:
    """What a format says of keys of `[catalogue]`, and by what other names its columns may go."""

    keys: Mapping[str, Any]
    names: Mapping[str, tuple[str, ...]]

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it names; a file may lack those that an item can do without."""
        return frozenset(_names_in({k: v for k, v in self.keys["columns"].items() if k not in SETTINGS}))


@cache
def preset(name: Format) -> Preset:
    """Return what a format says."""
    read = tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))
    return Preset(read["catalogue"], {column: tuple(others) for column, others in read["names"].items()})


def with_preset(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of `[catalogue]` with those of its format that it does not set itself, table by table."""
    name = keys.get("format")
    return _merged(preset(name).keys, keys) if name in FORMATS else dict(keys)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(below[key], value) if isinstance(below.get(key), dict) and isinstance(value, dict) else value
        for key, value in above.items()
    }
    return {**below, **both}


def _names_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for one in value.values() if isinstance(value, dict) else value:
            yield from _names_in(one)

"""The page docs/configuration.md says what pipelines/config allows: every key, its default, its choices; no more."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipelines.config import Config
from pipelines.evaluate.vocabulary import check_gate_names

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
SET_WHEN_LOADED = {"folder"}

SECTION = re.compile(r"## (?:`\[(?P<name>[a-z_.]+)\]`|Top level)")
CELL_END = re.compile(r"(?<!\\)\|")
TOML = re.compile(r"```toml\n(.*?)```", re.DOTALL)
QUOTED_FILE = re.compile(r"From `(infra/[\w./]+\.toml)`:\n\n```toml\n(.*?)```", re.DOTALL)
MINIMAL = """
[store]
uri = "store"
[catalogue]
snapshot = "feed.csv"
[catalogue.columns]
item_id = "sku"
photos = "image"
category = "path"
"""


def parts(annotation: Any) -> Iterator[Any]:
    """Yield an annotation and all that it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from parts(part)


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    models = [part for part in parts(field.annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
    return models[0] if models else None


def fields_of(model: type[BaseModel], section: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield ("section.key", field) of a model and of the sections below it; the key is what the file says."""
    for attribute, field in model.model_fields.items():
        key = f"{section}.{field.alias or attribute}".lstrip(".")
        below = section_of(field)
        if below is not None:
            yield from fields_of(below, key)
        elif key not in SET_WHEN_LOADED:
            yield key, field


def rows_of(page: str) -> Iterator[tuple[str, list[str]]]:
    """Yield ("section.key", cells) of the tables of keys, each under its section's heading."""
    section, in_table = None, False
    for line in page.splitlines():
        if line.startswith("## "):
            heading = SECTION.fullmatch(line)
            assert heading, f"{line!r} names no section"
            section = heading["name"] or ""
        cells = [cell.strip() for cell in CELL_END.split(line)[1:-1]] if line.startswith("|") else []
        if cells and in_table and not set(cells[0]) <= {"-"}:
            assert section is not None
            yield f"{section}.{cells[0].strip('`')}".lstrip("."), cells
        in_table = bool(cells) and (in_table or cells[0] == "key")


FIELDS = dict(fields_of(Config))
ROWS = dict(rows_of(PAGE))


def as_toml(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{key if key.isidentifier() else json.dumps(key)} = {as_toml(v)}" for key, v in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    return json.dumps(value, ensure_ascii=False)


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = {key: merged(base[key], value) if isinstance(base.get(key), dict) else value for key, value in over.items()}
    return {**base, **both}


def test_the_walk_finds_the_keys_of_sections_within_sections() -> None:
    assert {"recipe", "store.uri", "catalogue.columns.item_id", "catalogue.media.columns.box"} <= FIELDS.keys()


def test_every_key_is_documented_once_and_no_other() -> None:
    documented = [key for key, _ in rows_of(PAGE)]
    assert sorted(documented) == sorted(FIELDS)


def test_sections_stand_in_the_order_of_the_configuration() -> None:
    documented = list(dict.fromkeys(key.rpartition(".")[0] for key, _ in rows_of(PAGE)))
    assert documented == list(dict.fromkeys(key.rpartition(".")[0] for key in FIELDS))


@pytest.mark.parametrize("key", FIELDS)
def test_the_default_is_the_one_that_holds(key: str) -> None:
    field, cell = FIELDS[key], ROWS[key][2]
    if field.is_required():
        assert cell == "required"
    else:
        default = field.get_default(call_default_factory=True)
        assert cell == ("unset" if default is None else f"`{as_toml(default)}`")


@pytest.mark.parametrize("key", FIELDS)
def test_every_choice_is_named(key: str) -> None:
    choices = [c for part in parts(FIELDS[key].annotation) if get_origin(part) is Literal for c in get_args(part)]
    assert [choice for choice in choices if f'`"{choice}"`' not in ROWS[key][1]] == []


@pytest.mark.parametrize("key", FIELDS)
def test_every_key_has_a_type_and_a_meaning(key: str) -> None:
    assert len(ROWS[key]) == 4
    assert all(ROWS[key])


def test_the_gate_of_accuracy_is_said_to_be_on_the_leaf() -> None:
    """`test_the_gate_is_on_the_leaf` in tests/train shows that it is."""
    assert "leaf" in (FIELDS["train.min_accuracy"].description or "")
    assert "leaf" in ROWS["train.min_accuracy"][3]


@pytest.mark.parametrize("example", TOML.findall(PAGE))
def test_every_example_is_valid(example: str) -> None:
    config = Config.model_validate(merged(tomllib.loads(MINIMAL), tomllib.loads(example)))
    check_gate_names([*config.evaluate.floors, *config.evaluate.margins])


def test_what_is_quoted_stands_in_the_file() -> None:
    quoted = QUOTED_FILE.findall(PAGE)
    assert quoted
    for name, example in quoted:
        assert example in (ROOT / name).read_text(encoding="utf-8"), f"{name} no longer says:\n{example}"


def test_the_limits_of_numbers_are_those_that_hold() -> None:
    """Keys whose type is a range name the bounds of the model."""
    for key, field in FIELDS.items():
        bounds = re.match(r"(\d+) to (\d+)", ROWS[key][1])
        if bounds:
            low, high = (bound for limits in field.metadata for bound in _bounds(limits))
            assert (int(bounds[1]), int(bounds[2])) == (low, high), key


def _bounds(limits: Any) -> Iterator[int]:
    for name, shift in (("ge", 0), ("gt", 1), ("le", 0)):
        value = getattr(limits, name, None)
        if value is not None:
            yield int(value) + shift

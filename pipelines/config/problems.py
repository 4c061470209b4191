"""What is wrong in a config file, as a person is told it: the key, the value and the fix."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

_UNITS = {
    "minutes": "minutes: 90 for an hour and a half",
    "days": "days: 0.5 for half a day",
    "s": "seconds: 90 for a minute and a half",
    "bytes": "bytes: 4_294_967_296 for 4 GiB",
    "gb": "gigabytes: 32 for 32 GB",
}
"""What the last word of a key says its number counts."""
_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")


def explain(problem: Any, model: type[BaseModel]) -> str:
    """Return what is wrong with one key; `problem` is one of pydantic's errors, `model` the whole configuration."""
    location = [str(part) for part in problem["loc"]]
    key, value = ".".join(location), problem["input"]
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key!r} (value {value!r}); {_meant(location, model, isinstance(value, dict))}"
    if problem["type"] == "missing":
        return f"the key {key!r} is missing; add it"
    message = problem["msg"].removeprefix("Value error, ")
    if isinstance(value, dict):  # the message names the values of the section that matter
        return f"[{key}] {message}" if key else message
    return f"{key} = {value!r}: {message}{_how_to_write(problem)}"


def _how_to_write(problem: Any) -> str:
    """Return how a number is written where a percentage or a unit was."""
    value, kind = problem["input"], problem["type"]
    text = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if kind == "less_than_equal" and problem["ctx"]["le"] == 1 and 1 < value <= 100:
        return f"; a share is between 0 and 1: {value:g} % is {value / 100:g}"
    if kind == "float_parsing" and text:
        return f"; a share is between 0 and 1, without quotes: {text[1]} % is {float(text[1]) / 100:g}"
    unit = _UNITS.get(str(problem["loc"][-1]).rpartition("_")[2], "")
    if kind in {"float_parsing", "int_parsing"} and unit:
        return f"; write a number without quotes and unit, which counts {unit}"
    return ""


def _meant(location: list[str], model: type[BaseModel], is_section: bool) -> str:
    *above, name = location
    elsewhere = [section for section, keys in _sections(model) if name in keys and section != ".".join(above)]
    if elsewhere and is_section:
        return f"write [{elsewhere[0]}.{name}]".replace("[.", "[")
    if elsewhere:
        *more, last = [f"[{section}]" if section else "the top, above all sections" for section in elsewhere]
        there = f"{', '.join(more)} or {last}" if more else last
        before = f", before [{'.'.join(above)}] begins" if ".".join(above).startswith(f"{elsewhere[0]}.") else ""
        return f"it is a key of {there}: write it there{before}"
    known = dict(_sections(model)).get(".".join(above), [])
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else f"known keys here: {', '.join(sorted(known))}"


def _sections(model: type[BaseModel], section: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield each section's name with dots, "" for the top, and its keys."""
    yield section, [name for name in model.model_fields if section or name != "folder"]
    for name, field in model.model_fields.items():
        for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _sections(part, f"{section}.{name}".lstrip("."))

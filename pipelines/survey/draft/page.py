"""A draft of a config as TOML: each line that was guessed says why, what could not be told is a line to fill in."""

from __future__ import annotations

import json
import os
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pipelines.config import CatalogueSection, Columns
from pipelines.config.places import is_remote
from pipelines.models.advice import weights_advice

FILL_IN: Final = "# FILL IN:"
_LONGEST_WHY: Final = 110
_QUESTIONS: Final = {
    "item_id": 'item_id = "…": which column tells items apart?',
    "photos": 'photos = "…": which column names photos, by paths or addresses? Where files are called by what a column '
    'holds, as A1.jpg by A1, name that, and set photo_pattern = "{{}}.jpg" above',
    "category": 'category = "…": which column says what an item is, or which columns, a level each?',
    "photo_root": 'photo_root = "…": where do paths such as {} start from? It may be a folder, gs:// or https://; what '
    "stands before them there, as a drive or a share, is the photo_prefix",
}
_MOST_NAMES: Final = 40
"""Of columns that are not used."""
_INDEX: Final = re.compile(r"\[\d*\]")
_UNSET_STOCK: Final = "until it is set, items that are out of stock are shown as all others are"


@dataclass(frozen=True)
class Draft:
    """What is to be written: keys of [catalogue] and its columns, why each; [preprocess]; networks to fetch from.

    `size` is for a training from scratch, `pretrained_size` for one that starts from ImageNet's weights. `hosts_inside`
    are those of the photos, where all are machines that are not of the internet.

    `media` says what files a table of photos would have to name, "" where none is wanted.

    `questions` are keys that could not be told, with what to say of each; `left_out` says what is not mapped, and why.

    `there` are the columns that say something.
    """

    feed: str
    catalogue: Mapping[str, Any]
    why: Mapping[str, str]
    questions: Mapping[str, str] = field(default_factory=dict)
    left_out: Sequence[str] = ()
    there: Sequence[str] = ()
    size: tuple[int, int, str] | None = None
    pretrained_size: tuple[int, int] | None = None
    allowed_networks: tuple[str, ...] = ()
    hosts_inside: tuple[str, ...] = ()
    media: str = ""


_COLUMNS = " Columns: "


def question(key: str, columns: list[str], example: str = "") -> str:
    """Return what to ask of a key that could not be told, and the columns that there are."""
    there = f"{_COLUMNS}{_listed(columns)}" if columns else ""
    return _QUESTIONS[key].format(repr(example)) + there


def page(draft: Draft) -> str:
    """Return the config."""
    lines = [
        f"# A config for {_plain(draft.feed)}, written by `visual-search init`. What was guessed says why;",
        "# docs/configuration.md explains every key. Paths are relative to this file.",
        "",
        "[store]",
        'uri = "store"  # where all that is made of the feed is kept: a folder, or gs://BUCKET/PREFIX',
        "",
        *_catalogue(draft),
        *_columns(draft),
        *_media(draft),
        *_others(draft),
    ]
    return "\n".join(lines) + "\n"


def open_lines(text: str, name: str) -> list[str]:
    """Return the lines of a config that are to be filled in, each with its number."""
    return [f"{name}:{n}: {line}" for n, line in enumerate(text.splitlines(), 1) if line.startswith(FILL_IN)]


def relative(place: str, folder: Path) -> str:
    """Return a place as a config in a folder names it: by a relative path where it lies below that folder."""
    if is_remote(place):
        return place
    path = os.path.relpath(os.path.abspath(place), folder)
    return os.path.abspath(place) if path.startswith("..") else path


def _catalogue(draft: Draft) -> Iterator[str]:
    keys = {key: value for key, value in draft.catalogue.items() if key != "columns"}
    yield "[catalogue]"
    for key in sorted(keys, key=[*CatalogueSection.model_fields].index):
        yield _line(key, keys[key], draft.why.get(key, ""))
    if "availability" in draft.catalogue.get("columns", {}) and "out_of_stock" not in keys:
        yield f'# out_of_stock = "flag"  # or "remove"; {_UNSET_STOCK}'
    if "photo_root" in draft.questions:
        yield f"{FILL_IN} {_plain(draft.questions['photo_root'])}"
    yield ""


def _columns(draft: Draft) -> Iterator[str]:
    columns = draft.catalogue.get("columns", {})
    asked = [key for key in draft.questions if key != "photo_root"]
    if not columns and not asked:
        return
    yield "[catalogue.columns]  # left: our word, right: the feed's column"
    lines = [f"{FILL_IN} {_plain(draft.questions[key])}" for key in asked]
    keys = sorted(columns, key=[*Columns.model_fields].index)
    lines += (_line(key, columns[key], draft.why.get(key, "")) for key in keys)
    lines += (f"# left out: {_shortened(_plain(why))}" for why in draft.left_out)
    yield from (*lines, *_not_used(draft, "\n".join(lines)), "")


def _not_used(draft: Draft, told: str) -> Iterator[str]:
    """Yield which columns no key names, but for those that are told of already."""
    used = {_INDEX.sub("", name) for name in _names(draft.catalogue.get("columns", {}))}
    left = [name for name in draft.there if name not in used and repr(name) not in told]
    if left and not any(_COLUMNS in asked for asked in draft.questions.values()):
        yield from _comment(_plain(f"not used: {_listed(left)}; if one says price, category or stock, name it above"))


def _listed(names: Sequence[str]) -> str:
    """Return names for people, the first of them where there are many."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(map(repr, names[:_MOST_NAMES])) + more


def _names(value: Any) -> Iterator[str]:
    """Yield all texts of a key's value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _names(one)


def _media(draft: Draft) -> Iterator[str]:
    """Yield the lines of a table of photos, for whoever makes one."""
    if not draft.media:
        return
    item_id = draft.catalogue.get("columns", {}).get("item_id", "id")
    why = (
        f"{_plain(draft.media)}. For all of them list each photo with its item's {item_id!r} in a table, photos.jsonl "
        "(see Photos in docs/feeds.md), write photos = [] above, leave photo_pattern out, and take away the # of these "
        "lines:"
    )
    yield from _comment(why)
    yield "# [catalogue.media]"
    yield '# path = "photos.jsonl"'
    yield '# role = "main"'
    yield '# columns = { item_id = "item_id", photo = "photo" }'
    yield ""


def _others(draft: Draft) -> Iterator[str]:
    if draft.allowed_networks:
        yield from ("[fetch]", _line("allowed_networks", list(draft.allowed_networks), "as given to init"), "")
    elif draft.hosts_inside:
        why = "the photos' hosts are not of the internet; if they are the shop's own, take away both #"
        yield from ("# [fetch]", f"# {_line('allowed_networks', list(draft.hosts_inside), why)}", "")
    if draft.size:
        height, width, why = draft.size
        yield from ("[preprocess]", _line("height", height, why), _line("width", width, ""), "")
    advice = weights_advice(None, None, draft.pretrained_size)
    if advice:
        yield from _comment(f"{advice}.")


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _LONGEST_WHY, initial_indent="# ", subsequent_indent="# ")


def _line(key: str, value: Any, why: str) -> str:
    return f"{key} = {_value(value)}" + (f"  # {_shortened(_plain(why))}" if why else "")


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(of)}" for key, of in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").isalnum() else _value(key)


def _plain(text: str) -> str:
    """Return a text as a comment may have it: on one line, without what TOML forbids there."""
    return "".join(c if c.isprintable() else " " for c in text)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_WHY else f"{text[: _LONGEST_WHY - 1]}…"

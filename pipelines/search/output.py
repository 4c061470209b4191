"""How answers are shown in the terminal: a table a query, or one JSON object a line.

A query is a file's name, which may hold anything: bytes that are no UTF-8 (Python keeps them as surrogates), line ends,
what moves a terminal's cursor.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipelines.search.answers import Answer

if TYPE_CHECKING:
    from rich.console import Console


def as_line(answer: Answer, encoding: str = "utf-8") -> str:
    """Return an answer as one line of JSON that `encoding` can hold: letters as they are, or else all in escapes.

    A name that is no UTF-8 is in escapes; `os.fsencode` of what Python's json reads back is its bytes.
    """
    line = json.dumps(answer.as_dict(), ensure_ascii=False)
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(answer.as_dict())
    return line


def printable(text: str) -> str:
    """Return `text` with escapes for what is no letter, sign or blank, on one line, and valid in UTF-8."""
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    byte = ord(character) - 0xDC00  # where Python keeps a byte that is no UTF-8
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else character.encode("unicode_escape").decode()


def print_table(answer: Answer, console: Console) -> None:
    """Print an answer for a person."""
    from rich.table import Table
    from rich.text import Text

    if answer.failed:
        console.print(Text(printable(f"{answer.query}: {answer.code}: {answer.detail}"), style="red"))
        return
    table = Table(title=Text(printable(answer.query)), title_justify="left", box=None, pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("item", overflow="fold", style="bold")
    table.add_column("score", justify="right")
    priced = any(result.price_in_words for result in answer.results)
    if priced:
        table.add_column("price", justify="right")
    table.add_column("category")
    table.add_column("photo", overflow="fold", style="dim")
    for rank, result in enumerate(answer.results, 1):
        stock = f" ({result.availability_in_words})" if result.availability_in_words else ""
        words = (
            f"{result.item_id}{stock}",
            f"{result.score:.4f}",
            *([result.price_in_words] if priced else []),
            " › ".join(result.category),
            result.image_uri,
        )
        table.add_row(str(rank), *(Text(printable(word)) for word in words))
    console.print(table)
    if not answer.results:
        console.print("nothing was found")

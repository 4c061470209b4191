"""How answers are shown in the terminal: a table a query, or one JSON object a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipelines.search.answers import Answer

if TYPE_CHECKING:
    from rich.console import Console


def as_line(answer: Answer) -> str:
    """Return an answer as one line of JSON."""
    return json.dumps(answer.as_dict(), ensure_ascii=False)


def print_table(answer: Answer, console: Console) -> None:
    """Print an answer for a person."""
    from rich.table import Table
    from rich.text import Text

    if answer.failed:
        console.print(Text(f"{answer.query}: {answer.code}: {answer.detail}", style="red"))
        return
    table = Table(title=Text(answer.query), title_justify="left", box=None, pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("item", overflow="fold", style="bold")
    table.add_column("score", justify="right")
    table.add_column("category")
    table.add_column("photo", overflow="fold", style="dim")
    for rank, result in enumerate(answer.results, 1):
        path = Text(" › ".join(result.category))
        table.add_row(str(rank), Text(result.item_id), f"{result.score:.4f}", path, Text(result.image_uri))
    console.print(table)
    if not answer.results:
        console.print("nothing was found")

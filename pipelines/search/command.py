"""The `search` command, without its flags: ask, and show each answer as soon as it is there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path

from pipelines.config import Config
from pipelines.errors import StageError
from pipelines.search.answers import Answer
from pipelines.search.engine import SearchEngine
from pipelines.search.output import as_line, print_table
from pipelines.search.page import MAX_QUERIES, render_page
from pipelines.search.photos import is_photo_by_name, list_queries
from pipelines.search.pictures import Pictures
from pipelines.store import open_store
from pipelines.telemetry.progress import Progress

PIPE_COLUMNS = 160
"""The width of tables that go into a file or a pipe."""


def search_and_show(
    config: Config,
    images: list[Path],
    items: list[str],
    k: int,
    *,
    as_json: bool = False,
    html: str | None = None,
    release_id: str | None = None,
) -> bool:
    """Search with photos (files, folders) and items, show the answers; return whether it failed.

    It did when something that was named could not be asked, or a file below a folder that is named as photos are, or
    nothing could be. Other files below a folder are shown with what is wrong with them, and passed over.

    `as_json` prints one JSON object a line and query, otherwise a table each; `html` names a page to write, and then
    only queries that could not be asked are printed. Raises StageError when there is no release to search or the page
    cannot be written.
    """
    store = open_store(config.store.uri)
    queries = list(list_queries(images))
    shown = _Shown(_printer(as_json, html), MAX_QUERIES if html else 0, {*map(str, images), *items})
    with SearchEngine.open(config, store, release_id) as engine:
        answers = chain(engine.search_photos(queries, k), engine.search_items(items, k))
        progress = Progress(quiet=not (as_json or html))  # bars between tables would tear them
        with progress.watch("search: queries", len(queries) + len(items), lambda: shown.count):
            for answer in answers:
                shown.add(answer)
        if html:
            pictures = Pictures(config, store, engine.release)
            left_out = shown.count - len(shown.kept)
            _write(Path(html), render_page(shown.kept, pictures, engine.release.release_id, left_out))
            failed = sum(answer.failed for answer in shown.kept)
            without = f", and {failed} without" if failed else ""
            progress.say(f"search: {_queries(len(shown.kept) - failed)} with results{without} are in {html}")
        if shown.passed_over:
            progress.say(f"search: {shown.passed_over} files that are no photos, by name and content, were passed over")
    return shown.failed > 0 or shown.count == shown.passed_over


class _Shown:
    """What was shown: how many answers, how many of them failures or passed over, and the first of them for a page.

    `named` are the paths and items that were asked for by name.
    """

    def __init__(self, show: Callable[[Answer], None], keep: int, named: set[str]) -> None:
        self.count, self.failed, self.passed_over = 0, 0, 0
        self.kept: list[Answer] = []
        self._show, self._keep, self._named = show, keep, named

    def add(self, answer: Answer) -> None:
        self._show(answer)
        self.count += 1
        if answer.failed:
            wanted = answer.query in self._named or is_photo_by_name(answer.query)
            self.failed += wanted
            self.passed_over += not wanted
        if len(self.kept) < self._keep:
            self.kept.append(answer)


def _printer(as_json: bool, html: str | None) -> Callable[[Answer], None]:
    if as_json:
        encoding = sys.stdout.encoding or "utf-8"
        return lambda answer: print(as_line(answer, encoding), flush=True)  # noqa: T201 - this is the command's output
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
    return lambda answer: print_table(answer, console) if answer.failed or not html else None


def _queries(count: int) -> str:
    return "1 query" if count == 1 else f"{count} queries"


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StageError(f"the page {path} cannot be written ({error.strerror}); choose another --html") from error

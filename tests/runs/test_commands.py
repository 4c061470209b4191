"""Commands in texts run as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.runs.commands import completed


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("`visual-search run`: again", "`visual-search run --config 'a b.toml'`: again"),
        (
            "or `visual-search promote --run-id r --accept 'REASON'`, or `visual-search unhide 'x -y'`",
            "or `visual-search promote --config 'a b.toml' --run-id r --accept 'REASON'`, or `visual-search unhide "
            "--config 'a b.toml' 'x -y'`",
        ),
        ("`visual-search curate undo 5`", "`visual-search curate undo --config 'a b.toml' 5`"),
        ("`visual-search judge new`", "`visual-search judge new --config 'a b.toml'`"),
        ("`visual-search run -c c.toml --limit 5`", "`visual-search run -c c.toml --limit 5`"),
        ("`visual-search run --config c.toml`", "`visual-search run --config c.toml`"),
        ("`visual-search init` writes one", "`visual-search init` writes one"),
        ("`gc` and visual-search run", "`gc` and visual-search run"),
    ],
)
def test_every_command_has_the_config(text: str, whole: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert completed(text, "a b.toml") == whole

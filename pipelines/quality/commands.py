"""The commands that a curator would type for what is found."""

from __future__ import annotations

import shlex

from pipelines.quality.findings import Action
from pipelines.runs.commands import typed

REASON = "--reason 'WHY'"


def command(action: Action, config_path: str) -> str:
    """Return the command of an action, with the word that a person replaces; `--` before ids that begin with a dash."""
    name, *arguments = action.words
    between = ["--"] if any(argument.startswith("-") for argument in arguments) else []
    start = typed("curate", config_path).split(" --config ", 1)
    return f"{start[0]} {name} --config {start[1]} {REASON} {shlex.join([*between, *arguments])}"

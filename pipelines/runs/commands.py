"""Commands as a person types them, for the texts that name one."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

REASON: Final = "--accept 'REASON'"
"""What passes a gate, with the word that a person replaces."""

_QUOTED: Final = re.compile(r"`visual-search (?P<name>(?:curate |judge |model )?[a-z]+)(?P<rest>[^`]*)`")
"""A command in a text, the names of both where it is one of a group."""
_WITHOUT_CONFIG: Final = frozenset({"init", "demo"})


def typed(command: str, config_path: str, *words: str) -> str:
    """Return a command of the program as it is typed in the current folder; `words` are its further arguments."""
    program = Path(".venv/bin/visual-search")
    start = str(program) if program.exists() else "visual-search"
    return f"{start} {shlex.join([command, '--config', config_path, *words])}"


def accepting(run_id: str, config_path: str, *words: str) -> str:
    """Return the command that makes the release of a run live though a gate said no."""
    return f"{typed('promote', config_path, '--run-id', run_id, *words)} {REASON}"


def completed(text: str, config_path: str) -> str:
    """Return a text in which every command between backticks runs as it stands: with the config that is asked with."""

    def complete(found: re.Match[str]) -> str:
        name, rest = found["name"], found["rest"]
        if name in _WITHOUT_CONFIG or re.search(r" (--config|-c)\b", rest):
            return found[0]
        group, _, command = name.rpartition(" ")
        start = typed(group or command, config_path)
        return f"`{start.replace(' --config', f' {command} --config', 1) if group else start}{rest}`"

    return _QUOTED.sub(complete, text)

"""Commands as a person types them, for the texts that name one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

REASON: Final = "--accept 'REASON'"
"""What passes a gate, with the word that a person replaces."""


def typed(command: str, config_path: str, *words: str) -> str:
    """Return a command of the program as it is typed in the current folder; `words` are its further arguments."""
    program = Path(".venv/bin/visual-search")
    start = str(program) if program.exists() else "visual-search"
    return f"{start} {shlex.join([command, '--config', config_path, *words])}"


def accepting(run_id: str, config_path: str, *words: str) -> str:
    """Return the command that makes the release of a run live though a gate said no."""
    return f"{typed('promote', config_path, '--run-id', run_id, *words)} {REASON}"

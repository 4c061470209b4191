"""What a command says, told apart line by line, since a pod's log has stdout and stderr in one.

| a line | is |
|---|---|
| a JSON object with `severity` and `message` | logged at its level |
| any other JSON object | a result; the last one is the task's XCom |
| text, as native code writes it | logged as INFO |

Why a command failed, or was refused by a gate, is the message of the line that has `exit_code`, which the command
writes for that. Where there is none, after a wrong option or a kill, it is the last message. So nothing depends on how
the lines of the two streams follow each other.
"""

from __future__ import annotations

import json
import logging
from typing import Any


class Transcript:
    """Takes in what a command says: `result` is its last result, `reason` why it ended as it did."""

    def __init__(self, log: Any) -> None:
        self._log = log
        self._told, self._last = "", ""
        self.result: dict[str, Any] | None = None

    @property
    def reason(self) -> str:
        """What the command itself said of its end, else the last message."""
        return self._told or self._last

    def take(self, line: str, *, again: bool = False) -> None:
        """Take in a line. One that is read `again` is not logged a second time."""
        line = line.rstrip()
        if not line:
            return
        value = _json_object(line)
        if value is not None and not {"severity", "message"} <= value.keys():
            self.result = value
            return
        level, message = (logging.INFO, line) if value is None else _logged(value)
        if value is not None and "exit_code" in value:
            self._told = message
        self.note(level, message, again=again)

    def note(self, level: int, message: str, *, again: bool = False) -> None:
        """Log a message, which is the last one now."""
        self._last = message
        if not again:
            self._log.log(level, "%s", message)


def _json_object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _logged(value: dict[str, Any]) -> tuple[int, str]:
    message = "\n".join(filter(None, (str(value["message"]), value.get("exc_info"))))
    return logging.getLevelNamesMapping().get(value["severity"], logging.INFO), message

"""Lines on stderr: text for people, or one JSON object a line for Airflow, Dataflow and whatever else collects logs.

A process does one stage of one run at a time, so both are bound to the process and stand in every line, those of
libraries too. What native code writes, such as TensorFlow's start-up, stays text.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

FORMATS = ("text", "json")
LOGGER = logging.getLogger("visual_search")
_bound: dict[str, str] = {}
_handlers: list[logging.Handler] = []


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what is stderr at the moment, which tests and notebooks exchange."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def set_up(log_format: str) -> None:
    """Have this process write lines of a format, one of FORMATS."""
    root = logging.getLogger()
    while _handlers:
        root.removeHandler(_handlers.pop())
    _bound.clear()
    if log_format != "json":
        return
    from pythonjsonlogger.json import JsonFormatter

    handler = _Stderr()
    names = {"levelname": "severity", "name": "logger"}  # severity, message and time are what Cloud Logging looks for
    fields = "%(levelname)s %(name)s %(message)s"
    handler.setFormatter(JsonFormatter(fields, rename_fields=names, timestamp="time"))
    handler.addFilter(_bind_record)
    _handlers.append(handler)
    root.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    logging.captureWarnings(True)


def is_json() -> bool:
    """Tell whether lines are JSON objects."""
    return bool(_handlers)


def bind(**fields: str) -> None:
    """Have every line from now on say these, such as run_id and stage; text lines need no reminder."""
    _bound.update(fields)


def say(text: str, **fields: Any) -> None:
    """Write a line; `fields` stand in it where lines are JSON."""
    if is_json():
        LOGGER.info(text, extra=fields)
        return
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def warn(text: str) -> None:
    """Write a line that calls for somebody's attention."""
    if is_json():
        LOGGER.warning(text)
        return
    say(f"warning: {text}")


def fail(text: str, exit_code: int) -> None:
    """Write why the command ends."""
    if is_json():
        LOGGER.error(text, extra={"exit_code": exit_code})
        return
    say(f"visual-search: {text}")


def crash(error: BaseException) -> None:
    """Write an error that nobody expected, with its stack."""
    LOGGER.critical("%s: %s", type(error).__name__, error, exc_info=error)


def _bind_record(record: logging.LogRecord) -> bool:
    for name, value in _bound.items():
        setattr(record, name, value)
    return True

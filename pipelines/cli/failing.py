"""Errors as people see them: a line on stderr, and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import click

from pipelines.runs import termination
from pipelines.telemetry import logs

EXIT_FAILED, EXIT_USAGE, EXIT_REFUSED = 1, 2, 3

Command = Callable[..., Any]


def guarded(command: Command) -> Command:
    """Turn the project's errors into one line on stderr and their exit codes."""

    @wraps(command)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return explained(*args, **kwargs)
        except (termination.TerminatedError, termination.LeavingError) as end:
            logs.fail(str(end), termination.EXIT_TERMINATED)
            sys.stdout.flush()
            os._exit(termination.EXIT_TERMINATED)  # threads of workers would go on with their units

    def explained(*args: Any, **kwargs: Any) -> Any:
        from pipelines.config import ConfigError
        from pipelines.errors import GateError, StageError
        from pipelines.store import StoreError

        try:
            return command(*args, **kwargs)
        except ConfigError as error:
            fail(str(error), EXIT_USAGE)
        except GateError as error:
            fail(f"refused: {error}", EXIT_REFUSED)
        except (StageError, StoreError) as error:
            fail(str(error), EXIT_FAILED)
        except Exception as error:
            if isinstance(error, click.ClickException) or not logs.is_json():
                raise
            logs.crash(error)
            sys.exit(EXIT_FAILED)

    return call


def fail(message: str, code: int) -> NoReturn:
    """Say what is wrong on stderr, and leave with an exit code."""
    logs.fail(message, code)
    sys.exit(code)

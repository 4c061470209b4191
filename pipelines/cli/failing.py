"""Errors as people see them: a line on stderr, and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Container
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from pipelines.runs import termination
from pipelines.telemetry import logs

if TYPE_CHECKING:
    from pipelines.errors import GateError

RUN_ID = "visual_search.run_id"
"""What a command notes in its context: the run that it has begun or goes on with."""
EXIT_FAILED, EXIT_USAGE, EXIT_REFUSED, EXIT_WAITING = 1, 2, 3, 4

Command = Callable[..., Any]


def guarded(command: Command) -> Command:
    """Turn the project's errors into one line on stderr and their exit codes."""

    @wraps(command)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return explained(*args, **kwargs)
        except (termination.TerminatedError, termination.LeavingError) as end:
            logs.fail(f"{end}{going_on()}", termination.EXIT_TERMINATED)
            sys.stdout.flush()
            os._exit(termination.EXIT_TERMINATED)  # threads of workers would go on with their units

    def explained(*args: Any, **kwargs: Any) -> Any:
        from pipelines.config import ConfigError
        from pipelines.errors import GateError, StageError, WaitingError
        from pipelines.store import StoreError

        try:
            return command(*args, **kwargs)
        except ConfigError as error:
            fail(_told(error), EXIT_USAGE)
        except WaitingError as error:
            fail(f"waiting: {_told(error)}{_way_out(error)}", EXIT_WAITING)
        except GateError as error:
            fail(f"refused: {_told(error)}{_way_out(error)}", EXIT_REFUSED)
        except (StageError, StoreError) as error:
            fail(_told(error), EXIT_FAILED)
        except Exception as error:
            if isinstance(error, click.ClickException) or not logs.is_json():
                raise
            logs.crash(error)
            sys.exit(EXIT_FAILED)

    return call


def _told(error: Exception) -> str:
    """Return what an error says, in which every command has the config of the one that was called."""
    from pipelines.runs.commands import completed

    path = click.get_current_context().params.get("config_path")
    return completed(str(error), path) if path else str(error)


def _way_out(error: GateError) -> str:
    """Return a line with the command that passes the gate; "" where none does."""
    from pipelines.runs.commands import REASON, accepting, typed

    context = click.get_current_context()
    if not error.run_id:
        return ""
    path = str(context.params["config_path"])
    if error.stage == "promote":
        words = _given(context, {"limit"})
        return f"\nTo make it live all the same: {accepting(error.run_id, path, *words)}"
    words = _given(context, [name for name in context.params if name not in {"config_path", "run_id", "accept"}])
    command = typed(str(context.info_name), path, "--run-id", error.run_id, *words)
    return f"\nTo take it all the same: {command} {REASON}"


def going_on() -> str:
    """Return a line with the command that goes on with what was ended; "" of one without a config."""
    from pipelines.runs.commands import typed

    context = click.get_current_context()
    path, run_id = context.params.get("config_path"), context.meta.get(RUN_ID)
    if not path:
        return ""
    words = ["--run-id", run_id] if run_id else []
    words += _given(context, {*context.params} - ({"config_path", "run_id"} if run_id else {"config_path"}))
    command = typed(str(context.info_name), path, *words)
    return f"\nTo go on: {command}"


def _given(context: click.Context, names: Container[str]) -> list[str]:
    """Return the options and arguments of these names that the command was called with, as they are typed."""
    words, places = list[str](), list[str]()
    for given in context.command.params:
        name = str(given.name)
        if name not in names or context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = context.params[name]
        values = [*map(str, value)] if isinstance(value, tuple) else [str(value)]
        if isinstance(given, click.Argument):
            places += values
        elif isinstance(value, bool):
            words.append((given.opts if value else given.secondary_opts)[0])
        else:
            words += [word for one in values for word in (given.opts[0], one)]
    return [*words, *(["--"] if any(place.startswith("-") for place in places) else []), *places]


def fail(message: str, code: int) -> NoReturn:
    """Say what is wrong on stderr, and leave with an exit code."""
    logs.fail(message, code)
    sys.exit(code)

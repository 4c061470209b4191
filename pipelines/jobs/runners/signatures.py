"""Spares Beam what it works out again and again: the arguments of a DoFn's methods.

Beam looks at every method of every DoFn several times while a pipeline is built, translated and run, and asks `inspect`
each time: a third of the processor time of a small job, in which nothing else takes long.
"""

from __future__ import annotations

from types import FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary

from apache_beam.transforms import core

type Arguments = tuple[list[str], list[Any]]
_asked = core.get_function_args_defaults
_known: WeakKeyDictionary[FunctionType, Arguments] = WeakKeyDictionary()


def remember_signatures() -> None:
    """Have Beam ask once for the arguments of a method, in this process."""
    core.get_function_args_defaults = _remembered


def _remembered(function: Any) -> Arguments:
    """Return names and defaults of a function's arguments; a bound method's are kept for as long as there is one."""
    method = function.__func__ if isinstance(function, MethodType) else None
    if not isinstance(method, FunctionType):
        return _asked(function)
    if method not in _known:
        _known[method] = _asked(function)
    names, defaults = _known[method]
    return list(names), list(defaults)

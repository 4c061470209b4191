"""Beam is told the arguments of a method as it finds them itself, and looks once."""

import gc
import weakref
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.transforms import core, userstate

from pipelines.jobs.runners import signatures


class Add(beam.DoFn):
    """Has an argument of each kind."""

    def process(self, element: int, much: int = 2, *, when: Any = beam.DoFn.TimestampParam) -> list[int]:
        """Return the sum."""
        return [element + much]


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What Beam is asked for, from here on."""
    functions: list[Any] = []

    def noted(function: Any) -> signatures.Arguments:
        functions.append(function)
        return found(function)

    found = signatures._asked
    monkeypatch.setattr(core, "get_function_args_defaults", found)
    monkeypatch.setattr(signatures, "_asked", noted)
    signatures.remember_signatures()
    return functions


def test_each_method_is_looked_at_once_whatever_has_it(asked: list[Any]) -> None:
    for dofn in (Add(), Add()):
        userstate.get_dofn_specs(dofn)
    assert asked
    methods = [function.__func__ for function in asked]
    assert len(methods) == len(set(methods))


def test_what_is_remembered_is_what_was_found() -> None:
    once, again = (core.get_function_args_defaults(Add().process) for _ in range(2))
    assert once == again == (["element", "much"], [2])
    again[1].clear()  # it is the caller's own
    assert core.get_function_args_defaults(Add().process) == once
    assert core.get_function_args_defaults(Add.process)[0] == ["self", "element", "much"]  # bound to nothing


def test_a_class_of_one_job_is_not_kept(asked: list[Any]) -> None:
    def made() -> weakref.ref[Any]:
        class Passing(beam.DoFn):
            """Of one job."""

            def process(self, element: int) -> list[int]:
                """Return it."""
                return [element]

        userstate.get_dofn_specs(Passing())
        return weakref.ref(Passing.process)

    gone = made()
    asked.clear()
    gc.collect()
    assert gone() is None

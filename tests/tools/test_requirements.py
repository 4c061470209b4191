"""The lock files, setup.py and the list of repaired wheels agree, and none of them tells of a machine."""

import ast
import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import lock
from tools.setup_env import ENVIRONMENTS, ROOT

FOLDER = ROOT / "requirements"


def pins(name: str) -> dict[str, str]:
    text = (FOLDER / name).read_text()
    return {canonicalize_name(found[1]): found[2] for found in re.finditer(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)}


def asked_in(name: str) -> list[Requirement]:
    lines = (FOLDER / f"{name}.in").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def extra(name: str) -> list[Requirement]:
    """Read what setup.py states for an extra, "" for all installations, without running it."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "setup")
    arguments = {keyword.arg: keyword.value for keyword in call.keywords}
    extras = ast.literal_eval(arguments["extras_require"]) | {"": ast.literal_eval(arguments["install_requires"])}
    return [Requirement(line) for line in extras[name]]


def stated_by_setup() -> list[Requirement]:
    return extra("") + extra("launcher")


@pytest.mark.parametrize("requirement", stated_by_setup(), ids=str)
def test_the_lock_holds_what_a_worker_installs(requirement: Requirement) -> None:
    assert requirement.specifier.contains(pins("pipeline.txt")[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("other", ["dev.txt", "gpu.txt", "serving.txt"])
def test_locks_name_the_same_versions(other: str) -> None:
    pipeline, more = pins("pipeline.txt"), pins(other)
    shared = set(pipeline) & set(more)
    assert shared
    assert {name: more[name] for name in shared} == {name: pipeline[name] for name in shared}


def test_a_gpu_adds_cuda_and_nothing_else() -> None:
    added = set(pins("gpu.txt")) - set(pins("pipeline.txt"))
    assert {"nvidia-cudnn-cu12", "nvidia-nccl-cu12"} <= added
    assert [name for name in added if not name.startswith("nvidia-")] == []


@pytest.mark.parametrize("requirement", extra("serving"), ids=str)
def test_the_image_of_the_service_holds_what_the_service_asks_for(requirement: Requirement) -> None:
    assert requirement.specifier.contains(pins("serving.txt")[canonicalize_name(requirement.name)])


def test_the_service_has_less_than_the_pipeline() -> None:
    assert set(pins("serving.txt")) < set(pins("pipeline.txt"))
    assert not {"apache-beam", "tfx", "tensorflow-transform", "ml-metadata"} & set(pins("serving.txt"))


def test_the_wheels_to_repair_are_those_of_the_lock() -> None:
    repaired = pins("repaired.txt")
    assert set(repaired) == {"ml-metadata", "tensorflow-data-validation"}
    assert repaired == {name: pins("pipeline.txt")[name] for name in repaired}


@pytest.mark.parametrize("name", lock.NAMES)
def test_every_line_of_an_input_is_locked(name: str) -> None:
    wanted = asked_in(name)
    locked = pins(f"{name}.txt")
    assert wanted
    assert [str(want) for want in wanted if not want.specifier.contains(locked[canonicalize_name(want.name)])] == []


@pytest.mark.parametrize(
    "name", sorted({"requirements/repaired.txt", *(lock for one in ENVIRONMENTS.values() for lock in one.locks)})
)
def test_a_lock_tells_of_no_machine(name: str) -> None:
    text = (ROOT / name).read_text()
    assert re.findall(r"https?://|(?:^|\s)/\w+|--index|--find-links", text, re.MULTILINE) == []


def test_pip_is_in_the_environment_for_the_packing_of_user_code() -> None:
    assert {"pip", "setuptools", "wheel"} <= set(pins("pipeline.txt"))


def test_every_library_has_its_licence_and_reason_in_the_docs() -> None:
    rows = [line for line in (ROOT / "docs/dependencies.md").read_text().splitlines() if line.startswith("| `")]
    told = {canonicalize_name(name) for row in rows for name in re.findall(r"`([\w-]+)`", row.split("|")[1])}
    asked = [want for name in lock.NAMES for want in asked_in(name)] + stated_by_setup()
    assert {canonicalize_name(want.name) for want in asked} - told == set()

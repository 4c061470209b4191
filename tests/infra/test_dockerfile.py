"""The Dockerfile agrees with the locks, the set-up and the checkout, without being built."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.infra.dockerfile import DOCKERFILE, Dockerfile, is_sent
from tests.tools.test_requirements import pins
from tools.flink_parts import FLINK_VERSION
from tools.host import VERSION
from tools.images import TARGETS
from tools.setup_env import ENVIRONMENTS, IMAGE, IMAGE_GPU, IMAGE_SERVING, ROOT

FILE = Dockerfile.read()
IGNORED = (ROOT / ".dockerignore").read_text()


def test_there_is_a_stage_for_every_image() -> None:
    assert set(TARGETS) <= set(FILE.stages)


def test_the_base_images_are_pinned_to_the_versions_of_the_lock() -> None:
    python = ".".join(map(str, VERSION))
    assert set(FILE.arguments) == {"PYTHON", "BEAM", "FLINK"}
    assert re.fullmatch(rf"python:{re.escape(python)}\.\d+-slim-trixie", FILE.arguments["PYTHON"])
    beam = pins("pipeline.txt")["apache-beam"]
    assert FILE.arguments["BEAM"] == f"apache/beam_python{python}_sdk:{beam}"
    assert FILE.arguments["FLINK"] == f"flink:{FLINK_VERSION}-scala_2.12-java17"


def test_every_stage_comes_of_a_pinned_image_or_another_stage() -> None:
    assert {stage.base for stage in FILE.stages.values()} <= {*FILE.arguments.values(), *FILE.stages}


def test_beam_knows_the_version_of_flink() -> None:
    from apache_beam.options.pipeline_options import FlinkRunnerOptions

    assert FILE.version("FLINK").rpartition(".")[0] in FlinkRunnerOptions.PUBLISHED_FLINK_VERSIONS


def test_images_are_installed_by_the_set_up_from_the_locks() -> None:
    text = DOCKERFILE.read_text()
    images = {"image": IMAGE, "image-gpu": IMAGE_GPU, "image-serving": IMAGE_SERVING}
    assert {name: one for name, one in ENVIRONMENTS.items() if name.startswith("image")} == images
    for name, environment in images.items():
        assert f"python -m tools.setup_env {name} " in text
        assert set(environment.locks) <= set(FILE.copied())
    installs = re.findall(r"pip install (.*)", text)
    assert installs
    assert all("--no-index --no-deps /wheels/*.whl" in options for options in installs)


@pytest.mark.parametrize("path", sorted((ROOT / "infra").rglob("Dockerfile")), ids=lambda path: path.parent.name)
def test_every_file_that_is_copied_is_there_and_is_sent_to_the_builder(path: Path) -> None:
    copied = Dockerfile.read(path).copied()
    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert [name for name in copied if not is_sent(name, IGNORED)] == []


def test_the_modules_of_the_set_up_are_all_copied() -> None:
    """What tools/setup_env.py imports of this folder, and what these do."""
    wanted, found = ["setup_env"], set()
    while wanted:
        name = wanted.pop()
        found.add(name)
        text = (ROOT / "tools" / f"{name}.py").read_text()
        names = re.findall(r"^from tools import (.*)$", text, re.MULTILINE)
        named = re.findall(r"^from tools\.(\w+) import", text, re.MULTILINE)
        wanted += {one for line in names for one in line.split(", ")} | set(named) - found
    assert {f"tools/{name}.py" for name in found} <= set(FILE.copied())


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        ".venv-airflow/bin/python",
        "work/photos/fashion60/index.csv",
        "tests/conftest.py",
        "infra/environments/fashion60.toml",
        "pipelines/__pycache__/cli.cpython-312.pyc",
        "pipelines/store/__pycache__/base.cpython-312.pyc",
        "adc.json",
    ],
)
def test_what_no_image_needs_is_not_sent_to_the_builder(path: str) -> None:
    assert not is_sent(path, IGNORED)


def test_what_images_hold_is_sent_to_the_builder() -> None:
    packages = [
        path for name in ("pipelines", "serving", "trainer", "transforms") for path in (ROOT / name).rglob("*.*")
    ]
    files = [str(path.relative_to(ROOT)) for path in packages if "__pycache__" not in path.parts]
    assert len(files) > 100
    assert [path for path in files if not is_sent(path, IGNORED)] == []


@pytest.mark.parametrize(
    ("target", "user"),
    [
        ("launcher", "search"),
        ("serving", "search"),
        ("launcher-gpu", "search"),
        ("flink", "flink"),
        ("worker", "root"),
        ("worker-gpu", "root"),
    ],
)
def test_only_what_dataflow_starts_runs_as_root(target: str, user: str) -> None:
    assert FILE.effective(target, "USER") == user


@pytest.mark.parametrize(
    ("target", "entrypoint"),
    [
        ("launcher", '["tini", "-g", "--", "visual-search"]'),
        ("serving", '["tini", "-g", "--", "visual-search"]'),
        ("launcher-gpu", '["tini", "-g", "--", "visual-search"]'),
        ("worker", '["/opt/apache/beam/boot"]'),
        ("worker-gpu", '["/opt/apache/beam/boot"]'),
        ("flink", '["/docker-entrypoint.sh"]'),
    ],
)
def test_each_image_starts_what_its_cluster_expects(target: str, entrypoint: str) -> None:
    assert FILE.effective(target, "ENTRYPOINT") == entrypoint


def test_packages_of_the_system_bring_no_others_and_leave_no_lists() -> None:
    steps = [rest for stage in FILE.stages.values() for name, rest in stage.instructions if name == "RUN"]
    installs = [step for step in steps if "apt-get install" in step]
    assert installs
    for step in installs:
        assert "apt-get update && apt-get install -y --no-install-recommends" in step
        assert "rm -rf /var/lib/apt/lists/*" in step


def test_the_layer_of_packages_does_not_depend_on_the_source() -> None:
    """A changed line of the pipeline sends no gigabytes to a registry."""
    stages = ("runtime", "runtime-gpu", "libraries-gpu", "libraries-serving")
    heavy = [stage for name in stages for stage in FILE.lineage(name)]
    text = " ".join(rest for stage in heavy for _, rest in stage.instructions)
    assert not re.search(r"\b(pipelines|serving/|trainer|transforms|setup\.py|from=project|VERSION)\b", text)


def test_the_parser_reads_what_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    first = "# no\nARG A=b:1\nFROM ${A} AS x\nRUN one \\\n    two\n# no\n"
    path.write_text(f"{first}FROM x AS y\nCOPY --from=x /z /z\nCOPY p q/\nUSER u\n")
    read = Dockerfile.read(path)
    assert read.arguments == {"A": "b:1"}
    assert [stage.base for stage in read.lineage("y")] == ["x", "b:1"]
    assert read.stages["x"].instructions == [("RUN", "one two")]
    assert (read.copied(), read.effective("y", "USER"), read.effective("y", "CMD")) == (["p"], "u", None)


@pytest.mark.parametrize(
    ("path", "sent"),
    [("a", True), ("b", False), ("b/c/d", False), ("b/kept", True), ("x/y/junk/z", False), ("c.txt", False)],
)
def test_the_last_pattern_that_matches_decides(path: str, sent: bool) -> None:
    assert is_sent(path, "# c\nb\n!b/kept\n*.txt\n**/junk\n") is sent

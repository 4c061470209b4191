"""Imports point one way: serving -> pipelines -> trainer -> transforms, in pipelines from a layer to those below it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("transforms", "trainer", "pipelines", "serving", "tools", "dags")

# The rooms of pipelines/, from the ground up. A module may import its own room and those of lower layers. Rooms of one
# layer do not know each other, but for the ground floor's, whose errors and words belong to everybody.
LAYERS = (
    ("errors", "config", "demo"),
    ("store", "telemetry"),
    ("tables", "shop_files"),
    ("jobs",),
    ("runs",),
    ("models", "releases", "hidden", "curated"),
    ("neighbours",),
    ("catalogue", "preprocess", "train", "embed", "index", "evaluate", "promote"),
    ("forecast",),
    ("search", "backfill", "status", "export", "survey", "erase"),
    ("trace", "quality", "judge"),
    ("cli",),
)
LAYER_OF = {room: layer for layer, rooms in enumerate(LAYERS) for room in rooms}

# What a service has no business with: the stages that make releases, and the command line.
NOT_SERVED = ("jobs", "catalogue", "preprocess", "train", "embed", "index", "evaluate", "promote", "cli")

# Whose files -> what they must not import, wherever in a file it stands.
RULES = {
    "transforms": ("trainer", "pipelines", "serving", "dags", "tools", "apache_beam", "tfx", "faiss"),
    "trainer": ("pipelines", "serving", "dags", "tools", "apache_beam", "faiss"),
    "pipelines": ("serving", "dags", "tools"),
    "serving": (*(f"pipelines.{room}" for room in NOT_SERVED), "trainer.fit", "dags", "tools", "apache_beam", "tfx"),
    "tools": ("transforms", "trainer", "pipelines", "serving", "dags"),
    "dags": ("transforms", "trainer", "pipelines", "serving", "tools"),
}
# Exceptions to the above, by room: the command line alone may start the server.
ALLOWED = {"pipelines.cli": ("serving",)}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports_of(source: str) -> Iterator[str]:
    """Yield the dotted names that a source imports; `from a import b` gives `a.b`, which may be a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def broken_rules(module: str, names: list[str]) -> list[str]:
    """Return what one module imports and must not."""
    forbidden = set(RULES[module.partition(".")[0]]) - set(ALLOWED.get(".".join(module.split(".")[:2]), ()))
    broken = [name for name in names if any(is_below(name, package) for package in forbidden)]
    if not is_below(module, "pipelines.neighbours"):
        broken += [name for name in names if is_below(name, "faiss")]
    return broken + [name for name in names if looks_up(module, name)]


def room(name: str) -> str:
    package, _, rest = name.partition(".")
    return rest.partition(".")[0] if package == "pipelines" else ""


def looks_up(module: str, imported: str) -> bool:
    """Tell whether a room imports one of its own layer or of a higher one."""
    here, there = room(module), room(imported)
    if not here or not there or here == there:
        return False
    return LAYER_OF[there] >= LAYER_OF[here] and not LAYER_OF[there] == LAYER_OF[here] == 0


def circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other, directly or through others."""
    reached = {module: _reached(module, imports) for module in imports}
    found = {
        tuple(sorted(other for other in reached[module] if module in reached.get(other, ()))) for module in imports
    }
    return [list(group) for group in sorted(found) if group]


def _reached(start: str, imports: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    ahead = list(imports[start])
    while ahead:
        module = ahead.pop()
        if module not in found:
            found.add(module)
            ahead += imports.get(module, ())
    return found


@pytest.mark.parametrize("path", [path for package in PACKAGES for path in modules(package)], ids=module_name)
def test_imports_point_one_way(path: Path) -> None:
    module = module_name(path)
    assert broken_rules(module, list(imports_of(path.read_text(encoding="utf-8")))) == []


def test_every_room_has_its_layer() -> None:
    rooms = {room(module_name(path)) for path in modules("pipelines")} - {""}
    assert rooms == LAYER_OF.keys()


def test_no_modules_import_each_other_in_a_circle() -> None:
    paths = {
        module_name(path): path
        for package in ("transforms", "trainer", "pipelines", "serving")
        for path in modules(package)
    }
    imports: dict[str, set[str]] = {}
    for module, path in paths.items():
        names = imports_of(path.read_text(encoding="utf-8"))
        imports[module] = {name if name in paths else name.rpartition(".")[0] for name in names} & paths.keys()
    assert circles(imports) == []


def test_a_circle_is_seen() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d"}}) == [["b", "c"], ["d"]]


@pytest.mark.parametrize(
    ("module", "source", "broken"),
    [
        ("transforms.image", "import trainer.model", ["trainer.model"]),
        ("transforms.image", "def f():\n    from apache_beam import io", ["apache_beam.io"]),
        ("trainer.model", "from pipelines.store import base", ["pipelines.store.base"]),
        ("trainer.model", "from tfx.v1 import components", []),
        ("pipelines.status.status", "import serving.app", ["serving.app"]),
        ("pipelines.cli.serve", "import serving.app", []),
        ("serving.service", "from pipelines.search import engine", []),
        ("serving.service", "from pipelines.promote import stage", ["pipelines.promote.stage"]),
        ("serving.service", "import faiss", ["faiss"]),
        ("pipelines.embed.stage", "import faiss", ["faiss"]),
        ("pipelines.neighbours.kinds.hnsw", "import faiss", []),
        ("pipelines.embed.stage", "from pipelines.train import stage", ["pipelines.train.stage"]),
        ("pipelines.embed.stage", "from pipelines import train", ["pipelines.train"]),
        ("pipelines.embed.stage", "from pipelines.errors import StageError", []),
        ("pipelines.store.base", "from pipelines.tables import arrow", ["pipelines.tables.arrow"]),
        ("pipelines.store.base", "from pipelines.telemetry import logs", ["pipelines.telemetry.logs"]),
        ("pipelines.config.shop", "from pipelines.errors import StageError", []),
        ("pipelines.evaluate.stage", "from pipelines.neighbours.query import searcher", []),
        ("pipelines.search.page", "from pipelines.embed import stage", []),
        ("pipelines.search.page", "from pipelines.cli import main", ["pipelines.cli.main"]),
        ("pipelines.cli", "from pipelines.train import stage", []),
    ],
)
def test_the_rules_see(module: str, source: str, broken: list[str]) -> None:
    assert broken_rules(module, list(imports_of(source))) == broken


def test_a_stage_imports_beam_when_it_has_a_job() -> None:
    """What finds nothing to do has ended before Beam is imported."""
    stages = [module_name(path) for path in modules("pipelines") if path.name == "stage.py"]
    assert len(stages) == 7
    imports = "\n".join(f"import {name}" for name in stages)
    script = f"import sys\n{imports}\nassert 'apache_beam' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)

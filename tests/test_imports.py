"""Imports point one way: pipelines -> trainer -> transforms, and each stage stands alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("transforms", "trainer", "pipelines", "tools", "dags")
STAGES = ("catalogue", "preprocess", "train", "embed", "index", "evaluate", "promote")
# Who measures a query and who answers one both ask the index, by its public modules; who answers also reads what is
# live, and the photos of results from where they were fetched.
MAY_ASK = {"evaluate": ("index",), "search": ("index", "promote", "preprocess")}

# Whose files -> what they must not import, wherever in a file it stands.
RULES = {
    "transforms": ("trainer", "pipelines", "serving", "dags", "tools", "apache_beam", "tfx", "faiss"),
    "trainer": ("pipelines", "serving", "dags", "tools", "apache_beam", "faiss"),
    "pipelines": ("serving", "dags", "tools"),
    "tools": ("transforms", "trainer", "pipelines", "serving", "dags"),
    "dags": ("transforms", "trainer", "pipelines", "serving", "tools"),
}
# Exceptions to the above, by module: the command line alone may start the server.
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
    forbidden = set(RULES[module.partition(".")[0]]) - set(ALLOWED.get(module, ()))
    broken = [name for name in names if any(is_below(name, package) for package in forbidden)]
    if not is_below(module, "pipelines.index"):
        broken += [name for name in names if is_below(name, "faiss")]
    return broken + [name for name in names if crosses_stages(module, name)]


def crosses_stages(module: str, imported: str) -> bool:
    """Tell whether one stage imports another. Stages meet in the store."""
    here, there = (name.split(".")[1] if name.startswith("pipelines.") else "" for name in (module, imported))
    if here not in (*STAGES, "search") or there not in STAGES or here == there:
        return False
    return there not in MAY_ASK.get(here, ())


@pytest.mark.parametrize("path", [path for package in PACKAGES for path in modules(package)], ids=module_name)
def test_imports_point_one_way(path: Path) -> None:
    module = module_name(path)
    assert broken_rules(module, list(imports_of(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    ("module", "source", "broken"),
    [
        ("transforms.image", "import trainer.model", ["trainer.model"]),
        ("transforms.image", "def f():\n    from apache_beam import io", ["apache_beam.io"]),
        ("trainer.model", "from pipelines.store import base", ["pipelines.store.base"]),
        ("trainer.model", "from tfx.v1 import components", []),
        ("pipelines.status", "import serving.app", ["serving.app"]),
        ("pipelines.cli", "import serving.app", []),
        ("pipelines.embed.stage", "import faiss", ["faiss"]),
        ("pipelines.index.hnsw", "import faiss", []),
        ("pipelines.embed.stage", "from pipelines.train import stage", ["pipelines.train.stage"]),
        ("pipelines.embed.stage", "from pipelines import train", ["pipelines.train"]),
        ("pipelines.train.stage", "from pipelines.training_plan import x", []),
        ("pipelines.evaluate.stage", "from pipelines.index import search", []),
        ("pipelines.promote.stage", "from pipelines.index import search", ["pipelines.index.search"]),
        ("pipelines.search.table", "from pipelines.embed import stage", ["pipelines.embed.stage"]),
        ("pipelines.cli", "from pipelines.train import stage", []),
    ],
)
def test_the_rules_see(module: str, source: str, broken: list[str]) -> None:
    assert broken_rules(module, list(imports_of(source))) == broken

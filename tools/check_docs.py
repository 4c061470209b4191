"""Check that the documents speak of what is there.

    python -m tools.check_docs

Owns three questions about README.md, CHANGELOG.md and docs/: does every relative link lead to a file and a heading, is
every `make` target one of the Makefile's, and is every file named in backquotes there. What they print is for tests.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Iterator

from tools.setup_env import ROOT

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_MAKE = re.compile(r"(?:`|^)make ([a-z][a-z-]*)", re.MULTILINE)
_FILE = re.compile(r"`((?:docs|tests|tools|infra|benchmarks|requirements)/[\w./-]*\.\w+)`")
_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def main() -> int:
    """Print every wrong statement; return 1 when there is one."""
    problems = [problem for document in documents(ROOT) for problem in check(document, ROOT)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def documents(root: Path) -> list[Path]:
    """Return the project's documents."""
    return [path for path in sorted([*root.glob("*.md"), *root.glob("docs/**/*.md")]) if path.is_file()]


def check(document: Path, root: Path) -> Iterator[str]:
    """Yield what the document says that is not so, each with its file and line."""
    text = document.read_text(encoding="utf-8")
    targets = set(_TARGET.findall((root / "Makefile").read_text(encoding="utf-8")))
    for found in _LINK.finditer(text):
        if not _leads_somewhere(document, found.group(1)):
            yield _problem(document, root, text, found, f"the link {found.group(1)} leads nowhere")
    for found in _MAKE.finditer(text):
        if found.group(1) not in targets:
            yield _problem(document, root, text, found, f"the Makefile has no target {found.group(1)}")
    for found in _FILE.finditer(text):
        if not (root / found.group(1)).exists():
            yield _problem(document, root, text, found, f"there is no file {found.group(1)}")


def slug(heading: str) -> str:
    """Return the anchor that a heading gets on the usual hosts of repositories."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")


def _leads_somewhere(document: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):  # another site: the checks do not leave the machine
        return True
    name, _, anchor = link.partition("#")
    target = document.parent / name if name else document
    if not target.exists():
        return False
    return not anchor or anchor in {slug(heading) for heading in _HEADING.findall(target.read_text(encoding="utf-8"))}


def _problem(document: Path, root: Path, text: str, found: re.Match[str], what: str) -> str:
    line = text.count("\n", 0, found.start()) + 1
    return f"{document.relative_to(root)}:{line}: {what}"


if __name__ == "__main__":
    sys.exit(main())

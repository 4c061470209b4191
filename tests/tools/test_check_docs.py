from pathlib import Path

import pytest

from tools import check_docs


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Makefile").write_text(".PHONY: test\ntest: setup ## run the tests\n\tpytest\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "store.md").write_text("# The store\n\n## Units, not `sinks`\n")
    return tmp_path


def problems(root: Path, text: str) -> list[str]:
    path = root / "README.md"
    path.write_text(text)
    return list(check_docs.check(path, root))


@pytest.mark.parametrize(
    "text",
    [
        "[the store](docs/store.md)",
        "[units](docs/store.md#units-not-sinks)",
        "# Begin here\n[up](#begin-here)",
        "[elsewhere](https://example.com/none)",
        "type `make test`",
        "```\nmake test\n```",
        "they make all of it",
        "see `docs/store.md`",
    ],
)
def test_what_is_there_passes(root: Path, text: str) -> None:
    assert problems(root, text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[the store](store.md)", "README.md:1: the link store.md leads nowhere"),
        ("\n[units](docs/store.md#sinks)", "README.md:2: the link docs/store.md#sinks leads nowhere"),
        ("[up](#begin)", "README.md:1: the link #begin leads nowhere"),
        ("type `make tests`", "README.md:1: the Makefile has no target tests"),
        ("```\nmake tests\n```", "README.md:2: the Makefile has no target tests"),
        ("see `docs/none.md`", "README.md:1: there is no file docs/none.md"),
    ],
)
def test_what_is_not_there_is_named(root: Path, text: str, problem: str) -> None:
    assert problems(root, text) == [problem]


def test_the_exit_code_says_whether_there_are_problems(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_docs, "ROOT", root)
    assert check_docs.main() == 0
    (root / "docs" / "more.md").write_text("[x](y.md)")
    assert check_docs.main() == 1
    assert capsys.readouterr().out == "docs/more.md:1: the link y.md leads nowhere\n"

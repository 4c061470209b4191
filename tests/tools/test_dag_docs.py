"""docs/dags.md says what the DAGs say of themselves."""

from pathlib import Path

import pytest

from tools import dag_docs
from tools.setup_env import ROOT


def test_the_page_is_what_the_docstrings_say() -> None:
    told = (ROOT / "docs/dags.md").read_text()
    assert told == dag_docs.page(ROOT / "dags"), "run `python -m tools.dag_docs`"


def test_helpers_come_first_and_each_dag_has_its_heading(tmp_path: Path) -> None:
    (tmp_path / ".airflowignore").write_text("webhook.py\n")
    (tmp_path / "webhook.py").write_text('"""How."""\n')
    (tmp_path / "daily.py").write_text('"""Every day.\n\nAt two."""\n')
    page = dag_docs.page(tmp_path)
    assert page.endswith("## Who is told of a failure\n\nHow.\n\n## `visual_search_daily`\n\nEvery day.\n\nAt two.\n")
    (tmp_path / "daily.py").write_text("pass\n")
    with pytest.raises(SystemExit, match=r"daily\.py has no docstring"):
        dag_docs.page(tmp_path)

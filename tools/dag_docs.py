"""Write docs/dags.md from the docstrings of dags/, which Airflow shows on each DAG's own page.

    python -m tools.dag_docs

Owns the order and the headings of that page. It reads the files and runs none of them.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from tools.setup_env import ROOT

_INTRODUCTION = """# The DAGs

Airflow 3.3 starts the stages by their command line; `dags/` holds thin files that need nothing of the pipeline. Point
Airflow's DAGs folder there (`AIRFLOW__CORE__DAGS_FOLDER`) and set two variables, or a few more for tasks as pods
([how](operations.md#airflow-starts-the-stages-as-pods)). What has been tested: their structure, and runs of them with a
program in the place of `visual-search`, as processes and as pods of a stand-in for a cluster (`make test-dags`); and,
with the real one and Airflow's own scheduler on PostgreSQL, a day whose stages are killed, what its release starts,
feeds, and a backfill (`make test-airflow`). `make airflow` starts Airflow on this machine alone, at
http://127.0.0.1:8080, with the demo's catalogue and every DAG paused; `make airflow-postgres` keeps its state in
PostgreSQL.

**Who consumes the index** has a DAG of their own be scheduled on the asset `visual_search_release`, which every
promotion and rollback updates: `infra/airflow/on_release.py` is one. It imports nothing of this project and may lie in
another folder; the asset's event carries the run that made the release. Whoever delivers a feed updates
`visual_search_feed`, which starts `visual_search_delta`; both together, a shop's feed that waits for a release, is in
`tests/dags/consumers.py`.

A day, and the form of a backfill, as Airflow shows them ([the day's graph](pictures/airflow-graph.png),
[the assets](pictures/airflow-assets.png)):

![The grid of visual_search_daily: seven stages, all done, and the update of the asset](pictures/airflow-grid.png)
![The form of visual_search_backfill: first day, last day, stages, what goes live](pictures/airflow-form.png)

<!-- Made from the docstrings of dags/ by `python -m tools.dag_docs`, which `make format` calls; a test compares. -->
"""

_HELPERS = {
    "command_task": "What a task is",
    "kubernetes_pod": "A task as a pod",
    "local_process": "A task as a local process",
    "verdict_task": "A task that waits for people",
    "transcript": "What a command says",
    "webhook": "Who is told of a failure",
}


def main() -> int:
    """Write the page; return the exit code."""
    (ROOT / "docs" / "dags.md").write_text(page(ROOT / "dags"), encoding="utf-8")
    return 0


def page(folder: Path) -> str:
    """Return the page on the DAGs of a folder: what its helpers say, then each DAG."""
    helpers = set((folder / ".airflowignore").read_text(encoding="utf-8").split())
    files = sorted(folder.glob("*.py"), key=lambda path: (path.name not in helpers, path.name))
    parts = [_INTRODUCTION]
    for path in files:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        if text is None:
            raise SystemExit(f"{path} has no docstring; say in it what the DAG is for")
        title = _HELPERS[path.stem] if path.name in helpers else f"`visual_search_{path.stem}`"
        parts.append(f"## {title}\n\n{text}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())

"""A task calls `visual-search` once, without a shell: its last line goes to XCom, exit code 3 shows as skipped.

Nothing of the pipeline is imported, for Airflow has an environment of its own. What is called, and with which config,
are Airflow variables, read when a task runs (or variables of the process: `AIRFLOW_VAR_VISUAL_SEARCH_CONFIG`):

| variable | default | |
|---|---|---|
| `visual_search_command` | `visual-search` | the program, such as `/srv/shop/.venv/bin/visual-search` |
| `visual_search_config` | none | the TOML file of the environment |

What the command says on stderr is the task's log, line by line with its level. A retry, five minutes later or
`VISUAL_SEARCH_RETRY_S` seconds, calls the same command under the same run id, which goes on where the last attempt
stopped; exit code 2 (wrong usage or config) is not tried again.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, AssetAlias, BaseOperator, BaseOperatorLink, Context, chain
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from webhook import tell

STAGES = ("catalogue", "preprocess", "train", "embed", "index", "evaluate", "promote")
FEED = Asset(name="visual_search_feed", uri="visual-search://feed")
"""A feed has come: whoever delivers one says so."""
RELEASE = Asset(name="visual_search_release", uri="visual-search://release")
"""What is live changed: who consumes the index can be scheduled on it."""
RELEASE_ALIAS = AssetAlias("visual_search_release")
GPU_POOL = "visual_search_gpu"
USAGE, REFUSED = 2, 3
RUN_ID = "{{ dag.dag_id | run_name(run_id) }}"
KILL_AFTER_S = 30
NO_BACKFILL = "Airflow's backfill would read today's feeds, whatever the date: trigger the DAG visual_search_backfill"


def run_name(dag_id: str, run_id: str) -> str:
    """Return the pipeline's run id for a DAG run: one name a run, of the letters that a run id may have."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", f"{dag_id.removeprefix('visual_search_')}-{run_id}")[:100]


COMMON: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,
    "user_defined_filters": {"run_name": run_name},
    "tags": ["visual-search"],
}
"""What every DAG is given."""


def task_defaults(retries: int = 0) -> dict[str, Any]:
    """Return what every task of a DAG is given: how often it is tried again, and who is told when it fails for good."""
    delay = timedelta(seconds=float(os.environ.get("VISUAL_SEARCH_RETRY_S", "300")))
    return {"owner": "search", "on_failure_callback": tell, "retries": retries, "retry_delay": delay}


class ReportLink(BaseOperatorLink):
    """Where the report of the release lies that a task has made."""

    name = "Report"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:  # noqa: ARG002 - Airflow names it
        """Return the report's address, "" when the task made none."""
        return getattr(operator, "report", "")


class CommandTask(BaseOperator):
    """Calls `visual-search COMMAND --config C …`, one argument an element; `options` with an empty value are left out.

    `flags` are given where their value is `True`, as a parameter that is a boolean renders. `promotes` tells that a
    success changes what is live, unless its last line lists nothing as `promoted`.
    """

    template_fields: Sequence[str] = ("program", "config", "arguments", "options", "flags")
    operator_extra_links = (ReportLink(),)

    def __init__(
        self,
        *,
        arguments: Sequence[str],
        options: Mapping[str, str] | None = None,
        flags: Mapping[str, str] | None = None,
        promotes: bool = False,
        program: str = "{{ var.value.get('visual_search_command', 'visual-search') }}",
        config: str = "{{ var.value.visual_search_config }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs, **({"outlets": [RELEASE_ALIAS]} if promotes else {}))
        self.arguments, self.options, self.promotes = list(arguments), dict(options or {}), promotes
        self.flags = dict(flags or {})
        self.program, self.config = program, config
        self.report = ""
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the command to its end and return its last line. Raises AirflowSkipException where a gate said no."""
        if context["dag_run"].run_type == "backfill":
            raise AirflowFailException(NO_BACKFILL)
        first, *more = self.arguments
        options = [text for name, value in self.options.items() if value for text in (name, value)]
        flags = [name for name, value in self.flags.items() if value == "True"]
        command = [*shlex.split(self.program), first, "--config", self.config, *more, *options, *flags]
        self.log.info("%s", shlex.join(command))
        line, reason, code = self._run(command)
        if code == REFUSED:
            raise AirflowSkipException(reason)
        if code == USAGE:  # the next attempt would be as wrong
            raise AirflowFailException(reason)
        if code:
            raise AirflowException(f"exit code {code}: {reason}")
        result: dict[str, Any] = json.loads(line)
        if result.get("stage") == "evaluate":
            self.report = f"{_address(result['uri'])}/report.html"
        if self.promotes and result.get("promoted", True):
            context["outlet_events"][RELEASE_ALIAS].add(RELEASE, extra={"run_id": result.get("run_id")})
        return result

    def on_kill(self) -> None:
        """End the command and its workers: politely first, for it gives up its lease."""
        if self._process is None or self._process.poll() is not None:
            return
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)

    def _run(self, command: list[str]) -> tuple[str, str, int]:
        """Return the last line on stdout, the last message on stderr, and the exit code."""
        environment = {**os.environ, "VISUAL_SEARCH_LOG_FORMAT": "json"}
        said = [""]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that all that it starts can be ended with it
            env=environment,
        ) as process:
            self._process = process
            reader = threading.Thread(target=self._log_lines, args=(process.stderr, said))
            reader.start()
            last = ""
            for line in process.stdout or ():
                last = line.strip() or last
            reader.join()
        return last, said[0], process.returncode

    def _log_lines(self, lines: Any, said: list[str]) -> None:
        for line in lines:
            level, message = _parsed(line.rstrip())
            said[0] = message
            self.log.log(level, "%s", message)


def chain_stages(on_gpu: Set[str], options: Mapping[str, Mapping[str, str]]) -> None:
    """Have the DAG at hand run all stages in order: those `on_gpu` in its pool, each with its own `options`, if any."""
    chain(
        *(
            CommandTask(
                task_id=stage,
                arguments=[stage, "--run-id", RUN_ID],
                options=options.get(stage),
                promotes=stage == "promote",
                **({"pool": GPU_POOL} if stage in on_gpu else {}),
            )
            for stage in STAGES
        )
    )


def _parsed(line: str) -> tuple[int, str]:
    """Return level and message of a line on stderr; what native code writes is text."""
    try:
        value = json.loads(line)
        message = "\n".join(filter(None, (value["message"], value.get("exc_info"))))
        return logging.getLevelNamesMapping()[value["severity"]], message
    except (ValueError, KeyError, TypeError):
        return logging.INFO, line


def _address(uri: str) -> str:
    """Return what a browser opens."""
    return uri.replace("gs://", "https://storage.cloud.google.com/", 1) if uri.startswith("gs://") else f"file://{uri}"

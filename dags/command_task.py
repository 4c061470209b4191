"""A task calls `visual-search` once, without a shell: its last line goes to XCom, exit codes 3, 4 show as skipped.

Nothing of the pipeline is imported, for Airflow has an environment of its own. What is called, where, and with which
config, are Airflow variables, read when a task runs (or variables of the process:
`AIRFLOW_VAR_VISUAL_SEARCH_CONFIG`):

| variable | default | |
|---|---|---|
| `visual_search_launcher` | `local` | `local`, beside Airflow's worker, or `kubernetes`, a pod of its own: see below |
| `visual_search_command` | `visual-search` | the program, such as `/srv/shop/.venv/bin/visual-search` |
| `visual_search_config` | none | the TOML file of the environment, where the program runs |

What the command says on stderr is the task's log, line by line with its level. A retry, five minutes later or
`VISUAL_SEARCH_RETRY_S` seconds, calls the same command under the same run id, which goes on where the last attempt
stopped; exit code 2 (wrong usage or config) is not tried again. Both launchers behave alike.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from airflow.sdk import Asset, AssetAlias, BaseOperator, BaseOperatorLink, Context, chain
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from local_process import LocalProcess
from transcript import Transcript
from webhook import tell

STAGES = ("catalogue", "preprocess", "train", "embed", "index", "evaluate", "promote")
FEED = Asset(name="visual_search_feed", uri="visual-search://feed")
"""A feed has come: whoever delivers one says so."""
RELEASE = Asset(name="visual_search_release", uri="visual-search://release")
"""What is live changed: who consumes the index can be scheduled on it."""
RELEASE_ALIAS = AssetAlias("visual_search_release")
GPU_POOL = "visual_search_gpu"
USAGE, REFUSED, WAITING = 2, 3, 4
RUN_ID = "{{ dag.dag_id | run_name(run_id) }}"
LAUNCHERS = ("local", "kubernetes")
NO_BACKFILL = "Airflow's backfill would read today's feeds, whatever the date: trigger the DAG visual_search_backfill"


def run_name(dag_id: str, run_id: str) -> str:
    """Return the pipeline's run id for a DAG run: one name a run, of the letters that a run id may have.

    Where letters were replaced or cut, the digest of what it was is the end of it.
    """
    whole = f"{dag_id.removeprefix('visual_search_')}-{run_id}"
    name = re.sub(r"[^A-Za-z0-9._-]", "_", whole)
    if name == whole and len(name) <= 100:
        return name
    return f"{name[:87]}-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


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


class Launched(Protocol):
    """A command that a launcher runs."""

    def run(self, command: Sequence[str], transcript: Transcript) -> int:
        """Run a command to its end; return its exit code."""
        ...

    def kill(self) -> None:
        """End the command and all that it started, politely first."""
        ...


class CommandTask(BaseOperator):
    """Calls `visual-search COMMAND --config C …`, one argument an element; `options` with an empty value are left out.

    The first argument is the command, of one word or, such as `judge new`, of two.

    `flags` are given where their value is `True`, as a parameter that is a boolean renders. `promotes` tells that a
    success changes what is live, unless its last line lists nothing as `promoted`.
    """

    template_fields: Sequence[str] = ("launcher", "program", "config", "arguments", "options", "flags")
    operator_extra_links = (ReportLink(),)

    def __init__(
        self,
        *,
        arguments: Sequence[str],
        options: Mapping[str, str] | None = None,
        flags: Mapping[str, str] | None = None,
        promotes: bool = False,
        launcher: str = "{{ var.value.get('visual_search_launcher', 'local') }}",
        program: str = "{{ var.value.get('visual_search_command', 'visual-search') }}",
        config: str = "{{ var.value.visual_search_config }}",
        **kwargs: Any,
    ) -> None:
        outlets: dict[str, Any] = {"outlets": [RELEASE_ALIAS]} if promotes else {}
        super().__init__(**kwargs, **outlets)
        self.arguments, self.options, self.promotes = list(arguments), dict(options or {}), promotes
        self.flags = dict(flags or {})
        self.launcher, self.program, self.config = launcher, program, config
        self.report = ""
        self._launched: Launched | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the command to its end and return its last line. Raises AirflowSkipException of a gate's no."""
        if context["dag_run"].run_type == "backfill":
            raise AirflowFailException(NO_BACKFILL)
        result = self._run(self._command(), context)
        if result.get("stage") == "evaluate":
            self.report = f"{_address(result['uri'])}/report.html"
        if self.promotes and result.get("promoted", True):
            context["outlet_events"][RELEASE_ALIAS].add(RELEASE, extra={"run_id": result.get("run_id")})
        return result

    def on_kill(self) -> None:
        """End the command, wherever it runs."""
        if self._launched is not None:
            self._launched.kill()

    def _command(self) -> list[str]:
        first, *more = self.arguments
        options = [text for name, value in self.options.items() if value for text in (name, value)]
        flags = [name for name, value in self.flags.items() if value == "True"]
        return [*shlex.split(self.program), *first.split(), "--config", self.config, *more, *options, *flags]

    def _run(self, command: Sequence[str], context: Context) -> dict[str, Any]:
        """Run a command; return its result, or raise what its exit code stands for."""
        self.log.info("%s", shlex.join(command))
        transcript = Transcript(self.log)
        self._launched = self._launch(context)
        code = self._launched.run(command, transcript)
        if code in {REFUSED, WAITING}:
            raise AirflowSkipException(transcript.reason)
        if code == USAGE:  # the next attempt would be as wrong
            raise AirflowFailException(transcript.reason)
        if code:
            raise AirflowException(f"exit code {code}: {transcript.reason}")
        if transcript.result is None:
            raise AirflowException("exit code 0, but no JSON object was printed; is visual_search_command the program?")
        return transcript.result

    def _launch(self, context: Context) -> Launched:
        if self.launcher == "local":
            return LocalProcess()
        if self.launcher != "kubernetes":
            raise AirflowFailException(
                f"the variable visual_search_launcher is {self.launcher!r}; set it to {' or '.join(LAUNCHERS)}"
            )
        try:  # heavy, and not everywhere: no DAG needs it to be parsed
            from kubernetes_pod import KubernetesPod
        except ImportError as error:
            raise AirflowFailException(
                f"{error}; tasks as pods need its provider: install apache-airflow-providers-cncf-kubernetes"
            ) from error
        return KubernetesPod(context, stage=self.arguments[0], on_gpu=self.pool == GPU_POOL)


def chain_stages(on_gpu: Set[str], options: Mapping[str, Mapping[str, str]]) -> None:
    """Have the DAG at hand run all stages in order: those `on_gpu` in its pool, each with its own `options`, if any."""
    in_pool: dict[str, Any] = {"pool": GPU_POOL}
    chain(
        *(
            CommandTask(
                task_id=stage,
                arguments=[stage, "--run-id", RUN_ID],
                options=options.get(stage),
                promotes=stage == "promote",
                **(in_pool if stage in on_gpu else {}),
            )
            for stage in STAGES
        )
    )


def _address(uri: str) -> str:
    """Return what a browser opens."""
    return uri.replace("gs://", "https://storage.cloud.google.com/", 1) if uri.startswith("gs://") else f"file://{uri}"

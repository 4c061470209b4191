"""A task that waits for people, for days if need be, and holds no worker meanwhile.

It asks `visual-search judge report`, by the same launcher as any other command, and where people have not decided yet
it is deferred: Airflow's triggerer wakes it after `visual_search_judge_minutes` (an Airflow variable, 30 if unset), and
it asks again. After the days that the DAG is given it fails; cleared, it goes on. Deferring needs a running triggerer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred
from command_task import CommandTask

GO_ON = "go on"


class VerdictTask(CommandTask):
    """Returns the report of a task of judging once it is decided. `days` is how long it waits, `minutes` how often."""

    template_fields: Sequence[str] = (*CommandTask.template_fields, "days", "minutes")

    def __init__(
        self,
        *,
        days: str,
        minutes: str = "{{ var.value.get('visual_search_judge_minutes', '30') }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.days, self.minutes = days, minutes

    def execute(self, context: Context, event: Any = None) -> dict[str, Any]:  # noqa: ARG002 - the trigger gives it
        """Ask for the report, and wait for the next time without a worker while it says to go on."""
        report = super().execute(context)
        if report["decision"] != GO_ON:
            return report
        began = context["dag_run"].start_date or datetime.now(UTC)
        if datetime.now(UTC) - began > timedelta(days=_number("days", self.days)):
            raise AirflowFailException(
                f"people have not decided {report['task']} in {self.days} days: {report['queries']} of "
                f"{report['queries_of_task']} queries are answered; find raters, and clear this task"
            )
        # Airflow's scheduler need not know it to parse the DAG
        from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger

        wait = timedelta(minutes=_number("visual_search_judge_minutes", self.minutes))
        raise TaskDeferred(trigger=TimeDeltaTrigger(wait), method_name="execute")


class PromoteTask(CommandTask):
    """Promotes the release of a run, if it is one that waits."""

    template_fields: Sequence[str] = (*CommandTask.template_fields, "run")

    def __init__(self, *, run: str, **kwargs: Any) -> None:
        super().__init__(arguments=["promote"], options={"--run-id": run}, promotes=True, **kwargs)
        self.run = run

    def execute(self, context: Context) -> dict[str, Any]:
        """Run `promote`; it asks for the verdict, and refuses what people like too little."""
        if not self.run:
            raise AirflowSkipException("what was judged is live already")
        return super().execute(context)


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise AirflowFailException(f"{name} is {value!r}; set a number") from error

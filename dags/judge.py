"""Two releases judged by people, on a schedule: what might go live beside what is (`visual-search judge`).

`prepare` makes a task of the live release and the newest that passed its gates beside it and is not live, such as one
that waits for a verdict (`promote.judged` of the config); without one, of the release that was live before and the live
one. `verdict` waits until people have decided it, and `promote` then makes the one that waited live, if they like it
enough. Where there is nothing to judge, all three are skipped. When it runs is `VISUAL_SEARCH_JUDGE_CRON` in the
environment of Airflow (UTC, `0 6 * * 1` if unset); while one task is being judged no other is made.
"""

import os

from airflow.sdk import DAG, CronDataIntervalTimetable, Param
from command_task import COMMON, CommandTask, task_defaults
from verdict_task import PromoteTask, VerdictTask

with DAG(
    dag_id="visual_search_judge",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable(os.environ.get("VISUAL_SEARCH_JUDGE_CRON", "0 6 * * 1"), timezone="UTC"),
    default_args=task_defaults(retries=2),
    **COMMON,
    params={
        "queries": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Queries",
            description="How many are asked. Empty: judge.queries of the config.",
        ),
        "days": Param(
            14, type="number", minimum=0, title="Days", description="How long people have; then the run fails."
        ),
    },
) as dag:
    prepare = CommandTask(
        task_id="prepare", arguments=["judge new", "--once"], options={"--queries": "{{ params.queries or '' }}"}
    )
    verdict = VerdictTask(
        task_id="verdict",
        arguments=["judge report", "--json"],
        options={"--task": "{{ ti.xcom_pull(task_ids='prepare')['task'] }}"},
        days="{{ params.days }}",
    )
    promote = PromoteTask(task_id="promote", run="{{ ti.xcom_pull(task_ids='prepare')['waits'] }}")
    prepare >> verdict >> promote

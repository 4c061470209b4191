"""Fails, and so tells the webhook, when nothing was promoted for too long, whatever the reason.

It asks `visual-search status` once an hour. A daily run that never started, one that hangs, one that a gate refuses day
after day: all show here, and only here where no task has failed. How long is too long is the Airflow variable
`visual_search_late_hours` (36 if unset). It speaks once an hour until something is promoted.
"""

from airflow.sdk import DAG, CronDataIntervalTimetable
from command_task import COMMON, CommandTask, task_defaults

with DAG(
    dag_id="visual_search_watch",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("15 * * * *", timezone="UTC"),
    default_args=task_defaults(),
    **COMMON,
) as dag:
    CommandTask(
        task_id="is_late",
        arguments=["status", "--json", "--max-age", "{{ var.value.get('visual_search_late_hours', '36') }}"],
    )

"""Remove what no kept release, running stage or recent run refers to (`visual-search gc`), once a day.

How many releases stay for rollbacks is `promote.keep` in the config. The log says what went.
"""

from airflow.sdk import DAG, CronDataIntervalTimetable, Param
from command_task import COMMON, CommandTask, task_defaults

with DAG(
    dag_id="visual_search_housekeeping",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("30 4 * * *", timezone="UTC"),
    default_args=task_defaults(retries=1),
    **COMMON,
    params={
        "grace_hours": Param(
            24,
            type="number",
            minimum=0,
            title="Hours of grace",
            description="How long anything is kept, whatever refers to it.",
        ),
    },
) as dag:
    CommandTask(task_id="gc", arguments=["gc", "--grace", "{{ params.grace_hours }}"])

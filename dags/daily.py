"""The whole pipeline once a day, from the feeds to a promoted release; retrained where `train.policy` asks for it.

Each task is one stage of one run of the pipeline, named after the DAG run: clear a task, and it goes on where it
stopped. **A gate that says no** (a snapshot that removes too much, a release that is not good enough) shows as
*skipped*, with the gate's reason in the task's log; what is live stays, and what comes after is skipped too. A failure
is retried twice.

`train` and `embed` share the pool `visual_search_gpu`, which must be there: `airflow pools set visual_search_gpu 1 "one
model at a time"`. When it runs is `VISUAL_SEARCH_DAILY_CRON` in the environment of Airflow (UTC, `0 2 * * *` if unset).
`promote` updates the asset `visual_search_release`, so that whoever consumes the index can be scheduled on it.
"""

import os

from airflow.sdk import DAG, CronDataIntervalTimetable
from command_task import COMMON, chain_stages, task_defaults

with DAG(
    dag_id="visual_search_daily",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable(os.environ.get("VISUAL_SEARCH_DAILY_CRON", "0 2 * * *"), timezone="UTC"),
    default_args=task_defaults(retries=2),
    **COMMON,
) as dag:
    chain_stages(on_gpu={"train", "embed"}, options={})

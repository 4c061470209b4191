"""A feed in, a release out, with the model kept: prices, new items and deletes go live without waiting for a retrain.

It reads the feeds that `catalogue.snapshot` and `catalogue.deltas` name, embeds only what is new, and promotes behind
the same gates as the daily run. It is started by hand, by Airflow's API, or by the DAG that delivers the feed, if that
updates the asset `visual_search_feed`: `outlets=[Asset(name="visual_search_feed", uri="visual-search://feed")]`.

It may run beside the daily run: whoever is second to extend the catalogue is told so and tries again, and a release
that has read less of the feeds than the live one is not promoted, so that what a feed deleted stays deleted.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, chain
from command_task import FEED, FILTERS, GPU_POOL, RUN_ID, STAGES, CommandTask

with DAG(
    dag_id="visual_search_delta",
    doc_md=__doc__,
    schedule=[FEED],
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5), "owner": "search"},
    user_defined_filters=FILTERS,
    tags=["visual-search"],
) as dag:
    chain(
        *(
            CommandTask(
                task_id=stage,
                arguments=[stage, "--run-id", RUN_ID],
                options={"--policy": "reuse"} if stage == "train" else {},
                promotes=stage == "promote",
                **({"pool": GPU_POOL} if stage == "embed" else {}),
            )
            for stage in STAGES
        )
    )

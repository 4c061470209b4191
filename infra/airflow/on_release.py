"""An example of a consumer: whoever serves the index reloads it when another release is live.

It needs nothing of the pipeline, and can lie in any DAGs folder of the same Airflow. An asset is known by its name and
its URI. Each promotion and each rollback is one event, which carries the run that made the release; events that come
while a run is at work start one more run, with all of them.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, Asset, task

RELEASE = Asset(name="visual_search_release", uri="visual-search://release")


@task
def reload(triggering_asset_events=None):
    """Have the servers open what is live; here it is only said which run made it."""
    return [event.extra["run_id"] for event in triggering_asset_events[RELEASE]]


with DAG(dag_id="on_release", schedule=[RELEASE], start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False) as dag:
    reload()

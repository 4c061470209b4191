"""DAGs of others beside our own: who consumes the index, and a shop that has held a feed back for a release."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.dags.airflow_api import ROOT

CONSUMER, SENDER = "on_release", "sends_what_waits"
# It sends nothing when nothing waits, so that the release of what it has sent does not start another round.
SENDS = """
import os, time
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG, Asset, task
from airflow.sdk.exceptions import AirflowSkipException

SHOP = Path(os.environ["SHOP"])
RELEASE = Asset(name="visual_search_release", uri="visual-search://release")
FEED = Asset(name="visual_search_feed", uri="visual-search://feed")


@task(outlets=[FEED])
def send():
    while (SHOP / "outbox" / "open").exists():
        time.sleep(0.2)
    waiting = sorted((SHOP / "outbox").glob("*.jsonl"))
    if not waiting:
        raise AirflowSkipException("nothing waits")
    for path in waiting:
        path.rename(SHOP / "deltas" / path.name)


with DAG(dag_id="sends_what_waits", schedule=[RELEASE], start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False):
    send()
"""


def with_consumers(shop: Path) -> dict[str, str]:
    """Return the variables of an Airflow that holds these DAGs too, in a folder of their own in a shop's."""
    for name in ("dags", "deltas", "outbox"):
        (shop / name).mkdir()
    (shop / "outbox" / "open").touch()
    shutil.copy(ROOT / "infra" / "airflow" / "on_release.py", shop / "dags")
    (shop / "dags" / "sends.py").write_text(SENDS)
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    bundles = [
        {"name": "dags-folder", "classpath": local, "kwargs": {}},
        {"name": "consumers", "classpath": local, "kwargs": {"path": str(shop / "dags")}},
    ]
    return {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles), "SHOP": str(shop)}

"""A feed in, a release out, with the model kept: prices, new items and deletes go live without waiting for a retrain.

It reads the feeds that `catalogue.snapshot` and `catalogue.deltas` name, embeds only what is new, and promotes behind
the same gates as the daily run. It is started by hand, by Airflow's API, or by the DAG that delivers the feed, if that
updates the asset `visual_search_feed`: `outlets=[Asset(name="visual_search_feed", uri="visual-search://feed")]`.

It may run beside the daily run: whoever is second to extend the catalogue is told so and tries again, and a release
of an earlier catalogue than the live one's is not promoted, so that what a feed deleted stays deleted.
"""

from airflow.sdk import DAG
from command_task import COMMON, FEED, chain_stages, task_defaults

with DAG(
    dag_id="visual_search_delta",
    doc_md=__doc__,
    schedule=[FEED],
    default_args=task_defaults(retries=2),
    **COMMON,
) as dag:
    chain_stages(on_gpu={"embed"}, options={"train": {"--policy": "reuse"}})

"""Make an earlier release the live one again: started by hand, with a reason that is kept in the log of promotions.

The asset `visual_search_release` is updated, as it is by a promotion. The next daily run that passes its gates is
promoted again: if the model is what is bad, pause the daily DAG until it is retrained.
"""

from airflow.sdk import DAG, Param
from command_task import COMMON, CommandTask, task_defaults

with DAG(
    dag_id="visual_search_rollback",
    doc_md=__doc__,
    schedule=None,
    default_args=task_defaults(),
    **COMMON,
    params={
        "reason": Param(
            type="string",
            minLength=3,
            title="Reason",
            description_md="Why; it is kept, and `visual-search status` shows it.",
        ),
        "release": Param(
            None,
            type=["null", "string"],
            title="Release",
            description="Such as 20261122T114929Z-5681d8860201. Empty: the one that was live before.",
        ),
    },
) as dag:
    CommandTask(
        task_id="rollback",
        arguments=["rollback", "--reason", "{{ params.reason }}"],
        options={"--to": "{{ params.release or '' }}"},
        promotes=True,
    )

"""Stages done again for past days, oldest first (`visual-search backfill`): started by hand.

For a bug in how photos were prepared, a new model over the whole catalogue, a lost or damaged unit, or a feed that
came late. `plan` prints what it would take in photos, seconds and bytes, and changes nothing; `backfill` does it,
stands back for the daily run (`nice`), and can be cleared and goes on where it stopped. What goes live at the end must
not be older than what is live, unless a reason to force it is given, which is kept in the log of promotions.

Airflow's own backfill of another of these DAGs is refused, task by task: it would read today's feeds, whatever the
date.
"""

from airflow.sdk import DAG, Param
from command_task import COMMON, GPU_POOL, RUN_ID, STAGES, CommandTask, task_defaults

CHOICES = list(STAGES[:-1])
ARGUMENTS = ["backfill", "--run-id", RUN_ID, "--start", "{{ params.start }}", "--end", "{{ params.end }}"]
OPTIONS = {
    "--stages": "{{ params.stages | join(',') }}",
    "--promote": "{{ params.promote or '' }}",
    "--force": "{{ params.force or '' }}",
}
FLAGS = {"--repair": "{{ params.repair }}"}

with DAG(
    dag_id="visual_search_backfill",
    doc_md=__doc__,
    schedule=None,
    default_args=task_defaults(retries=2),
    **COMMON,
    params={
        "start": Param(type="string", format="date", title="First day", description="In UTC."),
        "end": Param(type="string", format="date", title="Last day", description="In UTC; included."),
        "stages": Param(
            ["preprocess", "embed", "index", "evaluate"],
            type="array",
            items={"type": "string", "enum": CHOICES},
            examples=CHOICES,
            title="Stages",
            description_md="`catalogue` reads the deltas of these days again, `train` makes one model for all of them. "
            "What a stage needs of those before it is done too.",
        ),
        "promote": Param(
            None,
            type=["null", "string"],
            enum=[None, "newest", "end", "each", "none"],
            values_display={
                "null": "the newest catalogue's release, if evaluate is among the stages",
                "newest": "the newest catalogue's release",
                "end": "the last day's release",
                "each": "each day's release, in turn",
                "none": "nothing",
            },
            title="Goes live",
            description="What is promoted, if its gates pass.",
        ),
        "repair": Param(
            False,
            type="boolean",
            title="Repair",
            description="Read back every unit of the tables first, and make damaged ones again.",
        ),
        "force": Param(
            None,
            type=["null", "string"],
            title="Reason to force it",
            description="Only to promote what is older than what is live; kept in the log of promotions.",
        ),
    },
) as dag:
    plan = CommandTask(task_id="plan", arguments=[*ARGUMENTS, "--dry-run"], options=OPTIONS, flags=FLAGS)
    plan >> CommandTask(
        task_id="backfill", arguments=ARGUMENTS, options=OPTIONS, flags=FLAGS, promotes=True, pool=GPU_POOL
    )

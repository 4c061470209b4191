"""The command line: the only room that sees argv. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

from pipelines.cli.backfill import backfill
from pipelines.cli.curate import curate
from pipelines.cli.demo import demo
from pipelines.cli.erase import erase
from pipelines.cli.export import export
from pipelines.cli.group import main
from pipelines.cli.hidden import hide, unhide
from pipelines.cli.judge import judge
from pipelines.cli.model import model
from pipelines.cli.quality import quality
from pipelines.cli.releases import gc, rollback
from pipelines.cli.run import run, stage_command
from pipelines.cli.search import search
from pipelines.cli.serve import serve
from pipelines.cli.status import status
from pipelines.cli.survey import check, init
from pipelines.cli.trace import trace
from pipelines.runs.stages import STAGES

__all__ = ["main"]

_COMMANDS = (
    demo,
    init,
    check,
    run,
    *map(stage_command, STAGES),
    search,
    serve,
    trace,
    hide,
    unhide,
    erase,
    quality,
    curate,
    status,
    judge,
    export,
    backfill,
    rollback,
    gc,
    model,
)

for _command in _COMMANDS:
    main.add_command(_command)

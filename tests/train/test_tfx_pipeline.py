"""What people read of a node that fails, and what Beam is told."""

from typing import Never

import pytest

from pipelines.errors import StageError
from pipelines.train.tfx_pipeline import BEAM_ARGS, _Nodes
from trainer.divergence import DivergedError

WORDS = "the training has diverged: the loss is nan at step 7; the last good checkpoint is of step 5"


def test_a_training_that_diverges_fails_the_stage_in_its_own_words() -> None:
    def launch() -> Never:
        raise DivergedError(WORDS)

    heard: list[str] = []
    nodes = _Nodes(heard.append)
    with pytest.raises(StageError) as failed:
        nodes.run("Trainer", launch)
    assert heard == ["Trainer"]
    assert str(failed.value) == f"training failed in Trainer: {WORDS}"


def test_tfx_is_not_packed_for_other_machines() -> None:
    from tfx.utils.dependency_utils import make_beam_dependency_flags

    assert make_beam_dependency_flags(BEAM_ARGS) == BEAM_ARGS

"""The ways in which a stage says no: it failed, a gate refused what it made, or people have yet to say."""


class StageError(Exception):
    """A stage failed (exit code 1); the message says what, where and what to do."""


class GateError(Exception):
    """A gate said no (exit code 3); the message names the gate, the value and the bound.

    `stage` is the stage that passes the gate when it is given a person's reason, of the run `run_id`; both are empty
    where no reason does.
    """

    def __init__(self, message: str, *, stage: str = "", run_id: str = "") -> None:
        super().__init__(message)
        self.stage, self.run_id = stage, run_id


class WaitingError(GateError):
    """A gate that people decide has no verdict yet (exit code 4); the message names the command that asks them."""

"""The two ways in which a stage says no: it failed, or a gate refused what it made."""


class StageError(Exception):
    """A stage failed (exit code 1); the message says what, where and what to do."""


class GateError(Exception):
    """A gate said no (exit code 3); the message names the gate, the value and the bound."""

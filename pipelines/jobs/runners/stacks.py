"""What the stack of a job that failed says: whichever languages it went through, its last cause is why."""

from __future__ import annotations

import re

from pipelines.store import UnavailableError

_UNAVAILABLE = f"{UnavailableError.__module__}.{UnavailableError.__name__}"
_OURS = re.compile(r"^(?:\w+: )*(pipelines\.[\w.]+\.\w+): (.+?)(?: \[while running .*)?$", re.MULTILINE)
_RAISED = re.compile(r"^(?:Caused by: )?([A-Za-z_][\w.$]*(?:Error|Exception|Interrupt|Exit): .+)$", re.MULTILINE)


def is_final(stack: str) -> bool:
    """Tell whether a job failed by an error of our own that no other machine and no later attempt would be spared."""
    found = _OURS.findall(stack)
    return bool(found) and found[-1][0] != _UNAVAILABLE


def cause(stack: str) -> str:
    """Return the one line of a failed job's stack that says why: our own errors' message, else the last error."""
    found = [message for _, message in _OURS.findall(stack)] or _RAISED.findall(stack)
    if found:
        return str(found[-1])
    lines = [line.strip() for line in stack.splitlines() if line.strip()]
    return lines[-1] if lines else "it does not say why"

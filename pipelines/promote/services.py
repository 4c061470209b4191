"""Promoted means served: wait until the services that follow the live log answer with what is live.

The name of an `http://` address may stand for many processes, as that of a headless service of Kubernetes does: each
address that it has is asked. An `https://` address is asked by its name, to which its certificate belongs, and so is
one behind a proxy.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final
from urllib.parse import urlsplit

from pipelines.errors import StageError

LOOK_S: Final = 1.0
ANSWER_S: Final = 5.0


@dataclass(frozen=True)
class Standing:
    """What a service said last: `ready` whether it answers with the entry that is waited for, and else why not."""

    ready: bool
    words: str


def wait(
    services: Sequence[str],
    number: int,
    release_id: str,
    wait_s: float,
    look: Callable[[str, int, str], Standing] | None = None,
) -> None:
    """Wait until each service (its address) answers with entry `number` of the live log, or a later one.

    Raises StageError that names those that do not after `wait_s` seconds, and what each said last. What is live stays
    so: the services go on trying, and who asks again waits again.
    """
    look, began = look or ask, time.monotonic()
    waiting = {service: Standing(False, "was not asked") for service in services}
    while waiting:
        found = {service: look(service, number, release_id) for service in waiting}
        waiting = {service: said for service, said in found.items() if not said.ready}
        if waiting and time.monotonic() - began > wait_s:
            told = "; ".join(f"{service} {said.words}" for service, said in waiting.items())
            raise StageError(
                f"{release_id} is live, but {len(waiting)} of {len(services)} services do not answer with it after "
                f"{wait_s:g} s: {told}. They go on trying; look at them, then run promote again, which waits again"
            )
        if waiting:
            time.sleep(LOOK_S)


def ask(service: str, number: int, release_id: str) -> Standing:
    """Return whether all processes behind an address answer with an entry of the live log, and else what one says."""
    told = Standing(False, "cannot be asked (its name has no address)")
    try:
        families = list(_families(service.rstrip("/")))
    except OSError as error:
        return Standing(False, f"cannot be asked ({type(error).__name__}: {error.strerror})")
    for processes in families:  # those of IPv6 and those of IPv4 are the same ones, of which one kind may be closed
        for url in processes:
            told = _ask_one(url, urlsplit(service).netloc, number, release_id)
            if not told.ready:
                told = replace(told, words=f"at {url} {told.words}") if len(processes) > 1 else told
                break
        else:
            return told
    return told


def _families(service: str) -> Iterator[list[str]]:
    """Yield where the processes behind a name are asked, by the kind of their addresses."""
    from requests.utils import get_environ_proxies

    parts = urlsplit(service)
    if parts.scheme == "https" or get_environ_proxies(service):
        yield [service]
        return
    found = {
        (family, str(at[0]))
        for family, *_, at in socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
    }
    port = f":{parts.port}" if parts.port else ""
    for family, group in groupby(sorted(found, reverse=True), key=lambda one: one[0]):
        bracketed = "[{}]" if family == socket.AF_INET6 else "{}"
        yield [parts._replace(netloc=bracketed.format(address) + port).geturl() for _, address in group]


def _ask_one(url: str, host: str, number: int, release_id: str) -> Standing:
    import requests

    try:
        answer = requests.get(f"{url}/readyz", headers={"Host": host}, timeout=ANSWER_S, allow_redirects=False)
    except requests.RequestException as error:
        return Standing(False, f"cannot be asked ({type(error).__name__})")
    try:
        said: Any = answer.json()
    except requests.JSONDecodeError:
        said = None
    if not isinstance(said, dict) or "status" not in said:
        return Standing(False, f"answers {answer.status_code}, and not as `visual-search serve` does")
    answers, at = said.get("release_id"), said.get("number", 0)
    if said["status"] == "ready" and (at > number or (at == number and answers == release_id)):
        return Standing(True, "answers with it")
    refused = said.get("live") or {}
    if refused.get("release_id") == release_id:
        return Standing(False, f"cannot load it ({refused.get('reason')}: {refused.get('detail')})")
    return Standing(False, f"is {said['status']}, with {answers or 'no release'}")

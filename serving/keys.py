"""Who may ask, and how often: keys by name in a file of their digests, so that it gives none of them away.

[web]
sha256 = "9f86d081…"    # printf %s "$KEY" | sha256sum
per_second = 20          # photos and items; unset: as many as the service can
burst = 40
curator = true           # may decide, where serving.curators lets anybody
"""

from __future__ import annotations

import hashlib
import hmac
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request

from pipelines.errors import StageError
from serving.problems import Problem, retry_after

FIELDS = {"sha256", "per_second", "burst", "curator"}
ANONYMOUS = "none"
"""The name of who asks a service without keys."""


@dataclass
class Key:
    """One key: its name, its digest, how many queries a second it has, `burst` of them at once, and whose it is."""

    name: str
    sha256: bytes
    per_second: float | None = None
    burst: float = 1.0
    is_curator: bool = False

    def __post_init__(self) -> None:
        self._left, self._at = self.burst, time.monotonic()

    def spend(self, queries: int) -> None:
        """Count queries. Raises Problem where they are more than the key has left."""
        if self.per_second is None:
            return
        now = time.monotonic()
        self._left = min(self.burst, self._left + (now - self._at) * self.per_second)
        self._at = now
        if queries > self.burst:
            raise Problem("too_fast", f"{queries} queries at once, and the key has {self.burst:g}; ask with fewer")
        if queries > self._left:
            wait_s = (queries - self._left) / self.per_second
            raise retry_after("too_fast", f"the key has {self.per_second:g} queries a second", wait_s)
        self._left -= queries


class Keys:
    """The keys of a service."""

    def __init__(self, keys: list[Key]) -> None:
        self._keys = keys

    @classmethod
    def read(cls, path: Path) -> Keys:
        """Read a file of keys. Raises StageError that names what is wrong with it, and never what it holds."""
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise StageError(f"the file of keys {path} cannot be read ({error})") from error
        if not values:
            raise StageError(f'the file of keys {path} names no key; add one: [NAME], and below it sha256 = "…"')
        return cls([_key(path, name, value) for name, value in values.items()])

    @property
    def any_curator(self) -> bool:
        """Whether somebody may decide."""
        return any(key.is_curator for key in self._keys)

    def of(self, request: Request) -> Key:
        """Return the key of a request: `Authorization: Bearer KEY`, or `X-API-Key: KEY`. Raises Problem."""
        kind, _, told = request.headers.get("authorization", "").partition(" ")
        told = told.strip() if kind.lower() == "bearer" else request.headers.get("x-api-key", "")
        challenge = {"WWW-Authenticate": "Bearer"}
        if not told:
            raise Problem("no_key", "send the header 'Authorization: Bearer KEY'", headers=challenge)
        digest = hashlib.sha256(told.encode("latin-1", "replace")).digest()
        found = [
            key for key in self._keys if hmac.compare_digest(key.sha256, digest)
        ]  # all, so that time tells nothing
        if not found:
            raise Problem("wrong_key", "no such key; ask whoever runs the service for one", headers=challenge)
        return found[0]


class NoKeys(Keys):
    """A service that everybody may ask."""

    def __init__(self) -> None:
        super().__init__([])
        self._everybody = Key(ANONYMOUS, b"")

    def of(self, request: Request) -> Key:  # noqa: ARG002 - nobody is asked for a key
        """Return the one key that there is."""
        return self._everybody


def _key(path: Path, name: str, value: Any) -> Key:
    if not isinstance(value, Mapping):
        raise StageError(f'{path}: {name} is no table; write [{name}], and below it sha256 = "…"')
    unknown = sorted(set(value) - FIELDS)
    if unknown:
        raise StageError(f"{path}: unknown key {unknown[0]!r} in [{name}]; known are {', '.join(sorted(FIELDS))}")
    is_curator = value.get("curator", False)
    if not isinstance(is_curator, bool):
        raise StageError(f"{path}: curator of [{name}] is {is_curator!r}; it must be true or false")
    return Key(name, _digest(path, name, value), *_rate(path, name, value), is_curator)


def _digest(path: Path, name: str, value: Mapping[str, Any]) -> bytes:
    told = value.get("sha256")
    try:
        digest = bytes.fromhex(told) if isinstance(told, str) else b""
    except ValueError:
        digest = b""
    if len(digest) != hashlib.sha256().digest_size:
        raise StageError(
            f'{path}: sha256 of [{name}] must be 64 hex digits, as `printf %s "$KEY" | sha256sum` prints them'
        )
    return digest


def _rate(path: Path, name: str, value: Mapping[str, Any]) -> tuple[float | None, float]:
    per_second, burst = value.get("per_second"), value.get("burst")
    for field, number in (("per_second", per_second), ("burst", burst)):
        if number is not None and (not isinstance(number, int | float) or isinstance(number, bool) or number <= 0):
            raise StageError(f"{path}: {field} of [{name}] is {number!r}; it must be a number above 0")
    if burst is not None and per_second is None:
        raise StageError(f"{path}: [{name}] has burst and no per_second; add per_second, or remove burst")
    return per_second, max(1.0, burst if burst is not None else 2 * (per_second or 1))

"""How photos behind addresses of the web are fetched: how fast, how often, with what headers, and from where not."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipelines.config.base import Positive, Section

_HOST = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?(?::\d{1,5})?|\[[0-9a-f:.]+\](?::\d{1,5})?")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*\}")
_OPEN = frozenset({"accept", "accept-language", "referer"})
"""Headers that may be written out in a config: others may be secrets."""


def _is_host(name: str) -> str:
    name = name.strip().lower()
    if not _HOST.fullmatch(name):
        raise ValueError("is no host; write 'cdn.example.com', 'cdn.example.com:8443' or '*.example.com'")
    return name


def _is_header(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("is no name of a header")
    return name


def _is_reachable(place: str) -> str:
    try:
        return str(ipaddress.ip_network(place))
    except ValueError:
        pass
    if not _HOST.fullmatch(place.strip().lower()):
        raise ValueError("is neither a network nor a host; write '10.0.0.0/8', '127.0.0.1' or 'photos.internal'")
    return place.strip().lower()


Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Hours = Annotated[float, Field(ge=0, allow_inf_nan=False)]
HeaderName = Annotated[str, AfterValidator(_is_header)]
Host = Annotated[str, AfterValidator(_is_host)]


class HostSection(Section):
    """What one host allows and wants; what is unset is as for all hosts."""

    connections: Positive | None = None
    requests_per_second: Rate | None = None
    headers: dict[HeaderName, str] = Field(
        default_factory=dict, description='name -> value, such as "Bearer ${SHOP_TOKEN}" with a variable\'s value'
    )

    def model_post_init(self, _: object) -> None:
        """Refuse a secret that is written out. Raises ValueError."""
        for name, value in self.headers.items():
            if name.lower() not in _OPEN and not _VARIABLE.search(value):
                raise ValueError(
                    f"headers.{name} is written out, and configs are no place for secrets; put the value into a "
                    f'variable of the environment, and write {name} = "${{NAME_OF_IT}}"'
                )


class FetchSection(Section):
    """How photos (and feeds) behind https:// addresses are fetched. Ceilings hold over all workers and runs."""

    connections: Positive = Field(32, description="to one host at once, over all workers")
    requests_per_second: Rate | None = Field(None, description="to one host, over all workers; no ceiling if unset")
    hosts: dict[Host, HostSection] = Field(
        default_factory=dict, description="ceilings and headers of single hosts, or of '*.example.com'"
    )
    in_flight: Positive = Field(256, description="photos that one worker waits for at once")
    attempts: Positive = Field(4, description="requests for one photo in one run")
    timeout_s: Positive = Field(60, description="for one request, body included")
    idle_s: Positive = Field(15, description="without a byte until a request is given up")
    longest_wait_s: Positive = Field(60, description="of Retry-After; a longer one is left to the next run")
    max_redirects: Annotated[int, Field(ge=0, le=20)] = 5
    max_age_hours: Hours = Field(168, description="how long a fetched photo is taken as unchanged without a request")
    recheck_hours: Hours = Field(24, description="until an address that led to no photo is asked again")
    gone_days: Hours = Field(
        7, description="how long a photo stays that was fetched once and whose address gives none now"
    )
    ignored_query: list[str] | Literal["all"] = Field(
        default_factory=list,
        description='parameters of addresses that do not say which photo it is, as signatures; "all": the whole query',
    )
    keep_originals: bool = Field(False, description="keep fetched bytes in the store, to prepare them another way")
    allowed_networks: list[Annotated[str, AfterValidator(_is_reachable)]] = Field(
        default_factory=list, description="private networks or hosts that photos may come from"
    )
    contact: str | None = Field(None, description="address or e-mail in the User-Agent, for who runs the hosts")

    def of_host(self, host: str) -> HostSection:
        """Return what holds for a host, `name` or `name:port`: its own section, or the nearest `*.` one."""
        own = self._own(host)
        return HostSection(
            connections=own.connections or self.connections,
            requests_per_second=own.requests_per_second or self.requests_per_second,
            headers=own.headers,
        )

    def _own(self, host: str) -> HostSection:
        name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
        labels = name.split(".")
        wide = [f"*.{'.'.join(labels[start:])}" for start in range(1, len(labels))]
        return next((self.hosts[key] for key in (host, name, *wide) if key in self.hosts), HostSection())

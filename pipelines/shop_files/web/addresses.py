"""Which addresses may be asked: of http and https, without credentials, that lead to no machine of one's own network.

A feed is written by others, and whoever writes one must not make the workers ask a machine that only they can reach.
A name is resolved once, and the connection goes to an address that was looked at.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, override

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from pipelines.config.fetching import FetchSection
from pipelines.shop_files.web.spelling import as_sent

MAX_CHARACTERS = 4096
_SCHEMES = ("http", "https")
_METADATA = frozenset({"168.63.129.16"})
"""Azure's is a public address; those of other clouds are link-local or shared ones."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
Address = IPv4Address | IPv6Address


class RefusedError(OSError):
    """An address is refused: `code` is one of the fetcher's codes, `detail` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the internet, whatever it is wrapped in."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and str(address) not in _METADATA


@dataclass(frozen=True)
class Rules:
    """Which hosts may be asked; `networks` and `names` are allowed though they are not public."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    names: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, section: FetchSection) -> Rules:
        """Return the rules of a config."""
        networks, names = [], []
        for place in section.allowed_networks:
            try:
                networks.append(ipaddress.ip_network(place))
            except ValueError:
                names.append(place)
        return cls(tuple(networks), frozenset(names))

    def check(self, host: str, address: str) -> None:
        """Raise RefusedError when a connection to an address, for a host of that name, must not be made."""
        found = ipaddress.ip_address(address.partition("%")[0])  # without the zone of a link-local one
        if host in self.names or is_public(found) or any(found in network for network in self.networks):
            return
        named = f"{host} leads to {address}, which" if host.strip("[]") != address else f"{address}"
        raise RefusedError(
            "refused_address", f"{named} is no public address; to allow it, add it to fetch.allowed_networks"
        )

    def parse(self, address: str) -> URL:
        """Return the URL that a feed or a redirect names. Raises RefusedError."""
        if len(address) > MAX_CHARACTERS:
            raise RefusedError("bad_address", f"{len(address)} characters, the limit is {MAX_CHARACTERS}")
        try:
            url = as_sent(address)
            host, user, _ = url.raw_host, url.raw_user, url.port
        except ValueError as error:
            raise RefusedError("bad_address", f"{shown(address)!r}: {error}") from error
        if url.scheme not in _SCHEMES:
            raise RefusedError("unsupported_scheme", f"{shown(address)!r} is neither https:// nor http://")
        if user is not None or url.raw_password is not None:
            raise RefusedError("bad_address", "credentials in an address; give them by fetch.hosts and its headers")
        if not host:
            raise RefusedError("bad_address", f"{shown(address)!r} names no host")
        self._check_host(host.strip("."))
        return url

    def _check_host(self, host: str) -> None:
        """Check a host that is an address itself, which is resolved by nobody, in whatever way it is written."""
        if ":" in host or host.replace(".", "").isdigit():
            try:
                ipaddress.ip_address(host)
            except ValueError:
                raise RefusedError("bad_address", f"{host!r} is no address of a machine") from None
            self.check(host, host)


class CheckedResolver(AbstractResolver):
    """Resolves names as the system does, and refuses one of which any address is refused."""

    def __init__(self, rules: Rules) -> None:
        self._rules, self._system = rules, ThreadedResolver()

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        for one in found:
            self._rules.check(host, one["host"])
        return found

    @override
    async def close(self) -> None:
        await self._system.close()


def check_machine(name: str, port: int, rules: Rules) -> None:
    """Resolve a name and check what it leads to, for a connection that a proxy makes. Raises RefusedError.

    A proxy resolves the name anew: that it must not reach what is private is its own to see to. A name that is not
    known here is left to it.
    """
    try:
        found: Iterable[Any] = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except OSError:
        return
    for *_, address in found:
        rules.check(name, address[0])


def shown(address: str) -> str:
    """Return an address for people and logs: without what may be a secret, and not too long."""
    plain = address.partition("?")[0].partition("#")[0]
    before, at, behind = plain.rpartition("@")
    scheme, sign, _ = before.partition("://")
    return (f"{scheme}{sign}…@{behind}" if at and sign else plain)[:200]

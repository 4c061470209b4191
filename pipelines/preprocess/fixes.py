"""What to do about a photo that is rejected, by its code: said alike by `check` and by `trace`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_OF_HOSTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "missing": "mend its address in the feed, or put the photo there",
        "forbidden": "give the host what it asks for: headers or tokens go into fetch.hosts; see docs/fetching.md",
        "refused_address": "if these are the shop's own machines, name them in fetch.allowed_networks",
        "bad_redirect": "write the address that has the photo into the feed",
        "bad_certificate": "have who runs the host mend its certificate; nothing is fetched without a valid one",
        "bad_tls": "write http:// or the right port into the feed, or ask who runs the host",
        "http_error": "ask who runs the host what it means, or mend the address in the feed",
        "unsupported_encoding": "have the host send photos as they are: Accept-Encoding: identity is asked for",
        "not_an_image": "open the address: where its page asks for a login, headers or tokens go into fetch.hosts",
        "bad_address": "mend the address in the feed",
        "unsupported_scheme": "write the address with https:// into the feed",
        "rate_limited": 'set fetch.hosts."HOST".requests_per_second, or ask who runs the host',
        "server_error": "ask who runs the host",
        "not_ready": "give it time, or raise fetch.attempts and fetch.longest_wait_s",
        "timeout": "raise fetch.timeout_s or fetch.idle_s, or ask for less at once: fetch.connections",
        "unreachable": "see whether the host's name and port are right, and whether this machine may reach it",
        "cut_off": "ask who runs the host",
        "host_left_alone": "see the other codes of this host",
        "no_variable": "set the variable in the environment of whoever runs the stages",
    }
)
_OF_FILES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "missing": "see catalogue.photo_root, photo_prefix and photo_pattern, or mend the feed's paths",
        "unsupported_scheme": "set catalogue.photo_root to where the photos are here, such as a mounted share, and "
        "catalogue.photo_prefix to what stands before their paths",
        "outside_roots": "name the folder in catalogue.photo_root or catalogue.allowed_roots",
    }
)


def fix_of(code: str, *, is_far: bool) -> str:
    """Return what to do about a code of a photo, "" where its meaning says it; `is_far` of one behind an address."""
    return (_OF_HOSTS if is_far else _OF_FILES).get(code, "")

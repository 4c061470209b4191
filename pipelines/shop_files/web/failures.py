"""What led to no body, as a code and a cause in words: a status, a name that nobody knows, a certificate. Pure."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import aiohttp
from yarl import URL

from pipelines.shop_files.web.addresses import RefusedError

_NO_NAME: Final = frozenset({socket.EAI_NONAME, socket.EAI_NODATA})
_NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"})
"""What OpenSSL calls bytes that are none of TLS."""

NOT_READY: Final = "not_ready"
"""The code of a photo that its host is still making, such as a size that it makes when it is first asked for."""


class WebError(Exception):
    """A request led to no body: a code of the fetcher's, a detail, and the seconds that the host asks to wait."""

    def __init__(self, code: str, detail: str, wait_s: float = 0.0) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.wait_s = code, detail, wait_s


def failure(response: aiohttp.ClientResponse) -> WebError:
    """Return what a status other than 200 and 304 means."""
    status = response.status
    said = f"the host answers {status} {response.reason or _phrase(status)}".strip()
    if status in {404, 410}:
        return WebError("missing", said)
    if status in {401, 403, 407, 451}:
        return WebError("forbidden", said)
    wait_s = _seconds(response.headers.get("Retry-After", ""), response.headers.get("Date", ""))
    if status in {202, 423}:
        return WebError(NOT_READY, said, wait_s)
    if status == 429:
        return WebError("rate_limited", said, wait_s)
    if status >= 500 or status in {408, 425}:
        return WebError("server_error", said, wait_s)
    return WebError("http_error", said)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in {*HTTPStatus} else ""


def _seconds(text: str, date: str) -> float:
    """Return what Retry-After says: seconds, or until a date as the host's own clock has it."""
    if text.strip().isdigit():
        return float(text)
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return 0.0
    return max(0.0, (until - now).total_seconds())


@contextmanager
def named_errors(url: URL) -> Iterator[None]:
    """Turn what the client library raises into WebError."""
    try:
        yield
    except TimeoutError as error:  # aiohttp's are, too
        raise WebError("timeout", "no answer, or no more of it, in time (fetch.timeout_s, fetch.idle_s)") from error
    except aiohttp.ClientConnectorCertificateError as error:
        raise WebError("bad_certificate", f"{url.host}: {_of_certificate(error.certificate_error)}"[:200]) from error
    except ssl.SSLError as error:
        raise WebError("bad_tls", _of_tls(url, error)) from error
    except aiohttp.ClientConnectorError as error:
        inner = error.os_error
        if isinstance(inner, RefusedError):
            raise WebError(inner.code, inner.detail) from error
        raise WebError("unreachable", f"{url.host}: {_cause(inner)}"[:200]) from error
    except RefusedError as error:
        raise WebError(error.code, error.detail) from error
    except aiohttp.ClientPayloadError as error:
        raise WebError("cut_off", "the connection ended before the body did") from error
    except (aiohttp.ClientError, OSError) as error:
        cause = "it ended the connection without an answer" if _ended(error) else type(error).__name__
        raise WebError("unreachable", f"{url.host}: {cause}") from error


def _ended(error: Exception) -> bool:
    return isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError)


def _cause(error: OSError) -> str:
    """Return why no connection was made, in the words of the system."""
    if isinstance(error, socket.gaierror):
        if error.errno in _NO_NAME:
            return "no such name"
        return f"its name cannot be looked up now ({error.strerror})"
    if error.errno in errno.errorcode:
        return os.strerror(error.errno or 0).lower()
    return str(error.strerror or error)


def _of_certificate(error: Exception) -> str:
    return str(getattr(error, "verify_message", "") or error)


def _of_tls(url: URL, error: ssl.SSLError) -> str:
    """Return why a connection to a host could not be made secure."""
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    reason = str(getattr(inner, "reason", "") or inner)[:100]
    if reason in _NOT_TLS:
        return f"{url.host} does not answer with TLS at port {url.port}: is it http:// there, or another port?"
    return f"{url.host} agrees to no secure connection ({reason})"

"""Google's own addresses on loopback, for a client that knows no other: a proxy that ends their TLS at the emulator.

TensorFlow asks www.googleapis.com and storage.googleapis.com, whatever `STORAGE_EMULATOR_HOST` says; libcurl in it does
as `https_proxy` and `CURL_CA_BUNDLE` say.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers import serving

NAMES = ("www.googleapis.com", "storage.googleapis.com")
OF_THE_CONNECTION = {"transfer-encoding", "connection", "content-length", "keep-alive"}


class _Google(ThreadingHTTPServer):
    """The proxy: where the emulator is, and how TLS with its clients ends."""

    def __init__(self, emulator: str, pem: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.emulator = emulator
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem)


class _Connection(BaseHTTPRequestHandler):
    """One connection: CONNECT first, then what is asked of Google inside of TLS."""

    protocol_version = "HTTP/1.1"
    server: _Google

    def do_CONNECT(self) -> None:
        if self.path.partition(":")[0] not in NAMES:
            self.send_error(502, f"{self.path} is not Google Cloud Storage")
            return
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_GET(self) -> None:
        self._pass_on()

    def do_HEAD(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_PUT(self) -> None:
        self._pass_on()

    def do_DELETE(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        emulator = self.server.emulator
        chunked = self.headers.get("Transfer-Encoding") == "chunked"  # libcurl then says a length too
        body = self._chunks() if chunked else self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kept = {key: value for key, value in self.headers.items() if key.lower() not in OF_THE_CONNECTION}
        connection = http.client.HTTPConnection(emulator, timeout=60)
        connection.request(self.command, self.path, body or None, {**kept, "Host": emulator})
        answer = connection.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in OF_THE_CONNECTION:
                self.send_header(key, value.replace(f"http://{emulator}", f"https://{NAMES[0]}"))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else data)
        connection.close()

    def _chunks(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def as_google(address: str, folder: Path) -> Iterator[dict[str, str]]:
    """Give the environment in which TensorFlow finds the emulator at `address` (host:port) for Google."""
    pem = _certificate(folder)
    with serving(_Google(address, pem)) as proxy:
        yield {
            "https_proxy": proxy,
            "no_proxy": "127.0.0.1,localhost",
            "CURL_CA_BUNDLE": str(pem),
            "GOOGLE_AUTH_TOKEN_FOR_TESTING": "a-token-of-this-test",
        }


def _certificate(folder: Path) -> Path:
    """Write key and self-signed certificate of Google's names."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMES[0])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in NAMES]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "google.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path

"""Start one Python worker: what a TaskManager runs for Beam's environment PROCESS.

    boot --id=1-1 --provision_endpoint=HOST:PORT [--logging_endpoint … --artifact_endpoint … --control_endpoint …]

Asks the provision service what to run, fetches the staged files, installs the project's package among them (what
`setup.py` packs; its dependencies are in this interpreter's environment already), and becomes the worker, as the start
programs of Beam's own containers do; in the same process, for to import Beam is most of what a start takes. A package
is installed once a machine, whole or not at all. What goes wrong is told to the TaskManager's log.

Source: Beam's container contract, https://beam.apache.org/documentation/runtime/environments/
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
from apache_beam.portability.api import (
    beam_artifact_api_pb2,
    beam_artifact_api_pb2_grpc,
    beam_fn_api_pb2,
    beam_fn_api_pb2_grpc,
    beam_provision_api_pb2,
    beam_provision_api_pb2_grpc,
    beam_runner_api_pb2,
    endpoints_pb2,
)
from apache_beam.runners.worker import sdk_worker_main
from google.protobuf import json_format, text_format

PACKED = ".tar.gz"
STAGING_TO = "beam:artifact:role:staging_to:v1"
TIMEOUT_S = 60
ENDPOINTS = ("logging", "artifact", "provision", "control")


class BootError(RuntimeError):
    """The worker cannot be started; the message says why."""


def main() -> None:
    """Become the worker that the arguments ask for, or tell why not and exit with 1."""
    parser = argparse.ArgumentParser(prog="boot")
    parser.add_argument("--id", required=True)
    for name in ENDPOINTS:
        parser.add_argument(f"--{name}_endpoint", default="", required=name == "provision")
    given, _ = parser.parse_known_args()  # Beam adds arguments from release to release
    worker = Worker(given.id, {name: getattr(given, f"{name}_endpoint") for name in ENDPOINTS})
    try:
        worker.ask()
        site = install(worker.package(), home())
    except (BootError, grpc.RpcError, OSError) as error:
        worker.tell(f"worker {given.id} cannot be started: {error}")
        raise SystemExit(f"boot: {error}") from error
    os.environ.update(worker.environment())
    sys.path[:1] = [str(site)] if site else []  # in the place of this program's folder
    sdk_worker_main.main(sys.argv)


class Worker:
    """One worker to be: its id, and the services of the runner that it talks to."""

    def __init__(self, worker_id: str, endpoints: dict[str, str]) -> None:
        self.worker_id, self.endpoints = worker_id, endpoints
        self.metadata = (("worker_id", worker_id),)
        self.info: Any = None

    def ask(self) -> None:
        """Ask what to run, and where the other services are."""
        with grpc.insecure_channel(self.endpoints["provision"]) as channel:
            stub = beam_provision_api_pb2_grpc.ProvisionServiceStub(channel)
            request = beam_provision_api_pb2.GetProvisionInfoRequest()
            self.info = stub.GetProvisionInfo(
                request, metadata=self.metadata, timeout=TIMEOUT_S, wait_for_ready=True
            ).info
        for name in ("logging", "artifact", "control"):
            self.endpoints[name] = self.endpoints[name] or getattr(self.info, f"{name}_endpoint").url

    def package(self) -> bytes | None:
        """Return the project's package, None when none was staged: then the environment holds the project."""
        if not self.info.dependencies:
            return None
        with grpc.insecure_channel(
            self.endpoints["artifact"], options=[("grpc.max_receive_message_length", -1)]
        ) as channel:
            stub = beam_artifact_api_pb2_grpc.ArtifactRetrievalServiceStub(channel)
            request = beam_artifact_api_pb2.ResolveArtifactsRequest(artifacts=list(self.info.dependencies))
            for artifact in stub.ResolveArtifacts(request, metadata=self.metadata, timeout=TIMEOUT_S).replacements:
                if _staged_name(artifact).endswith(PACKED):
                    wanted = beam_artifact_api_pb2.GetArtifactRequest(artifact=artifact)
                    return b"".join(part.data for part in stub.GetArtifact(wanted, metadata=self.metadata))
        return None

    def environment(self) -> dict[str, str]:
        """Return the variables by which Beam's worker is told all this."""
        found = {
            "WORKER_ID": self.worker_id,
            "SEMI_PERSISTENT_DIRECTORY": str(home()),
            "PIPELINE_OPTIONS": json.dumps(json_format.MessageToDict(self.info.pipeline_options)),
            "RUNNER_CAPABILITIES": " ".join(self.info.runner_capabilities),
            "LOGGING_API_SERVICE_DESCRIPTOR": _descriptor(self.endpoints["logging"]),
            "CONTROL_API_SERVICE_DESCRIPTOR": _descriptor(self.endpoints["control"]),
        }
        if self.info.status_endpoint.url:
            found["STATUS_API_SERVICE_DESCRIPTOR"] = _descriptor(self.info.status_endpoint.url)
        return found

    def tell(self, text: str) -> None:
        """Write a line into the runner's log, as far as it can be reached; a worker's own output is not kept."""

        def entries() -> Iterator[Any]:
            entry = beam_fn_api_pb2.LogEntry(
                severity=beam_fn_api_pb2.LogEntry.Severity.CRITICAL, message=text, log_location="boot"
            )
            entry.timestamp.FromNanoseconds(time.time_ns())
            yield beam_fn_api_pb2.LogEntry.List(log_entries=[entry])
            time.sleep(1)  # the other side reads until this stream ends

        if not self.endpoints["logging"]:
            return
        with grpc.insecure_channel(self.endpoints["logging"]) as channel:
            stub = beam_fn_api_pb2_grpc.BeamFnLoggingStub(channel)
            try:
                list(stub.Logging(entries(), metadata=self.metadata, timeout=TIMEOUT_S))
            except grpc.RpcError as error:
                print(f"boot: the log cannot be reached: {error}", file=sys.stderr)  # noqa: T201 - the last resort


def install(package: bytes | None, folder: Path) -> Path | None:
    """Return the folder that holds the package, installed there now or before; None without a package.

    Raises BootError when pip fails.
    """
    if package is None:
        return None
    site = folder / _digest(package)
    if site.is_dir():
        return site
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        archive, target = Path(scratch, f"package{PACKED}"), Path(scratch, "site")
        archive.write_bytes(package)
        offline = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
        command = [sys.executable, "-m", "pip", "install", "--quiet", *offline, "--target", str(target), str(archive)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BootError(f"the staged package cannot be installed: {done.stderr.strip()}")
        try:
            target.rename(site)
        except OSError:  # another worker was first
            if not site.is_dir():
                raise
    return site


def home() -> Path:
    """Return this user's folder for installed packages, made if need be. Raises BootError when it is another's."""
    folder = Path(tempfile.gettempdir(), f"visual-search-workers-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.is_symlink():
        raise BootError(f"{folder} belongs to another user; remove it, or set TMPDIR")
    return folder


def _digest(package: bytes) -> str:
    """Return a name for what the package holds; the archive itself is another every time that it is made."""
    digest = hashlib.sha256(sys.version.encode())
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        for member in sorted((one for one in archive if one.isfile()), key=lambda one: one.name):
            stream = archive.extractfile(member)
            content = stream.read() if stream else b""
            digest.update(f"{member.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def _staged_name(artifact: Any) -> str:
    if artifact.role_urn != STAGING_TO:
        return ""
    return str(beam_runner_api_pb2.ArtifactStagingToRolePayload.FromString(artifact.role_payload).staged_name)


def _descriptor(url: str) -> str:
    return text_format.MessageToString(endpoints_pb2.ApiServiceDescriptor(url=url))


if __name__ == "__main__":
    main()

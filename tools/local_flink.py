"""A Flink cluster of processes on this machine: a JobManager, two TaskManagers, and Beam's job server.

    python -m tools.local_flink start [--home FOLDER] [--task-managers 2] [--port 8081] [--job-port 8099]
    python -m tools.local_flink stop [--home FOLDER]

Owns how they are started, found again and ended. All listen on loopback alone: Flink's ports are told to, and for
Beam's own (the job server's, and those by which a TaskManager speaks with its workers), which ask for every interface
whatever they are told, each process has the system's `bind` replaced by one that binds them to loopback
(infra/flink/loopback.c). Python workers are processes of the TaskManagers, in this checkout's environment. Exit codes:
0 done, 1 failed, 2 the machine lacks something.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Iterator, Optional, Sequence

from tools.flink_parts import Parts, get
from tools.host import HostError, compiler_environment, find_compiler
from tools.installer import InstallError
from tools.ports import free_port, is_free
from tools.setup_env import ROOT, cache_folder

INFRA = ROOT / "infra" / "flink"
UP_WITHIN_S = 90
ENDED_WITHIN_S = 10
JAVA_BASE = ("lang", "lang.reflect", "io", "net", "nio", "text", "time", "util", "util.concurrent")
OPENS = [f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in (*JAVA_BASE, "util.concurrent.atomic")] + [
    "--add-opens=java.base/java.util.concurrent.locks=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-exports=java.base/sun.net.util=ALL-UNNAMED",
    "--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
]
JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
JOB_SERVER = "org.apache.beam.runners.flink.FlinkJobServerDriver"


class FlinkError(RuntimeError):
    """The cluster does not run; the message says why and what to do."""


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Start or stop the cluster of a folder; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.local_flink")
    parser.add_argument("verb", choices=("start", "stop"))
    parser.add_argument("--home", type=Path, default=ROOT / "work" / "flink", help="folder of its logs and files")
    parser.add_argument("--task-managers", type=int, default=2)
    parser.add_argument("--port", type=int, default=8081, help="of Flink's REST API and pages")
    parser.add_argument(
        "--job-port", type=int, default=8099, help="of Beam's job server; the two before it are its own"
    )
    chosen = parser.parse_args(arguments)
    cluster = LocalFlink(chosen.home.resolve(), chosen.port, chosen.job_port)
    try:
        if chosen.verb == "stop":
            ended = cluster.stop()
            print(f"Flink: {ended} processes ended" if ended else "Flink: nothing runs", flush=True)
            return 0
        parts = get(cache_folder())
        cluster.start(parts, chosen.task_managers)
        print(f"Flink: {cluster.rest}\nBeam's job server: {cluster.job_server} ({parts.what})")
        print(f"In the environment's file:\n{textwrap.indent(cluster.settings(), '  ')}", end="", flush=True)
    except HostError as error:
        print(f"flink: {error}", file=sys.stderr)
        return 2
    except (FlinkError, InstallError, OSError) as error:
        print(f"flink: {error}", file=sys.stderr)
        return 1
    return 0


class LocalFlink:
    """A cluster whose configuration, logs, temporary files and process ids lie in `home`."""

    def __init__(self, home: Path, port: int = 8081, job_port: int = 8099) -> None:
        self.home, self.port, self.job_port = home, port, job_port
        self.rest, self.job_server = f"http://127.0.0.1:{port}", f"127.0.0.1:{job_port}"
        self.boot = home / "boot"
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def settings(self) -> str:
        """Return the lines of a config, TOML, that runs on this cluster."""
        values = {"job_server": self.job_server, "rest": self.rest, "worker_program": self.boot}
        values["setup_file"] = ROOT / "setup.py"
        lines = "".join(f'{key} = "{value}"\n' for key, value in values.items())
        return f'[beam]\nrunner = "flink"\n[beam.flink]\n{lines}'

    def start(self, parts: Parts, task_managers: int) -> None:
        """Start all processes and wait until they are ready; a cluster that runs stays as it is. Raises FlinkError."""
        running = {name for name, _ in self.processes()}
        wanted = {"job-manager", "job-server", *(f"task-manager-{n + 1}" for n in range(task_managers))}
        if wanted <= running:
            return
        if running:
            self.stop()
        self._check_ports()
        for name in ("conf", "log", "tmp", "artifacts"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        self._configure()
        self._compile()
        self.start_job_manager(parts)
        for number in range(task_managers):
            self.start_task_manager(parts, number + 1)
        self._start_job_server(parts)
        self._wait_until_up(task_managers)

    def start_job_manager(self, parts: Parts) -> None:
        """Start the JobManager."""
        heap = ["-Xmx448m", "-XX:+UseSerialGC"]
        self._java("job-manager", [*heap, *OPENS, *self._classes(parts), JOB_MANAGER, "--configDir", self._conf])

    def start_task_manager(self, parts: Parts, number: int) -> None:
        """Start the TaskManager of a number, from 1."""
        name = f"task-manager-{number}"
        memory = ["-Xmx640m", "-XX:MaxDirectMemorySize=512m", "-XX:MaxMetaspaceSize=256m", "-XX:+UseSerialGC"]
        identity = [f"-Dtaskmanager.resource-id={name}", f"-Dio.tmp.dirs={self._temporary(name)}"]
        self._java(name, [*memory, *OPENS, *self._classes(parts), TASK_MANAGER, "--configDir", self._conf, *identity])

    def stop(self) -> int:
        """End every process of the cluster, and the workers that it started; return how many there were."""
        found, workers = [pid for _, pid in self.processes()], list(self.workers())
        _end(found)
        _end(workers)  # most have ended with their TaskManagers
        for folder in (self.home / "tmp", self.home / "artifacts"):
            shutil.rmtree(folder, ignore_errors=True)
        return len(found)

    def processes(self) -> Iterator[tuple[str, int]]:
        """Yield name and process id of the cluster's processes that run."""
        mark = f"-Dvisual-search.home={self.home}"
        for pid, words in _commands():
            if mark in words:
                yield next(word for word in words if word.startswith("-Dvisual-search.part=")).partition("=")[2], pid

    def workers(self) -> Iterator[int]:
        """Yield the process ids of the Python workers."""
        for pid, words in _commands():
            if str(INFRA / "boot.py") not in words:
                continue
            with suppress(OSError):
                if f"VISUAL_SEARCH_FLINK_HOME={self.home}".encode() in Path(f"/proc/{pid}/environ").read_bytes():
                    yield pid

    @property
    def _loopback(self) -> Path:
        return self.home / "loopback.so"

    @property
    def _conf(self) -> str:
        return str(self.home / "conf")

    def _classes(self, parts: Parts) -> list[str]:
        jars = [
            *sorted(parts.flink.glob("*.jar")),
            parts.job_server,
        ]  # Flink's own first: Beam's jar holds some of them
        path = os.pathsep.join(str(jar) for jar in jars)
        return [f"-Dlog4j.configurationFile={INFRA / 'log4j.properties'}", "-cp", path]

    def _configure(self) -> None:
        """Write Flink's configuration: that of the project, with this cluster's folders and ports."""
        own = {
            "rest.port": self.port,
            "jobmanager.rpc.port": free_port(),
            "blob.server.port": free_port(),
            "io.tmp.dirs": self._temporary("job-manager"),
        }
        text = (INFRA / "config.yaml").read_text()
        text += "".join(f"{name}: {value}\n" for name, value in own.items())
        (self.home / "conf" / "config.yaml").write_text(text)
        self.boot.write_text(
            "#!/bin/sh\nunset LD_PRELOAD\n"  # workers listen nowhere
            f"export VISUAL_SEARCH_WORKER_PYTHON={shlex.quote(str(ROOT / '.venv' / 'bin' / 'python'))}\n"
            f'exec {shlex.quote(str(INFRA / "boot"))} "$@"\n'
        )
        self.boot.chmod(0o755)

    def _compile(self) -> None:
        compiler = find_compiler()
        c_compiler = compiler_environment(compiler)["CC"]
        command = [c_compiler, "-shared", "-fPIC", "-o", str(self._loopback), str(INFRA / "loopback.c"), "-ldl"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise FlinkError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")

    def _start_job_server(self, parts: Parts) -> None:
        ports = (
            ("--job-port", self.job_port),
            ("--artifact-port", self.job_port - 1),
            ("--expansion-port", self.job_port - 2),
        )
        self._java(
            "job-server",
            [
                "-Xmx768m",
                "-XX:+UseSerialGC",
                *OPENS,
                "-cp",
                str(parts.job_server),
                JOB_SERVER,
                "--job-host=127.0.0.1",
                *(f"{name}={port}" for name, port in ports),
                f"--artifacts-dir={self.home / 'artifacts'}",
                f"--flink-master=127.0.0.1:{self.port}",
                f"--flink-conf-dir={self._conf}",
            ],
        )

    def _java(self, name: str, words: Sequence[str]) -> None:
        marks = [f"-Dvisual-search.home={self.home}", f"-Dvisual-search.part={name}"]
        own = {"VISUAL_SEARCH_FLINK_HOME": self.home, "TMPDIR": self._temporary(name), "LD_PRELOAD": self._loopback}
        environment = {**os.environ, **{key: str(value) for key, value in own.items()}}
        with (self.home / "log" / f"{name}.log").open("ab") as log:
            self._started[name] = subprocess.Popen(
                ["java", *marks, *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True, env=environment,
            )  # fmt: skip

    def _temporary(self, name: str) -> str:
        folder = self.home / "tmp" / name
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def _check_ports(self) -> None:
        for port in (self.port, self.job_port, self.job_port - 1, self.job_port - 2):
            if not is_free(port):
                raise FlinkError(f"port {port} is taken; choose others with --port and --job-port")

    def _wait_until_up(self, task_managers: int) -> None:
        until = time.monotonic() + UP_WITHIN_S
        while not (self._overview().get("taskmanagers") == task_managers and _answers(self.job_port)):
            for name, process in self._started.items():
                if process.poll() is not None:
                    raise FlinkError(
                        f"{name} ended with exit code {process.returncode}; see {self.home}/log/{name}.log"
                    )
            if time.monotonic() > until:
                raise FlinkError(f"not up within {UP_WITHIN_S} s; see {self.home}/log")
            time.sleep(0.3)

    def _overview(self) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/overview")
            return dict(json.loads(connection.getresponse().read()))
        except (http.client.HTTPException, OSError, ValueError):
            return {}
        finally:
            connection.close()


def _commands() -> Iterator[tuple[int, list[str]]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            yield int(folder.name), (folder / "cmdline").read_text(errors="replace").split("\0")


def _end(pids: Sequence[int]) -> None:
    """End processes: with SIGTERM, and what is left after ten seconds with SIGKILL."""
    for one in (signal.SIGTERM, signal.SIGKILL):
        pids = [pid for pid in pids if _runs(pid)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, one)
        until = time.monotonic() + ENDED_WITHIN_S
        while any(_runs(pid) for pid in pids) and time.monotonic() < until:
            time.sleep(0.1)


def _runs(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # it may be a child of this process
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())

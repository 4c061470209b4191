"""The images, built and run: by Docker on real base images, elsewhere by buildah on stand-ins (`make test-images`)."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name

from tests.embed.world import export_tiny
from tests.infra.builders import Builder, Docker
from tests.infra.test_flink_manifest import FLINK
from tests.serving.shop import HEIGHT, WIDTH, make_shop
from tests.tools.test_requirements import pins
from tools.images import version
from tools.installer import Installer
from tools.setup_env import IMAGE_GPU, ROOT, cache_folder
from tools.wheels import BUILT_FOR

pytestmark = [pytest.mark.images, pytest.mark.timeout(3600)]  # the first test of an image builds it

PACKAGES = ("pipelines", "serving", "trainer", "transforms")
INSTALLED = """
import importlib.metadata, json
print(json.dumps({one.name: one.version for one in importlib.metadata.distributions()}))
"""
FILES = """
import hashlib, importlib.util, json, pathlib
found = {}
for package in %r:
    folder = pathlib.Path(importlib.util.find_spec(package).origin).parent
    for path in folder.rglob("*.*"):
        if "__pycache__" not in path.parts:
            found[str(path.relative_to(folder.parent))] = hashlib.sha256(path.read_bytes()).hexdigest()
print(json.dumps(found))
"""
LIBRARIES = """
import apache_beam, faiss, google.cloud.storage, matplotlib, ml_metadata, scipy, tensorflow_data_validation, tfx_bsl
import tensorflow_model_analysis, tensorflow_transform, tfx.v1
import tensorflow as tf
print(float(tf.linalg.trace(tf.eye(3))), faiss.IndexFlatL2(4).d)
"""
# A pipeline whose workers are started by the image's boot, as Dataflow has it start them.
PIPELINE = """
import os, socket, subprocess, time
import apache_beam as beam
from apache_beam.options.pipeline_options import PortableOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import ExternalEnvironment

def tell(number):
    import pipelines.cli
    with open("/tmp/told", "a") as file:
        file.write(f"{number * number} {os.environ['SEMI_PERSISTENT_DIRECTORY']} {pipelines.cli.__file__}\\n")

socket.getfqdn = lambda: "localhost"  # what the worker is told to call back: there is no other network
pool = subprocess.Popen(["/opt/apache/beam/boot", "--worker_pool"])
until = time.monotonic() + 60
while socket.socket().connect_ex(("localhost", 50000)):
    assert time.monotonic() < until and pool.poll() is None, "no worker pool"
    time.sleep(.2)
options = PortableOptions(["--runner=PortableRunner", "--environment_config=localhost:50000"])
runner = FnApiRunner(default_environment=ExternalEnvironment.from_options(options))
with beam.Pipeline(runner, options=options) as pipeline:
    pipeline | beam.Create([3, 4]) | beam.Map(tell)
pool.terminate()
print(open("/tmp/told").read())
"""
# A pod of the service: it is asked once it is ready, and ended as Kubernetes ends it.
ANSWER = """
import json, pathlib, signal, subprocess, time, urllib.request
shop = pathlib.Path("/shop")
command = ["visual-search", "serve", "--config", str(shop / "shop.toml"), "--host", "0.0.0.0", "--no-keys"]
served = subprocess.Popen(["tini", "-g", "--", *command])

def asked(path, data=None):
    with urllib.request.urlopen(f"http://127.0.0.1:8800{path}", data, timeout=60) as answer:
        return answer.read()

until = time.monotonic() + 240
while True:
    assert time.monotonic() < until and served.poll() is None, "it is not ready"
    try:
        asked("/readyz")
        break
    except OSError:
        time.sleep(0.2)
answer = json.loads(asked("/v1/search?k=3", (shop / "photo.jpg").read_bytes()))
page = asked("/")
served.send_signal(signal.SIGTERM)
told = {"release": answer["release_id"], "found": [one["item_id"] for one in answer["answers"][0]["results"]]}
print(json.dumps(told | {"page": b"<!doctype html>" in page.lower(), "exit": served.wait(60)}))
"""


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout.strip()


def python(builder: Builder, target: str, program: str) -> str:
    return said(builder.run(target, "python", "-c", program))


def test_the_launcher_is_the_command_line(builder: Builder) -> None:
    assert "Usage: visual-search" in said(builder.start("launcher", "--help"))
    assert builder.start("launcher", "no-such-command").returncode == 2


@pytest.mark.parametrize(("target", "lock"), [("launcher", "pipeline.txt"), ("serving", "serving.txt")])
def test_an_image_holds_its_lock_and_nothing_else(builder: Builder, target: str, lock: str) -> None:
    installed = {
        canonicalize_name(name): number for name, number in json.loads(python(builder, target, INSTALLED)).items()
    }
    assert installed == pins(lock) | {"visual-search": version(ROOT)}


def test_the_service_answers_from_a_store_that_it_may_only_read(builder: Builder, tmp_path: Path) -> None:
    export_tiny(tmp_path / "saved", 0, HEIGHT, WIDTH)
    shop = make_shop(tmp_path / "shop", tmp_path / "saved")
    (shop.root / "photo.jpg").write_bytes(shop.photo(3))
    subprocess.run(["chmod", "-R", "a+rX", shop.root], check=True)
    mounts = {shop.root: "/shop"}
    told = json.loads(said(builder.run("serving", "python", "-c", ANSWER, mounts=mounts)).splitlines()[-1])
    command = ["visual-search", "search", "--config", "/shop/shop.toml", "--json", "-k", "3", "/shop/photo.jpg"]
    by_launcher = [json.loads(line) for line in said(builder.run("launcher", *command, mounts=mounts)).splitlines()]
    found = [result["item_id"] for result in by_launcher[0]["results"]]
    assert len(found) == 3
    assert told == {"release": "first", "found": found, "page": True, "exit": 0}


@pytest.mark.parametrize("target", ["launcher", "serving"])
def test_an_image_holds_every_file_of_the_checkout(builder: Builder, target: str) -> None:
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.*") if "__pycache__" not in path.parts]
    wanted = {str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    assert json.loads(python(builder, target, FILES % (PACKAGES,))) == wanted


def test_what_the_pipeline_imports_loads_in_the_launcher(builder: Builder) -> None:
    assert python(builder, "launcher", LIBRARIES).splitlines()[-1] == "3.0 4"


def test_stages_run_in_the_launcher(builder: Builder) -> None:
    command = "visual-search demo /tmp/shop --items 200 --leaf-categories 8 --seed 7 >&2"
    for stage in ("catalogue", "preprocess"):
        command += f" && visual-search {stage} --config /tmp/shop/config.toml --run-id first"
    lines = [json.loads(line) for line in said(builder.run("launcher", "sh", "-c", command)).splitlines()]
    assert [line["stage"] for line in lines] == ["catalogue", "preprocess"]
    assert lines[1]["counts"]["ok"] > 0


@pytest.mark.parametrize(
    ("target", "user", "own"),
    [
        ("launcher", "10001", {"/home/search"}),
        ("serving", "10001", {"/home/search"}),
        ("flink", "9999", {"/opt/flink/conf", "/opt/flink/log"}),
    ],
)
def test_its_user_writes_to_its_own_folders_alone(builder: Builder, target: str, user: str, own: set[str]) -> None:
    assert said(builder.run(target, "id", "-u")) == user
    found = builder.run(target, "find", "/", "-xdev", "-type", "d", "-writable", "-prune").stdout.split()
    shared = {"/tmp", "/var/tmp", "/run/lock", "/dev/shm", "/dev/mqueue", "/proc", "/sys"}
    assert {path for path in found if not path.startswith(("/proc/", "/sys/", "/dev/"))} - shared == own
    files = builder.run(target, "find", "/opt", "/usr", "/etc", "-xdev", "-type", "f", "-writable").stdout.split()
    assert [path for path in files if not path.startswith(tuple(own))] == []


def test_a_worker_is_started_by_beams_boot(builder: Builder) -> None:
    told = sorted(python(builder, "worker", PIPELINE).splitlines()[-2:])
    site = "/opt/visual-search/.venv/lib/python3.12/site-packages/pipelines/cli/__init__.py"
    assert told == [f"16 /tmp {site}", f"9 /tmp {site}"]


def test_a_worker_that_is_told_nothing_says_what_it_lacks(builder: Builder) -> None:
    done = builder.start("worker")
    assert (done.returncode, "No id provided." in done.stderr + done.stdout) == (1, True)


def test_flink_is_the_one_that_the_manifest_names(builder: Builder) -> None:
    program = "mkdir /tmp/conf && touch /tmp/conf/config.yaml && FLINK_CONF_DIR=/tmp/conf exec java"
    program += " -cp '/opt/flink/lib/*' org.apache.flink.client.cli.CliFrontend --version"
    printed = said(builder.run("flink", "sh", "-c", program))
    number = FLINK["flinkVersion"].removeprefix("v").replace("_", ".")
    assert f"Version: {number}." in printed
    java = builder.run("flink", "java", "-version")
    assert 'version "17.' in java.stdout + java.stderr


@pytest.mark.parametrize(
    ("verb", "part"), [("GET_TM_RESOURCE_PARAMS", "taskManager"), ("GET_JM_RESOURCE_PARAMS", "jobManager")]
)
def test_flink_finds_the_memory_of_the_manifest_possible(builder: Builder, verb: str, part: str) -> None:
    resource = FLINK[part]["resource"]
    sizes = {f"{part.lower()}.memory.process.size": resource["memory"], "taskmanager.cpu.cores": resource["cpu"]}
    config = yaml.safe_dump(FLINK["flinkConfiguration"] | sizes)
    program = 'mkdir -p /tmp/conf && printf %s "$1" > /tmp/conf/config.yaml && shift && exec java "$@"'
    classes = "/opt/flink/bin/bash-java-utils.jar:/opt/flink/lib/*"
    utils = ["-cp", classes, "org.apache.flink.runtime.util.bash.BashJavaUtils", verb, "--configDir", "/tmp/conf"]
    printed = said(builder.run("flink", "sh", "-c", program, "sh", config, *utils))
    assert "-Xmx" in printed, printed


def test_flinks_boot_is_python_of_the_image(builder: Builder) -> None:
    assert "--id" in said(builder.run("flink", "/opt/visual-search/boot", "--help"))
    assert python(builder, "flink", LIBRARIES).splitlines()[-1] == "3.0 4"


def test_the_images_of_a_gpu(builder: Builder, tmp_path: Path) -> None:
    """Built where Docker is; elsewhere their lock is resolved alone, for 3 GB are not fetched to be just looked at."""
    cuda = {name: number for name, number in pins("gpu.txt").items() if name.startswith("nvidia-")}
    assert len(cuda) >= 10
    if isinstance(builder, Docker):
        for target in ("launcher-gpu", "worker-gpu"):
            installed = json.loads(python(builder, target, INSTALLED))
            assert {canonicalize_name(name): number for name, number in installed.items()}.items() >= cuda.items()
        assert "Usage: visual-search" in said(builder.start("launcher-gpu", "--help"))
        return
    tool = Installer.find(Path(sys.executable), cache_folder(), {})
    options = ["--dry-run", "--target", str(tmp_path), "--python", sys.executable, "--no-config"]
    options += ["--python-platform", "x86_64-manylinux_{}_{}".format(*BUILT_FOR)]
    locks = [word for lock in IMAGE_GPU.locks for word in ("--requirement", str(ROOT / lock))]
    command = [tool.uv, "pip", "install", *options, *locks]
    done = subprocess.run(command, env=tool.environment, capture_output=True, text=True, check=True)
    assert {line for line in done.stderr.splitlines() if line.startswith(" + nvidia-")} == {
        f" + {name}=={number}" for name, number in cuda.items()
    }

import base64
import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from tests.tools import sources
from tests.tools.sources import Build
from tools import wheels
from tools.wheels import WheelError, check_loads, needs_repair, prepare_wheelhouse, repair_wheel

NAME = "thing-1.0-cp312-cp312-manylinux_2_39_x86_64.whl"
OBJECT, INFO = "thing/extension.so", "thing-1.0.dist-info"


def write_wheel(folder: Path, extension: bytes) -> Path:
    path = folder / NAME
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("thing/__init__.py", "VALUE = 1\n")
        archive.writestr(OBJECT, extension)
        archive.writestr(f"{INFO}/WHEEL", "Wheel-Version: 1.0\nTag: cp312-cp312-manylinux_2_39_x86_64\n")
        archive.writestr(f"{INFO}/RECORD", f"{OBJECT},sha256=stale,1\n")
    return path


@pytest.fixture
def wheel(tmp_path: Path, build: Build) -> Path:
    return write_wheel(tmp_path, build(sources.NEW_PARSER).read_bytes())


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, wheel: Path) -> list[Path]:
    """Serve `wheel` instead of a download; return the folders it was put into."""
    served = []

    def download(_python: Path, _requirements: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / NAME).write_bytes(wheel.read_bytes())
        served.append(folder)

    monkeypatch.setattr(wheels, "_download", download)
    return served


def prepare(tmp_path: Path, glibc: tuple[int, int]) -> Path | None:
    requirements = tmp_path / "repaired.txt"
    requirements.write_text("thing==1.0\n")
    return prepare_wheelhouse(Path(sys.executable), requirements, tmp_path / "cache", glibc)


@pytest.mark.parametrize(("glibc", "expected"), [((2, 34), True), ((2, 38), True), ((2, 39), False), ((2, 41), False)])
def test_only_older_systems_need_a_repair(glibc: tuple[int, int], expected: bool) -> None:
    assert needs_repair(glibc) is expected


@pytest.mark.parametrize("glibc", [(2, 39), (2, 41)])
def test_nothing_happens_where_the_published_wheels_load(
    tmp_path: Path, published: list[Path], glibc: tuple[int, int]
) -> None:
    assert prepare(tmp_path, glibc) is None
    assert published == []
    assert not (tmp_path / "cache").exists()


def test_the_repaired_wheel_has_a_new_tag_and_a_true_record(wheel: Path, tmp_path: Path) -> None:
    house = tmp_path / "house"
    house.mkdir()
    repaired = repair_wheel(wheel, house)
    assert repaired.name == "thing-1.0-cp312-cp312-manylinux_2_34_x86_64.whl"
    with zipfile.ZipFile(repaired) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert b"Tag: cp312-cp312-manylinux_2_34_x86_64\n" in contents[f"{INFO}/WHEEL"]
    assert contents["thing/__init__.py"] == b"VALUE = 1\n"
    lines = contents[f"{INFO}/RECORD"].decode().splitlines()
    assert lines[-1] == f"{INFO}/RECORD,,"
    digest = base64.urlsafe_b64encode(hashlib.sha256(contents[OBJECT]).digest()).decode().rstrip("=")
    assert f"{OBJECT},sha256={digest},{len(contents[OBJECT])}" in lines
    assert len(lines) == len(contents) == 4


def test_the_published_wheel_stays_as_it_was(wheel: Path, tmp_path: Path) -> None:
    before = wheel.read_bytes()
    (tmp_path / "house").mkdir()
    repair_wheel(wheel, tmp_path / "house")
    assert wheel.read_bytes() == before


def test_equal_wheels_give_equal_bytes(wheel: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (repair_wheel(wheel, tmp_path / name).read_bytes() for name in ("one", "two"))
    assert one == two


def test_an_unknown_symbol_stops_it_and_leaves_no_wheelhouse(
    tmp_path: Path, build: Build, published: list[Path]
) -> None:
    write_wheel(tmp_path, build(sources.UNKNOWN).read_bytes())
    with pytest.raises(WheelError, match=rf"{NAME}: {OBJECT}: the symbol brand_new@GLIBC_2\.41 is too new"):
        prepare(tmp_path, (2, 36))
    assert len(published) == 1
    assert list((tmp_path / "cache" / "wheelhouse").iterdir()) == []


def test_the_wheelhouse_is_made_once(tmp_path: Path, published: list[Path]) -> None:
    first = prepare(tmp_path, (2, 36))
    assert first is not None
    assert [path.name for path in first.iterdir()] == ["thing-1.0-cp312-cp312-manylinux_2_34_x86_64.whl"]
    assert prepare(tmp_path, (2, 36)) == first
    assert len(published) == 1


def test_another_set_of_wheels_has_a_house_of_its_own(tmp_path: Path, published: list[Path]) -> None:
    first = prepare(tmp_path, (2, 36))
    other = tmp_path / "other.txt"
    other.write_text("thing==1.1\n")
    assert prepare_wheelhouse(Path(sys.executable), other, tmp_path / "cache", (2, 36)) != first
    assert len(published) == 2


def test_a_wheel_that_does_not_load_is_refused(tmp_path: Path, build: Build) -> None:
    missing = "void nowhere_to_be_found(void); void go(void) { nowhere_to_be_found(); }"
    wheel = write_wheel(tmp_path, build(missing).read_bytes())
    with pytest.raises(WheelError, match=rf"{NAME} does not load .* undefined symbol: nowhere_to_be_found"):
        check_loads(Path(sys.executable), wheel)

"""The contract of a store, written against the interface: every implementation runs the same tests."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.store import NotFoundError, Store, StoreError, open_store

RACER = """
import sys, time
from pipelines.store import open_store
uri, me, start = sys.argv[1:]
store = open_store(uri)
time.sleep(max(0.0, float(start) - time.time()))
print(",".join(str(i) for i in range(200) if store.create(f"race/{i}.txt", me.encode() * 5000)))
"""

SWAPPER = """
import sys
from pipelines.store import NotFoundError, open_store
store, won = open_store(sys.argv[1]), 0
while won < 40:
    try:
        held = store.read("count.txt")
    except NotFoundError:
        held = None
    number = int(held.split()[0]) if held else 0
    won += store.swap("count.txt", held, f"{number + 1} {sys.argv[2]}".encode())
print("done")
"""

CHURNER = """
import sys
from pipelines.store import open_store
store = open_store(sys.argv[1])
for i in range(300):
    name = f"churn/deep/{sys.argv[2]}.txt"
    assert store.create(name, b"x"), name
    store.delete(name)
print("done")
"""

READER = """
import sys, time
from pipelines.store import open_store
store, seen, end = open_store(sys.argv[1]), set(), time.time() + float(sys.argv[2])
while time.time() < end:
    data = store.read("put.bin")
    seen.add((len(data), len(set(data))))
print(sorted(seen))
"""


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    return output.strip()


def names(store: Store, prefix: str) -> list[str]:
    return sorted(entry.name for entry in store.list(prefix))


def test_create_reads_back_and_never_overwrites(store: Store) -> None:
    assert store.create("a/b.txt", b"first") is True
    assert store.create("a/b.txt", b"second") is False
    assert store.read("a/b.txt") == b"first"


def test_create_from_a_file(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "source.bin"
    source.write_bytes(b"x" * 3_000_000)
    assert store.create_from("copied.bin", source) is True
    source.write_bytes(b"other")
    assert store.create_from("copied.bin", source) is False
    assert len(store.read("copied.bin")) == 3_000_000


def test_two_processes_racing_for_200_names_win_each_name_once(store: Store) -> None:
    import time

    at = str(time.time() + 1.5)
    first, second = start(RACER, store.uri, "A", at), start(RACER, store.uri, "B", at)
    won_a, won_b = ({int(i) for i in finish(p).split(",") if i} for p in (first, second))
    assert won_a | won_b == set(range(200))
    assert won_a & won_b == set()
    for i in range(200):
        assert store.read(f"race/{i}.txt") == (b"A" if i in won_a else b"B") * 5000


def test_create_survives_another_process_that_empties_the_folder(store: Store) -> None:
    processes = [start(CHURNER, store.uri, str(i)) for i in range(2)]
    assert [finish(p) for p in processes] == ["done", "done"]
    assert names(store, "churn") == []


def test_put_replaces_and_a_reader_never_sees_a_mixture(store: Store) -> None:
    store.put("put.bin", b"a" * 200_000)
    reader = start(READER, store.uri, "2")
    i = 0
    while reader.poll() is None:
        store.put("put.bin", bytes([97 + i % 26]) * (200_000 + i % 2))
        i += 1
    seen = finish(reader)
    assert i > 10
    assert set(eval(seen)) <= {(200_000, 1), (200_001, 1)}


def test_a_swap_replaces_what_is_expected_and_nothing_else(store: Store) -> None:
    assert not store.swap("a/lease", b"mine", b"again")
    assert store.swap("a/lease", None, b"mine")
    assert not store.swap("a/lease", None, b"other")
    assert not store.swap("a/lease", b"other", None)
    assert store.read("a/lease") == b"mine"
    assert store.swap("a/lease", b"mine", b"mine 2")
    assert store.swap("a/lease", b"mine 2", None)
    assert not store.exists("a/lease")
    assert store.swap("a/lease", None, None)
    assert names(store, "") == []


def test_of_swaps_at_once_one_succeeds(store: Store) -> None:
    processes = [start(SWAPPER, store.uri, name) for name in ("A", "B", "C")]
    assert [finish(p) for p in processes] == ["done"] * 3
    assert store.read("count.txt").split()[0] == b"120"  # 40 each: none was overwritten unseen


def test_list_yields_every_object_below_the_folder_with_its_size(store: Store) -> None:
    store.create("t/one.bin", b"123")
    store.create("t/deep/er/two.bin", b"12345")
    store.create("tea/three.bin", b"")
    assert sorted((e.name, e.size_bytes) for e in store.list("t")) == [("t/deep/er/two.bin", 5), ("t/one.bin", 3)]
    assert names(store, "") == ["t/deep/er/two.bin", "t/one.bin", "tea/three.bin"]
    assert names(store, "nothing/here") == []
    assert all(abs(e.modified_at - __import__("time").time()) < 60 for e in store.list("t"))


def test_folders_are_the_sorted_names_directly_below(store: Store) -> None:
    for name in ("r/b/x.json", "r/a/deep/y.json", "r/file.json"):
        store.create(name, b"{}")
    assert store.folders("r") == ["a", "b"]
    assert store.folders("") == ["r"]
    assert store.folders("none") == []


def test_delete_is_idempotent_and_leaves_no_empty_folder(store: Store) -> None:
    store.create("x/y/z.txt", b"z")
    store.delete("x/y/z.txt")
    store.delete("x/y/z.txt")
    assert not store.exists("x/y/z.txt")
    assert store.folders("") == []


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/etc/passwd", "", "a//b", "./a", "a/.", "a/"])
def test_names_that_leave_the_store_are_refused(store: Store, name: str) -> None:
    writes = (
        lambda n: store.create(n, b""),
        lambda n: store.put(n, b""),
        lambda n: store.swap(n, None, b""),
    )
    for attempt in (store.read, store.exists, store.delete, *writes):
        with pytest.raises(StoreError, match="is not a name inside a store") as caught:
            attempt(name)
        assert repr(name) in str(caught.value)


def test_what_is_not_there_is_not_found(store: Store) -> None:
    store.create("folder/object", b"")
    for name in ("nothing", "folder", "folder/object/below"):
        with pytest.raises(NotFoundError, match=f"holds no object '{name}'"):
            store.read(name)
        assert not store.exists(name)
    with pytest.raises(NotFoundError, match="holds no object or folder 'nothing'"), store.stage_in("nothing"):
        pass


def test_open_is_seekable(store: Store) -> None:
    store.create("seek.bin", b"0123456789")
    with store.open("seek.bin") as file:
        file.seek(-3, 2)
        assert file.read() == b"789"


def test_stage_in_and_out_carry_folders(store: Store, tmp_path: Path) -> None:
    local = tmp_path / "local"
    (local / "variables").mkdir(parents=True)
    (local / "saved_model.pb").write_bytes(b"graph")
    (local / "variables" / "data").write_bytes(b"weights")
    store.stage_out(local, "models/m1")
    assert names(store, "models") == ["models/m1/saved_model.pb", "models/m1/variables/data"]
    with store.stage_in("models/m1") as path:
        assert (path / "variables" / "data").read_bytes() == b"weights"
    with store.stage_in("models/m1/saved_model.pb") as path:
        assert path.read_bytes() == b"graph"


def test_json_is_created_sorted_and_damage_is_named(store: Store) -> None:
    assert store.create_json("v.json", {"b": 1, "a": [True, None]}) is True
    assert store.create_json("v.json", {}) is False
    assert store.read_json("v.json") == {"a": [True, None], "b": 1}
    assert store.read("v.json").index(b'"a"') < store.read("v.json").index(b'"b"')
    store.create("half.json", b'{"a": ')
    with pytest.raises(StoreError, match=r"half\.json is not valid JSON .*; restore it or remove it"):
        store.read_json("half.json")


def test_a_store_opens_by_its_uri(store: Store) -> None:
    store.create("here.txt", b"1")
    assert open_store(store.uri).read("here.txt") == b"1"


def test_a_store_travels_to_workers(store: Store) -> None:
    import pickle

    store.create("here.txt", b"1")
    assert pickle.loads(pickle.dumps(store)).read("here.txt") == b"1"

"""Photos of their own that items had, and one picture in their place: a gate where they are many, else a note."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.errors import GateError
from pipelines.preprocess.replaced import HELD, Replaced
from pipelines.preprocess.resolve import WORKING
from pipelines.releases.history import append, make_entry, read_history
from pipelines.releases.release import read_release
from tests.catalogue.shop import jpeg
from tests.photo_hosts import answering, host
from tests.preprocess.test_web_stage import WebShop


def of(now: list[dict[str, object]], before: list[dict[str, object]]) -> Replaced:
    photos = pa.Table.from_pylist([{"code": "", "image_uri": "u", **row} for row in now], WORKING)
    return Replaced.of(photos, pa.Table.from_pylist([{"code": "", **row} for row in before], HELD_SCHEMA))


HELD_SCHEMA = pa.schema([WORKING.field(name) for name in HELD])


def digest(number: int) -> bytes:
    return number.to_bytes(8, "big") * 4


def items(count: int, first: int = 1) -> list[dict[str, object]]:
    return [{"item_id": f"i{n}", "digest": digest(first + n)} for n in range(count)]


def test_many_products_that_had_different_photos_share_one() -> None:
    found = of([{**row, "digest": digest(0), "products": 8} for row in items(8)], items(9))
    assert (found.had, found.lost) == (8, 8)
    [note] = found.notes()
    assert note.startswith(
        f"8 items that had photos of their own now share one (sha256 {digest(0).hex()}), such as u of"
    )
    halves = [of([{**row, "digest": digest(0), "products": 8}], items(9)) for row in items(8)]
    assert sum(halves, Replaced()) == found
    assert Replaced.of_json(found.as_json()) == found


SAME = [{**row, "digest": digest(0), "products": 8} for row in items(8)]


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ([{**row, "products": 1} for row in items(8, 50)], items(8)),  # each has another one of its own
        (SAME, [{**row, "digest": digest(1)} for row in items(8)]),  # they had one in common before
        (SAME, [{**row, "digest": digest(0)} for row in items(8)]),  # and it is that
        (SAME, []),  # new products
        (SAME, [{**row, "code": "missing"} for row in items(8)]),
        ([{**row, "products": 4} for row in SAME[:4]], items(4)),
        ([*items(8), *SAME], items(8)),  # one more photo each
    ],
)
def test_what_is_no_loss(now: list[dict[str, object]], before: list[dict[str, object]]) -> None:
    found = of(now, before)
    assert (found.lost, list(found.notes())) == (0, [])


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[WebShop]:
    photos = host()
    with answering(photos.app) as address:
        yield WebShop(tmp_path / "shop", photos, address)


def test_a_run_whose_host_answers_one_picture_for_many_is_refused(shop: WebShop) -> None:
    shop.sells(20, fetch={"max_age_hours": 0}, preprocess={"max_rejected_share": 0.3})
    shop.prepare("r1")
    go_live(shop, "r1")
    real, none = shop.host.photo, jpeg(77)
    shop.host.photo = lambda name: none if int(name[1:-4]) < 7 else real(name)  # type: ignore[method-assign]
    with pytest.raises(GateError, match="7 of 20 photos of the live release") as refused:
        shop.prepare("r2")
    assert "fetch.max_age_hours = 0" in str(refused.value)
    assert (refused.value.stage, refused.value.run_id) == ("preprocess", "r2")
    with pytest.raises(GateError, match="7 of 20"):  # nothing is asked, and nothing is forgotten
        shop.run("r3", "catalogue", "preprocess")
    accepted = shop.run("r4", "catalogue", "preprocess", accept="a new look")["preprocess"]
    assert any(note.startswith("7 items that had photos of their own now share one") for note in accepted["notes"])
    assert any(note.endswith("; accepted: a new look") for note in accepted["notes"])
    shop.host.photo = lambda name: none if int(name[1:-4]) < 5 else real(name)  # type: ignore[method-assign]
    told = shop.prepare("r5")["notes"]  # 5 of 20 are below the share
    assert any(note.startswith("5 items that had photos of their own now share one") for note in told)
    shop.host.photo = real  # type: ignore[method-assign]
    assert not any("now share one" in note for note in shop.prepare("r6")["notes"])


def go_live(shop: WebShop, run_id: str) -> None:
    """Make what a run has prepared that of a live release."""
    number, head = shop.head()
    parts = {"model": {"model_id": "m"}, "index": {"index_id": "x"}, "space": {"space_id": "s"}}
    catalogue = {"catalogue_id": head["catalogue_id"], "catalogue_number": number, "run_id": run_id}
    shop.store.create_json("releases/l1/manifest.json", {"release_id": "l1", **parts, **catalogue})
    entry = make_entry(read_release(shop.store, "l1"), "promote", None, run_id=run_id, config_digest="", reason=None)
    assert append(shop.store, read_history(shop.store), entry)

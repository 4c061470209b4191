"""A model of four lines: pixel value v of a photo gives embedding (v, 1); 13 fails the batch, 66 gives NaN."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines.embed.infer import UnitEmbedder, infer
from pipelines.embed.model import InferenceError
from pipelines.embed.outputs import Outputs, Pixels
from pipelines.embed.todo import TODO
from pipelines.errors import StageError
from pipelines.jobs.units import Unit
from pipelines.store import StoreError, UnitTable
from pipelines.store.folder import FolderStore

FAILS, NAN = 13, 66


class Fake:
    def __init__(self, broken: int | None = None) -> None:
        self.sizes: list[int] = []
        self.broken = broken

    def decode(self, jpegs: Sequence[bytes]) -> tuple[Pixels, list[str]]:
        codes = ["bad_image" if jpeg == b"bad" else "" for jpeg in jpegs]
        values = [0 if jpeg == b"bad" else jpeg[0] for jpeg in jpegs]
        return np.array(values, np.uint8).reshape(-1, 1, 1, 1), codes

    def __call__(self, pixels: Pixels) -> Outputs:
        self.sizes.append(len(pixels))
        values = pixels[:, 0, 0, 0]
        if FAILS in values or self.broken in values:
            raise InferenceError("out of luck")
        embedding = np.stack([values.astype(np.float32), np.ones(len(values), np.float32)], axis=1)
        embedding[values == NAN, 1] = np.nan
        nothing = np.zeros((len(values), 0))
        return Outputs(embedding, values[:, None], nothing.astype(np.int32), nothing.astype(np.float32))


def pixels(*values: int) -> Pixels:
    return np.array(values, np.uint8).reshape(-1, 1, 1, 1)


def test_a_good_batch_is_one_call() -> None:
    model = Fake()
    outputs, codes = infer(model, pixels(1, 2, 3), ["", "", ""])
    assert outputs.embedding[:, 0].tolist() == [1, 2, 3]
    assert codes == ["", "", ""]
    assert model.sizes == [3]


@pytest.mark.parametrize("place", range(8))
def test_a_failing_batch_is_split_until_the_bad_record_is_found(place: int) -> None:
    values = [1, 2, 3, 4, 5, 6, 7, 8]
    values[place] = FAILS
    outputs, codes = infer(Fake(), pixels(*values), [""] * 8)
    assert codes == ["inference_failed" if n == place else "" for n in range(8)]
    assert outputs.embedding[:, 0].tolist() == [v for v in values if v != FAILS]


def test_every_kind_of_bad_record_in_one_batch() -> None:
    outputs, codes = infer(Fake(), pixels(1, NAN, FAILS, 0, 5, FAILS), ["", "", "", "bad_image", "", ""])
    assert codes == ["", "nonfinite", "inference_failed", "bad_image", "", "inference_failed"]
    assert outputs.embedding[:, 0].tolist() == [1, 5]


def test_a_batch_of_bad_records_alone_gives_no_rows() -> None:
    for values, told in (([FAILS], ""), ([0, 0], "bad_image"), ([NAN], "")):
        outputs, codes = infer(Fake(), pixels(*values), [told] * len(values))
        assert len(outputs) == 0
        assert "" not in codes


def test_a_model_that_fails_on_a_blank_photo_is_at_fault_not_the_photo() -> None:
    with pytest.raises(StageError, match=r"the model fails \(out of luck\), on a blank photo too"):
        infer(Fake(broken=255), pixels(1, FAILS), ["", ""])


def test_a_model_that_gives_nan_for_a_blank_photo_is_at_fault() -> None:
    class Bad(Fake):
        def __call__(self, pixels: Pixels) -> Outputs:
            found = super().__call__(pixels)
            return Outputs(found.embedding * np.nan, found.hash, found.slots, found.probabilities)

    with pytest.raises(StageError, match="gives no finite embedding, on a blank photo too"):
        infer(Bad(), pixels(1), [""])


class Images:
    """A store with image units of photos given by their bytes; the digest repeats the unit's and the row's number."""

    def __init__(self, folder: Path, *units: Sequence[bytes]) -> None:
        self.store = FolderStore(folder)
        self.table = UnitTable(self.store, "images/p")
        self.vectors = UnitTable(self.store, "embeddings/s/m")
        for n, photos in enumerate(units):
            digests = pa.array([bytes([n, row]) * 16 for row in range(len(photos))], pa.binary(32))
            keys = pa.table({"digest": digests, "code": [""] * len(photos), "row": range(len(photos))})
            self.table.commit(f"u{n}", keys, pa.table({"digest": digests, "image": photos}), row_group_rows=4)

    def work(self, *places: tuple[int, int]) -> pa.Table:
        return pa.table(
            [[bytes([u, r]) * 16 for u, r in places], [f"u{u}" for u, _ in places], [r for _, r in places]], schema=TODO
        )


def test_units_are_committed_in_order_with_full_batches_across_image_units(tmp_path: Path) -> None:
    images = Images(tmp_path, [bytes([n]) for n in range(1, 8)], [bytes([n]) for n in range(101, 106)])
    first = images.work(*[(0, r) for r in range(7)], (1, 0), (1, 1))
    second = images.work((1, 3), (1, 4))
    model = Fake()
    done = UnitEmbedder(images.table, images.vectors, model, 4)([(Unit("a", ()), first), (Unit("b", ()), second)])

    assert list(done) == ["a", "b"]
    assert model.sizes == [4, 4, 1, 2]
    kept = images.vectors.read_rows("a")
    assert kept["hash"].to_pylist() == [bytes([n]) for n in (1, 2, 3, 4, 5, 6, 7, 101, 102)]
    assert kept["digest"].to_pylist() == first["digest"].to_pylist()
    assert images.vectors.read_rows("b")["hash"].to_pylist() == [bytes([104]), bytes([105])]


def test_an_undecodable_photo_in_an_intact_unit_is_a_reject(tmp_path: Path) -> None:
    images = Images(tmp_path, [b"\1", b"bad", b"\3"])
    work = images.work((0, 0), (0, 1), (0, 2))
    list(UnitEmbedder(images.table, images.vectors, Fake(), 4)([(Unit("a", ()), work)]))
    assert images.vectors.read_keys("a")["code"].to_pylist() == ["", "bad_image", ""]
    assert images.vectors.read_rows("a")["hash"].to_pylist() == [b"\1", b"\3"]


def test_an_undecodable_photo_in_a_damaged_unit_is_an_error(tmp_path: Path) -> None:
    images = Images(tmp_path, [b"\1"] * 9 + [b"bad"] + [b"\1"] * 90)
    path = next(tmp_path.glob("images/p/u0-*.parquet"))
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(data[:-9] + b"x" + data[-8:])  # in the footer's last bytes, where reading does not notice
    work = images.work((0, 9))  # so few that the unit is not verified before
    with pytest.raises(StoreError, match=r"u0-\w+.parquet (does not match its checksum|is damaged)"):
        list(UnitEmbedder(images.table, images.vectors, Fake(), 4)([(Unit("a", ()), work)]))
    assert images.vectors.unit_ids() == []


def test_photos_that_moved_since_the_plan_are_an_error(tmp_path: Path) -> None:
    images = Images(tmp_path, [b"\1", b"\2"])
    wrong = pa.table([[bytes([0, 1]) * 16], ["u0"], [0]], schema=TODO)
    with pytest.raises(StageError, match="image unit u0 holds other photos than were planned"):
        list(UnitEmbedder(images.table, images.vectors, Fake(), 4)([(Unit("a", ()), wrong)]))


def test_units_before_a_failure_are_kept(tmp_path: Path) -> None:
    images = Images(tmp_path, [b"\1", b"\2"])
    good, wrong = images.work((0, 0)), pa.table([[bytes([0, 1]) * 16], ["u0"], [0]], schema=TODO)
    with pytest.raises(StageError):
        list(UnitEmbedder(images.table, images.vectors, Fake(), 4)([(Unit("a", ()), good), (Unit("b", ()), wrong)]))
    assert images.vectors.unit_ids() == ["a"]

"""Deltas beside a snapshot: late ones, ones that were passed over, ones that remove much."""

import pytest

from pipelines.errors import GateError, StageError
from tests.catalogue.rules.days import COLUMNS, Days, row, rows


def test_a_bad_cell_of_a_delta_keeps_the_items_last_state(with_deltas: Days) -> None:
    with_deltas.read(*rows(6))
    with_deltas.delta("1.csv", row(2, "2026-11-20T08:00:00Z", eur="12,50"), row(9, "2026-11-20T08:00:00Z"))
    manifest = with_deltas.read()
    assert manifest["rejects"] == {"bad_number": 1}
    assert "items that keep the state they had, for their rows were rejected: 1, such as 'a2'" in manifest["notes"]
    assert with_deltas.ids() == "a0 a1 a2 a3 a4 a5 a9"


def test_one_bad_row_of_a_small_delta_stops_nothing_but_many_do(with_deltas: Days) -> None:
    with_deltas.read(*rows(18))
    with_deltas.delta("1.csv", row(2, "2026-11-20T08:00:00Z", eur="?"))
    assert with_deltas.read()["rejects"] == {"bad_number": 1}
    with_deltas.delta("2.csv", *[row(n, "2026-11-20T08:00:00Z", eur="?") for n in range(18)])
    with pytest.raises(StageError, match=r"catalogue rejected 18 of 18 records \(100\.0%; bad_number 18\)"):
        with_deltas.read()


def test_a_late_delta_stays_while_the_same_snapshot_is_read(with_deltas: Days) -> None:
    with_deltas.read(*rows(6))
    with_deltas.delta("1.csv", row(9, "2026-11-09T08:00:00Z"))  # older than all that the snapshot has
    with_deltas.read()
    for n in (2, 3):
        with_deltas.delta(f"{n}.csv", row(n, "2026-11-20T08:00:00Z", name="New"))
        with_deltas.read()
        assert with_deltas.ids() == "a0 a1 a2 a3 a4 a5 a9"
    with_deltas.read(*rows(6, without=(0,)), row(0, "2026-11-21T08:00:00Z"))  # the next one does not name it
    assert with_deltas.ids() == "a0 a1 a2 a3 a4 a5"


def test_an_unchanged_snapshot_beside_new_deltas_is_not_read_again(with_deltas: Days) -> None:
    with_deltas.read(*rows(6))
    with_deltas.delta("1.csv", row(2, "2026-11-20T08:00:00Z"))
    assert with_deltas.read()["counts"]["in"] == 1


def test_a_snapshot_that_is_left_out_for_a_while_is_known_when_it_is_back(with_deltas: Days) -> None:
    catalogue = {"columns": COLUMNS, "deltas": "deltas/*.csv", "max_removed_share": 0.5}
    with_deltas.read(*rows(6))
    with_deltas.shop.write_config(catalogue={**catalogue, "snapshot": None})
    with_deltas.delta("1.csv", row(9, "2026-11-09T08:00:00Z"))
    with_deltas.read()
    with_deltas.shop.write_config(catalogue=catalogue)
    assert with_deltas.read()["counts"]["in"] == 0
    assert with_deltas.ids() == "a0 a1 a2 a3 a4 a5 a9"


def test_a_changed_mapping_with_nothing_to_read_is_a_catalogue_all_the_same(with_deltas: Days) -> None:
    catalogue = {"snapshot": None, "columns": COLUMNS, "deltas": "deltas/*.csv"}
    with_deltas.shop.write_config(catalogue=catalogue)
    with_deltas.delta("1.csv", *rows(3))
    with_deltas.read()
    with_deltas.shop.write_config(catalogue={**catalogue, "default_role": "studio"})
    second = with_deltas.read()
    assert (second["counts"]["in"], second["counts"]["items"], second["counts"]["changed"]) == (0, 3, 0)
    assert with_deltas.read()["outputs"]["number"] == second["outputs"]["number"]


def test_deletes_of_deltas_count_for_the_gate_too(with_deltas: Days) -> None:
    with_deltas.read(*rows(6))
    with_deltas.delta("1.csv", *[row(n, "2026-11-20T08:00:00Z", gone="yes") for n in range(4)])
    with pytest.raises(GateError, match=r"the deltas remove 4 of 6 items \(66\.7%\), over catalogue\.max_removed"):
        with_deltas.read()
    assert len(with_deltas.ids().split()) == 6
    with_deltas.read(accept="summer is over")
    assert with_deltas.ids() == "a4 a5"
    assert with_deltas.shop.head()[1]["positions"]["deltas"] == "1.csv"


def test_deltas_in_dated_folders_are_each_read_once(with_deltas: Days) -> None:
    with_deltas.shop.write_config(
        catalogue={"snapshot": None, "deltas": "deltas/*/products.csv", "columns": COLUMNS, "max_rejected_share": 0.5}
    )
    for n, day in enumerate((9, 10, 26)):
        with_deltas.delta(f"2026-11-{day}/products.csv", row(n))
        manifest = with_deltas.read()
        assert manifest["outputs"]["positions"] == {"deltas": f"2026-11-{day}/products.csv"}
        assert len(with_deltas.ids().split()) == n + 1
    with_deltas.delta("2026-11-27/products.csv", row(9, eur="x"))
    with_deltas.read()
    assert [one["source"] for one in with_deltas.shop.table("rejects")] == ["2026-11-27/products.csv:2"]


@pytest.mark.parametrize("quiet", [True, False])
def test_a_file_of_deltas_that_is_passed_over_is_named_on_stderr_and_in_the_manifest(
    with_deltas: Days, quiet: bool
) -> None:
    with_deltas.read(*rows(6))
    for n in (3, 10):
        with_deltas.delta(f"delta-{n}.csv", row(n))
    with_deltas.read()
    with_deltas.delta("delta-4.csv", row(4, "2026-11-20T08:00:00Z", name="late"))
    with_deltas.delta("delta-10.csv", row(10), row(11))
    said = [
        "the file of deltas 'delta-4.csv' was never read, for it comes before 'delta-10.csv', the last one read: to",
        "the file of deltas 'delta-10.csv' has changed since it was read: to have it read, give it a name",
    ]
    for run_id in ("unchanged", "again"):
        result = with_deltas.shop.cli("catalogue", "--run-id", run_id, *(["--quiet"] if quiet else []))
        assert result.exit_code == 0, result.output
        for text in said:
            assert result.stderr.count(f"warning: catalogue: {text}") == 1
    notes = with_deltas.shop.run("again", "catalogue")["catalogue"]["notes"]
    assert [sum(text in note for note in notes) for text in said] == [1, 1]
    (with_deltas.shop.root / "deltas" / "delta-4.csv").rename(with_deltas.shop.root / "deltas" / "delta-10b.csv")
    assert not any("delta-4" in note for note in with_deltas.read()["notes"])
    assert "late" in {one["title"] for one in with_deltas.shop.table("items")}

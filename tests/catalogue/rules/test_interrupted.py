"""A run that was killed, and one that another run has begun."""

import pytest

from tests.catalogue.rules.days import Days, rows


def test_a_killed_run_decides_the_same_dates_when_it_goes_on(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.catalogue.stage.extend_taxonomy", None)
        with pytest.raises(TypeError):
            days.read(*rows(6))
    began = days.shop.store.read_json("runs/r1/catalogue/began.json")["at"]
    days.shop.run("r1", "catalogue")
    assert days.shop.store.read_json("runs/r1/catalogue/began.json")["at"] == began
    assert len(list((days.shop.root / "store" / "catalogue").iterdir())) == 2  # the log, and one catalogue


def test_what_another_run_has_begun_to_build_is_left_alone(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.catalogue.stage.extend_taxonomy", None)
        with pytest.raises(TypeError):
            days.read(*rows(6))
    [began] = [path.name for path in (days.shop.root / "store" / "catalogue").iterdir()]
    days.read()
    assert days.shop.head()[1]["catalogue_id"] != began
    assert len(days.ids().split()) == 6

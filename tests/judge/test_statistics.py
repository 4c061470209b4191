"""What answers come to, beside published examples and values worked out by hand."""

import math

import numpy as np
import pytest

from pipelines.judge.agreement import alpha
from pipelines.judge.confidence import Bounds, bounds, log_capital, more_needed, needed
from pipelines.judge.dawid_skene import Told, told_by
from pipelines.judge.grades import PRIOR
from pipelines.judge.precision import mean_of, precisions, preferences
from pipelines.judge.scores import Given, gains_in_turns, turns
from tests.judge.conftest import pair

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", example C: four observers of twelve units.
OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
# Dawid and Skene 1979, table 1: 45 patients, five anaesthetists, of whom the first looked three times.
PATIENTS = """
111 1 1 1 1|333 4 3 3 4|112 2 1 2 2|222 3 1 2 1|222 3 2 2 2|222 3 3 2 2|122 2 1 1 1|333 3 4 3 3|222 2 2 2 3|232 2 2 2 3
444 4 4 4 4|222 3 3 4 3|111 1 1 1 1|222 3 2 1 2|121 1 1 1 1|111 2 1 1 1|111 1 1 1 1|111 1 1 1 1|222 2 2 2 1|222 1 3 2 2
222 2 2 2 2|222 2 2 2 1|222 3 2 2 2|221 2 2 2 2|111 1 1 1 1|111 1 1 1 1|232 2 2 2 2|111 1 1 1 1|111 1 1 1 1|112 1 1 2 1
111 1 1 1 1|333 3 2 3 3|111 1 1 1 1|222 2 2 2 2|222 3 2 3 2|433 4 3 4 3|221 2 2 3 2|232 3 2 3 3|333 3 4 3 2|111 1 1 1 1
111 1 1 1 1|121 2 1 1 1|232 2 2 2 2|121 1 1 1 1|222 2 2 2 2
"""


def anaesthetists() -> Told:
    rows = PATIENTS.strip().replace("\n", "|").split("|")
    told = [
        (patient, who, int(grade) - 1)
        for patient, row in enumerate(rows)
        for who, grades in enumerate(row.split())
        for grade in grades
    ]
    items, raters, answers = (np.array(column, np.int64) for column in zip(*told, strict=True))
    return told_by(items, raters, answers, 4, np.full(len(rows), -1), 5)


def test_the_example_of_dawid_and_skene_comes_out_as_they_published_it() -> None:
    told = anaesthetists()
    assert told.shares.round(2).tolist() == [0.40, 0.42, 0.11, 0.07]
    first = [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]]
    assert told.confusion[0].round(2).tolist() == first
    assert np.allclose(told.grades.sum(axis=1), 1)


def test_the_example_of_krippendorff_comes_out_as_he_published_it() -> None:
    found = [(unit, int(value) - 1) for observer in OBSERVERS for unit, value in enumerate(observer) if value != "."]
    items, answers = (np.array(column, np.int64) for column in zip(*found, strict=True))
    assert alpha(items, answers, 5) == pytest.approx(0.815, abs=0.0005)


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        ([[0, 0], [1, 1], [2, 2]], 1.0),
        ([[0, 1], [1, 0]], -0.5),  # 4 of 4 pairs differ, by chance 2 * 2 * 2 / 3 of them: 1 - 4 / (8 / 3)
        ([[0], [1]], None),
        ([[1, 1], [1, 1]], None),
    ],
    ids=["all agree", "none agrees", "one answer each", "one grade"],
)
def test_agreement_is_told_beyond_chance(answers: list[list[int]], wanted: float | None) -> None:
    items = np.array([n for n, own in enumerate(answers) for _ in own], np.int64)
    found = alpha(items, np.array([grade for own in answers for grade in own], np.int64), 3)
    assert found == (None if wanted is None else pytest.approx(wanted))


def test_who_answers_at_random_or_the_wrong_way_round_counts_for_little() -> None:
    """Three careful raters, one of coins and one who turns grades round; the right grades come out all the same."""
    rng = np.random.default_rng(3)
    true = rng.integers(0, 3, 400)
    careful = [np.where(rng.random(400) < 0.85, true, rng.integers(0, 3, 400)) for _ in range(3)]
    given = np.concatenate([*careful, rng.integers(0, 3, 400), 2 - true])
    items, raters = np.tile(np.arange(400), 5), np.repeat(np.arange(5), 400)
    known = np.where(np.arange(400) < 20, true, -1)
    told = told_by(items, raters, given, 3, known, 5, PRIOR)
    quality = [float(np.diag(confusion).mean()) for confusion in told.confusion]
    assert min(quality[:3]) > 0.8
    assert 0.25 < quality[3] < 0.42
    assert quality[4] < 0.4
    assert (told.grades.argmax(axis=1) == true).mean() > 0.97


def test_what_is_known_stays() -> None:
    told = told_by(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0, 0, 1]), 3, np.array([2, -1]), 2, PRIOR)
    assert told.grades[0].tolist() == [0, 0, 1]


def test_a_list_is_worth_its_gains() -> None:
    queries = [
        [pair("p0", 0, 0, 3), pair("p1", 0, 1, None), pair("p2", 0, None, 0)],
        [pair("p3", 1, 0, None), pair("p4", 1, None, 0)],
    ]
    gains = {"p0": 1.0, "p1": 0.5, "p2": 0.0, "p3": 0.0, "p4": 1.0}
    found = precisions(queries, gains)
    assert found.tolist() == [pytest.approx([0.15, 0.1]), pytest.approx([0.0, 0.1])]
    assert vars(preferences(found)) == {"first": 1, "second": 1, "alike": 0}


def test_bounds_of_a_mean_are_those_of_its_queries() -> None:
    values = np.tile([0.2, 0.8], 200)
    mean = mean_of(values, 0.95)
    assert mean is not None
    half = 1.96 * 0.3 / math.sqrt(400)
    assert (mean.lower, mean.value, mean.upper) == pytest.approx((0.5 - half, 0.5, 0.5 + half), abs=0.004)
    assert mean_of(np.zeros(0), 0.95) is None


def test_capital_is_what_a_bet_comes_to() -> None:
    """Stakes are the margin over the variance supposed before: .03 / .04 = .75 on the first value."""
    grown = log_capital(np.array([0.2, -0.1]), 0.0, 0.03)
    assert grown[0] == pytest.approx(math.log(1 + 0.75 * 0.2))
    second = 0.03 / ((0.04 * 10 + 0.2**2) / 11)
    assert grown[1] - grown[0] == pytest.approx(math.log(1 - second * 0.1))


def test_a_stake_depends_on_no_later_value() -> None:
    values = np.random.default_rng(0).uniform(-1, 1, 50)
    changed = np.concatenate([values[:30], -values[30:]])
    assert log_capital(values, 0.1, 0.03)[:30].tolist() == log_capital(changed, 0.1, 0.03)[:30].tolist()


def test_bounds_are_where_bets_were_won() -> None:
    values = np.random.default_rng(1).normal(0.1, 0.2, 400).clip(-1, 1)
    found = bounds(values, 0.03, 0.95)
    assert found.lower < found.mean < found.upper
    for mean in (found.lower - 0.001, found.lower + 0.001):
        assert (log_capital(values, mean, 0.03).max() >= needed(0.95)) == (mean < found.lower)
    mirrored = bounds(-values, 0.03, 0.95)
    assert (mirrored.lower, mirrored.upper) == pytest.approx((-found.upper, -found.lower))


def test_bounds_only_narrow_and_begin_with_nothing_known() -> None:
    values = np.random.default_rng(2).normal(0.0, 0.2, 300).clip(-1, 1)
    assert bounds(values[:0], 0.03, 0.95) == Bounds(0.0, -1.0, 1.0)
    looks = [bounds(values[:count], 0.03, 0.95) for count in range(0, 301, 50)]
    assert [look.lower for look in looks] == sorted(look.lower for look in looks)
    assert [look.upper for look in looks] == sorted((look.upper for look in looks), reverse=True)


@pytest.mark.parametrize("mean", [0.0, 0.4, -0.8])
def test_bounds_leave_out_the_true_mean_seldom_at_all_looks_together(mean: float) -> None:
    """Values of -1 and 1, the widest that there are; 2,000 sequences of 400, each looked at after every value."""
    rng = np.random.default_rng(5)
    values = np.where(rng.random((2_000, 400)) < (1 + mean) / 2, 1.0, -1.0)
    left_out = (log_capital(values, mean, 0.03).max(axis=1) >= needed(0.95)) | (
        log_capital(-values, -mean, 0.03).max(axis=1) >= needed(0.95)
    )
    assert left_out.mean() < 0.05


def test_how_many_more_are_needed_is_about_right() -> None:
    rng = np.random.default_rng(7)
    values = rng.normal(0.06, 0.2, 4_000).clip(-1, 1)
    decides = next(n for n in range(1, 4_000) if bounds(values[:n], 0.03, 0.95).lower > 0)
    more = more_needed(values[: decides // 2], 0.03, 0.95)
    assert more is not None
    assert decides / 5 < more < 3 * decides
    assert more_needed(values[:decides], 0.03, 0.95) == 0
    assert more_needed(values[:0], 0.03, 0.95) is None


def test_what_cannot_be_a_preference_is_told() -> None:
    with pytest.raises(ValueError, match=r"-1\.5 is not between -1 and 1"):
        bounds(np.array([0.5, -1.5]), 0.03, 0.95)


def test_gains_are_right_on_average_whoever_answers() -> None:
    """Of two kinds of items, a third and two thirds alike, each answered by one careful and one careless rater."""
    rng = np.random.default_rng(11)
    true = np.concatenate([rng.binomial(2, share, 4_000) for share in (1 / 3, 2 / 3)])  # 0 is the worst grade here
    careful = np.where(rng.random(8_000) < 0.8, true, rng.integers(0, 3, 8_000))
    items, raters = np.tile(np.arange(8_000), 2), np.repeat([0, 1], 8_000)
    answers = np.concatenate([careful, rng.integers(0, 3, 8_000)])
    known = np.where(np.arange(8_000) % 10 == 0, true, -1)
    given = Given(items, raters, answers, known, np.arange(8_000) // 80)
    gains = np.nansum([found for _, found in gains_in_turns(given, 2, np.array([0.0, 0.5, 1.0]), PRIOR)], axis=0)
    told = given.told(2, PRIOR)
    assert gains[:4_000].mean() == pytest.approx(1 / 3, abs=0.02)
    assert gains[4_000:].mean() == pytest.approx(2 / 3, abs=0.02)
    posterior = told.grades @ [0.0, 0.5, 1.0]
    assert posterior[4_000:].mean() - posterior[:4_000].mean() < 0.9 * (gains[4_000:].mean() - gains[:4_000].mean())


def test_turns_do_not_depend_on_how_many_queries_there_are() -> None:
    assert list(turns(0)) == []
    assert list(turns(30)) == [(0, 30)]
    assert list(turns(80)) == [(0, 50), (50, 60), (60, 72), (72, 80)]
    assert list(turns(1_000))[:3] == list(turns(80))[:3]


def test_no_later_answer_changes_what_an_earlier_look_saw() -> None:
    rng = np.random.default_rng(13)
    items, raters = np.repeat(np.arange(500), 3), np.tile(np.arange(3), 500)
    whole = Given(items, raters, rng.integers(0, 3, 1_500), np.full(500, -1), np.arange(500) // 5)
    worth = np.array([0.0, 0.5, 1.0])
    early = whole.where(whole.places[items] < 60)
    early = Given(early.items, early.raters, early.answers, whole.known[:300], whole.places[:300])
    seen, later = (list(gains_in_turns(given, 3, worth, PRIOR))[:2] for given in (early, whole))
    assert [stop for stop, _ in seen] == [stop for stop, _ in later] == [50, 60]
    for (_, before), (_, after) in zip(seen, later, strict=True):
        assert np.array_equal(before, after[:300], equal_nan=True)

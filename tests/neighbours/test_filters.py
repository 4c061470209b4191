"""What a searcher asks for beside a picture: the results are those of a search among what fits, whatever the plan."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines.models.outputs import QueryOutputs
from pipelines.neighbours.folder import build_index
from pipelines.neighbours.query import plan as plans
from pipelines.neighbours.query.filters import Filter, UnknownFilterError
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.rows import UnknownItemError
from pipelines.neighbours.settings import IndexConfig, PlanConfig

COUNT = 6_000
COLOURS = ("blue", "red", "white")
EXACT = PlanConfig(kind="exact")


@pytest.fixture(scope="module")
def folder(medium, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six thousand items: a price but for every seventh, in two currencies; every fifth sold out; three colours."""
    number = range(COUNT)
    items = medium.items(
        title=[f"Item {i}" for i in number],
        price=pa.array([None if i % 7 == 0 else float(i % 100) for i in number], pa.float64()),
        currency=pa.array([None if i % 7 == 0 else "CHF" if i % 3 == 0 else "EUR" for i in number], pa.string()),
        availability=pa.array([None, "out_of_stock", "in_stock", "preorder", "in_stock"] * (COUNT // 5), pa.string()),
        attributes=pa.array(
            [[("colour", COLOURS[i % 3])] if i % 4 else [] for i in number], pa.map_(pa.string(), pa.string())
        ),
    )
    path = tmp_path_factory.mktemp("index") / "index"
    build_index(path, medium.data(items=items), IndexConfig(kinds=("ivf_pca", "binary"), attributes=("colour",)))
    return path


@pytest.fixture
def searcher(folder: Path) -> Searcher:
    return Searcher.open(folder)


@pytest.fixture(scope="module")
def asked(medium) -> QueryOutputs:
    vectors = medium.queries(40)
    return QueryOutputs(vectors, medium.hash(vectors))


def fits(wanted: Filter, medium) -> np.ndarray:
    """Which items a filter leaves, told by how they were made."""
    i = np.arange(COUNT)
    price = np.where(i % 7 == 0, np.nan, (i % 100).astype(float))
    good = np.ones(COUNT, bool)
    if wanted.category:
        good &= np.array([("all", f"c{slot}")[: len(wanted.category)] == wanted.category for slot in medium.slots])
    if "colour" in wanted.attributes:
        good &= np.array([bool(n % 4) and COLOURS[n % 3] in wanted.attributes["colour"] for n in i])
    if wanted.price_from is not None:
        good &= price >= wanted.price_from
    if wanted.price_to is not None:
        good &= price <= wanted.price_to
    if wanted.currency:
        good &= (i % 7 != 0) & ((i % 3 == 0) == (wanted.currency == "CHF"))
    if wanted.in_stock:
        good &= i % 5 != 1
    return good


FILTERS = {
    "category": Filter(category=("all", "c3")),
    "branch": Filter(category=("all",)),
    "colour": Filter(attributes={"colour": frozenset(["red"])}),
    "two colours": Filter(attributes={"colour": frozenset(["red", "blue"])}),
    "price": Filter(price_from=10, price_to=12.5),
    "free": Filter(price_to=0),
    "currency": Filter(currency="CHF"),
    "in stock": Filter(in_stock=True),
    "all": Filter(("all", "c3"), {"colour": frozenset(["red"])}, 5, 90, "EUR", in_stock=True),
}


@pytest.mark.parametrize("few", [0, 20_000], ids=["through the index", "exactly"])
@pytest.mark.parametrize("kind", ["exact", "ivf_pca", "binary"])
@pytest.mark.parametrize("name", FILTERS)
def test_results_fit_and_are_the_nearest_that_do(
    searcher: Searcher, asked: QueryOutputs, medium, name: str, kind: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "FEW_ROWS", few)
    wanted, k = FILTERS[name], 10
    good = fits(wanted, medium)
    found = searcher.search(asked, k, PlanConfig(kind=kind), [wanted] * len(asked))
    numbers = [[int(hit.item_id[1:]) for hit in hits] for hits in found]
    assert all(good[of_query].all() for of_query in numbers)
    assert {len(of_query) for of_query in numbers} == {min(k, int(good.sum()))}
    scores = np.where(good, asked.embeddings @ medium.vectors.T, -2)
    most = min(k, int(good.sum()))
    best = np.argsort(-scores, axis=1)[:, :most]
    recall = np.mean([len({*own} & {*of_query}) / most for own, of_query in zip(best, numbers, strict=True)])
    assert recall >= (0.99 if few or kind == "exact" else 0.8)


def test_each_query_has_a_filter_of_its_own_or_none(searcher: Searcher, asked: QueryOutputs) -> None:
    two = asked.take(np.array([0, 0]))
    plain, filtered = searcher.search(two, 5, EXACT, [None, Filter(category=("all", "c3"))])
    assert plain == searcher.search(two, 5, EXACT)[0]
    assert {hit.category for hit in filtered} == {("all", "c3")}
    assert plain != filtered


def test_what_nothing_fits_is_an_empty_answer(searcher: Searcher, asked: QueryOutputs) -> None:
    assert searcher.search(asked.take(np.array([0])), 5, EXACT, [Filter(price_from=1e6)]) == [[]]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Filter(category=("all", "c99")), "the index has no category 'all > c99'"),
        (Filter(category=("c3",)), "the index has no category 'c3'"),
        (Filter(attributes={"colour": frozenset(["mauve"])}), "no item has colour = 'mauve'.*blue, red, white"),
        (Filter(attributes={"brand": frozenset(["x"])}), "keeps no attribute 'brand', but colour"),
        (Filter(currency="USD"), "no item has a price in .USD.; currencies: CHF, EUR"),
    ],
)
def test_what_the_index_does_not_know_is_told(
    searcher: Searcher, asked: QueryOutputs, wanted: Filter, words: str
) -> None:
    with pytest.raises(UnknownFilterError, match=words):
        searcher.search(asked, 5, EXACT, [wanted] * len(asked))


def test_similar_items_are_filtered_too(searcher: Searcher) -> None:
    [hits] = searcher.search_items(["i00004"], 8, EXACT, wanted=Filter(price_to=20, in_stock=True))
    assert len(hits) == 8
    assert all(hit.price is not None and hit.price <= 20 and hit.availability != "out_of_stock" for hit in hits)


def test_results_show_what_the_shop_says(searcher: Searcher) -> None:
    (hit,) = searcher.item("i00015")
    assert (hit.title, hit.price, hit.currency, hit.availability) == ("Item 15", 15.0, "CHF", "")
    (hit,) = searcher.item("i00007")
    assert (hit.title, hit.price, hit.currency, hit.availability) == ("Item 7", None, "", "in_stock")


def test_hidden_items_are_found_no_more_and_come_back(searcher: Searcher, asked: QueryOutputs) -> None:
    one, wanted = asked.take(np.array([0])), Filter(category=("all",))
    before = searcher.search(one, 5, EXACT)
    gone = [hit.item_id for hit in before[0][:2]]
    searcher.hide([*gone, "nobody has this"])
    for filters in ([], [wanted]):
        after = searcher.search(one, 5, EXACT, filters)
        assert after[0][:3] == before[0][2:]
        assert not {hit.item_id for hit in after[0]} & {*gone}
    with pytest.raises(UnknownItemError, match="may not be shown"):
        searcher.item(gone[0])
    searcher.hide([])
    assert searcher.search(one, 5, EXACT) == before


def test_what_there_is_to_filter_by(searcher: Searcher, medium) -> None:
    found = searcher.facets
    assert found.items == COUNT
    assert found.currencies == ("CHF", "EUR")
    assert found.categories[("all",)] == COUNT
    assert found.categories[("all", "c3")] == int((medium.slots == 3).sum())
    assert next(iter(found.categories)) == ("all",)
    assert sum(found.attributes["colour"].values()) == COUNT - COUNT // 4
    assert list(found.attributes["colour"].values()) == sorted(found.attributes["colour"].values(), reverse=True)
    searcher.hide(["i00001"])
    assert searcher.facets.items == searcher.facets.categories[("all",)] == COUNT - 1
    for path, items in found.categories.items():
        assert int(fits(Filter(category=path), medium).sum()) == items

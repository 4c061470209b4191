"""The page of a release for which nothing was measured anew."""

from jinja2 import Environment, PackageLoader

from pipelines.evaluate.report.carried import PLACE, carried

MANIFEST = {"run_id": "<run>", "measured_for": "r1", "measured_at": "2026-11-20T07:42:20+00:00"}
PAGE = "<title>Release r1</title><h1>How good?</h1><!-- carried --><!-- /carried --><p>Release r1</p>"


def test_a_page_that_is_carried_says_whose_it_is_and_whose_numbers_it_tells() -> None:
    page = carried(PAGE, MANIFEST | {"release_id": "r2"})
    assert page.startswith("<title>Release r2, measured as r1</title><h1>How good?</h1>")
    assert "This is release <code>r2</code> of run <code>&lt;run&gt;</code>." in page
    assert "measured for release <code>r1</code>, 2026-11-20 07:42 UTC" in page
    assert page.endswith("<p>Release r1</p>")


def test_a_page_that_is_carried_on_tells_only_of_the_last() -> None:
    third = MANIFEST | {"release_id": "r3"}
    assert carried(carried(PAGE, MANIFEST | {"release_id": "r2"}), third) == carried(PAGE, third)


def test_the_template_has_the_place() -> None:
    loader = PackageLoader("pipelines.evaluate.report")
    source, _, _ = loader.get_source(Environment(autoescape=True), "report.html")
    assert len(PLACE.findall(source)) == 1

"""Lists that programs write as texts into cells."""

import time

import pytest

from pipelines.catalogue.lists import list_of
from tests.catalogue.mapped import mapped


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{a.jpg,b.jpg}", ["a.jpg", "b.jpg"]), ('{"a, b.jpg",c d.jpg}', ["a, b.jpg", "c d.jpg"]),
        (r'{"12\" pan.jpg","a\\b"}', ['12" pan.jpg', r"a\b"]), ("{ a , b }", ["a", "b"]), ("{a}", ["a"]), ("{}", []),
        ("{a,NULL,null}", ["a", None, None]), ('{"NULL",""}', ["NULL", ""]),
        ("{p/a-1.jpg,it's.jpg}", ["p/a-1.jpg", "it's.jpg"]),
    ],
)  # fmt: skip
def test_arrays_of_postgres(text: str, found: list[str | None]) -> None:
    assert list_of(text) == found


@pytest.mark.parametrize(
    "text", ['{"src": "a.jpg"}', "{a,b", "{guid}.jpg", "{{a,b},{c,d}}", "{a,,b}", '{a"b}', "[a.jpg]", "[1, 2]", "a,b"]
)
def test_other_texts_stay_what_they_are(text: str) -> None:
    assert list_of(text) == text


@pytest.mark.parametrize(
    "text", ["{" + 30_000 * "a ,", "{a" + 30_000 * " " + '"}', '{"' + 30_000 * "\\", "{" + 30_000 * '"a" ,' + "{}}"]
)
def test_a_long_text_that_is_no_array_is_told_at_once(text: str) -> None:
    begin = time.monotonic()
    assert list_of(text) == text
    assert time.monotonic() - begin < 1


def test_photos_and_levels_may_be_an_array_of_postgres() -> None:
    item = mapped({"image": ' {a.jpg,NULL,"b, c.jpg"} ', "path": "{Women,Dresses}"})
    assert [photo.image_uri for photo in item.photos] == ["a.jpg", "b, c.jpg"]
    assert item.category == ("Women", "Dresses")

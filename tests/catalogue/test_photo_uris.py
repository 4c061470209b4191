"""What a photo cell names, whatever an exporter has left around it or written into it."""

import pytest

from pipelines.catalogue.notes import hints_of
from pipelines.catalogue.photo_uris import ESCAPED, TEMPLATE, place_in
from pipelines.catalogue.summary import Summary
from tests.catalogue.mapped import mapped, remarks

PLAIN = "https://cdn.example.com/a.jpg?w=800&h=800&v=3"


def uri_of(cell: str, **more: object) -> str:
    [photo] = mapped({"image": cell}, **more).photos
    return photo.image_uri


@pytest.mark.parametrize("escaped", ["&amp;", "&amp;amp;", "&#38;", "&#038;", "&#x26;", "&AMP;"])
def test_an_ampersand_of_an_address_is_never_escaped(escaped: str) -> None:
    cell = PLAIN.replace("&", escaped)
    assert uri_of(cell) == PLAIN
    assert remarks({"image": cell}) == {ESCAPED: 1}


@pytest.mark.parametrize(
    ("cell", "uri"),
    [
        ("//cdn.example.com/a?w=1&amp;h=2", "//cdn.example.com/a?w=1&h=2"),
        ("https://cdn.example.com/l&#039;amie&quot;.jpg", "https://cdn.example.com/l'amie\".jpg"),
        ("https://cdn.example.com/a?amp=1&ampere=2&h=3&copy=4", "https://cdn.example.com/a?amp=1&ampere=2&h=3&copy=4"),
        ("Bett &amp; Bad/a.jpg", "Bett &amp; Bad/a.jpg"),  # a file may be called so
    ],
)
def test_entities_are_those_of_addresses_and_end_with_a_semicolon(cell: str, uri: str) -> None:
    assert uri_of(cell) == uri


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("https://c.example/{width}x{height}/a.jpg", "{width}"),
        ("https://c.example/a.jpg?w=%7Bw%7D", "%7Bw%7D"),
        ("https://c.example/a_{{SIZE}}.jpg", "{{SIZE}}"),
        ("https://c.example/-/media/{3F2504E0-4F89-11D3}.jpg", ""),
        ("photos/{front}.jpg", ""),  # a file may be called so
    ],
)
def test_places_to_fill_in_are_told(cell: str, place: str) -> None:
    assert uri_of(cell) == cell
    assert remarks({"image": cell}) == ({TEMPLATE: 1} if place else {})
    if place:
        assert place_in(cell) == place


def test_a_path_below_an_address_is_one_too() -> None:
    assert uri_of("a.jpg?w=1&amp;h=2", photo_root="https://cdn.example.com") == "a.jpg?w=1&h=2"


def test_addresses_that_a_separator_parts_are_whole() -> None:
    cell = "https://c.example/a.jpg?w=1&amp;h=2;https://c.example/b.jpg?w=1&amp;h=2"
    photos = mapped({"image": cell}, columns={"photo_separator": ";"}).photos
    assert [photo.image_uri for photo in photos] == [f"https://c.example/{name}.jpg?w=1&h=2" for name in "ab"]


@pytest.mark.parametrize("quoted", ['"{}"', "'{}'", '""{}""', "“{}”", "<{}>", '" {} "'])
def test_quotes_around_a_photo_are_no_part_of_it(quoted: str) -> None:
    assert uri_of(quoted.format(PLAIN)) == PLAIN
    assert uri_of(quoted.format("a b.jpg")) == "a b.jpg"


def test_what_was_escaped_is_counted_with_an_example() -> None:
    summary = Summary()
    summary.remarks[ESCAPED], summary.remarked[ESCAPED] = 7, "'https://c/a?w=1&amp;h=2'"
    [note] = hints_of(summary)
    assert "read as what they mean: 7, as 'https://c/a?w=1&amp;h=2'; let the export" in note

"""Code pages that are told from the letters of titles, as shops in many languages write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.survey.code_pages import better_page, code_page

LINES = Path(__file__).with_name("titles.txt").read_text("utf-8").splitlines()
"""Of each language, its name, the pages in which it is written, and titles."""
TITLES = {
    (named.split()[0], page): titles.split("|")
    for named, titles in (line.split(": ", 1) for line in LINES)
    for page in named.split()[1:]
}
OLD = {"cp850", "cp437", "mac-roman"}


def feed(titles: list[str], page: str, rows: int = 40) -> list[bytes]:
    """The rows of a feed, without the letters that the page lacks."""
    return [
        f"SKU{n:04d};{titles[n % len(titles)]};{n},90;https://cdn.example/p/{n}.jpg".encode(page, "ignore")
        for n in range(rows)
    ]


def read(lines: list[bytes], page: str) -> list[str]:
    return [line.decode(page) for line in lines]


@pytest.mark.parametrize("rows", [3, 40])
@pytest.mark.parametrize("written", TITLES, ids="-".join)
def test_letters_tell_the_page(written: tuple[str, str], rows: int) -> None:
    lines = feed(TITLES[written], written[1], rows)
    assert read(lines, code_page(lines)) == read(lines, written[1])


@pytest.mark.parametrize("written", TITLES, ids="-".join)
def test_capitals_do_too(written: tuple[str, str]) -> None:
    lines = feed([title.upper() for title in TITLES[written]], written[1])
    found = code_page(lines)
    assert read(lines, found) == read(lines, written[1]) or (
        written[0] == "de" and {found, written[1].replace("_", "-")} <= OLD
    )


@pytest.mark.parametrize("title", ["Zoë dress, Moët glass", "Café chair", "Jalapeño sauce", "Kids\u2019 hat", "Größe"])
def test_a_few_words_with_accents_are_of_a_shop_in_the_west(title: str) -> None:
    assert code_page([b"SKU;Plain shirt;9.90"] * 10 + [title.encode("cp1252")]) == "cp1252"


@pytest.mark.parametrize(
    ("language", "page", "chosen"),
    [("tr", "cp1254", "cp1252"), ("cs", "cp1250", "cp1252"), ("ru", "cp1251", "koi8_r"), ("zht", "big5", "gb18030")],
)
def test_another_page_than_the_chosen_one_is_told_where_it_makes_words(language: str, page: str, chosen: str) -> None:
    lines = feed(TITLES[language, page], page)
    assert read(lines, better_page(lines, chosen)) == read(lines, page)
    assert not better_page(lines, page)


def test_where_both_say_the_same_none_is_better() -> None:
    assert not better_page(feed(TITLES["de", "cp1252"], "cp1252"), "iso8859-1")

"""What the search command prints and writes."""

import json
import os
import re
from pathlib import Path

import pytest
from rich.console import Console

from pipelines.errors import StageError
from pipelines.search.answers import Answer, Result
from pipelines.search.command import search_and_show
from pipelines.search.output import as_line, print_table, printable
from pipelines.search.page import render_page


def test_json_is_one_object_a_line_and_query(shop, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    missing = tmp_path / "none.jpg"
    failed = search_and_show(shop.config, [shop.photos[1], missing, shop.photos[2].parent], [], 3, as_json=True)
    out = capsys.readouterr()
    lines = [json.loads(line) for line in out.out.splitlines()]
    assert failed is True
    assert len(lines) == 2 + len(list(shop.photos[2].parent.iterdir()))
    assert list(lines[0]) == ["query", "release_id", "results"]
    assert (lines[0]["query"], lines[0]["release_id"]) == (str(shop.photos[1]), "r1")
    assert list(lines[0]["results"][0]) == ["item_id", "score", "category", "image_uri"]
    assert lines[0]["results"][0]["item_id"] == "item01"
    assert lines[0]["results"][0]["category"] == ["shop", "boots"]
    assert lines[1] == {
        "query": str(missing), "release_id": "r1", "results": [], "error": {"code": "missing", "detail": str(missing)},
    }  # fmt: skip
    assert [line["query"] for line in lines[2:]] == [str(path) for path in sorted(shop.photos[2].parent.iterdir())]


def test_a_line_stays_one_line_and_keeps_its_letters() -> None:
    result = Result("sku\n7", 0.123456789, ("Schuhe", "Größe"), "fotos/ä.jpg")
    line = as_line(Answer("q", "r1", (result,)))
    assert "\n" not in line
    assert json.loads(line)["results"] == [
        {"item_id": "sku\n7", "score": 0.123457, "category": ["Schuhe", "Größe"], "image_uri": "fotos/ä.jpg"}
    ]


def test_answers_say_what_is_not_in_stock(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"a": "in_stock", "b": "out_of_stock", "c": ""}
    answer = Answer("q", "r1", tuple(Result(name, 0.5, ("Shoes",), "a.jpg", word) for name, word in said.items()))
    assert [one.get("availability") for one in json.loads(as_line(answer))["results"]] == [
        "in_stock", "out_of_stock", None
    ]  # fmt: skip
    print_table(answer, Console(width=100, highlight=False))
    printed = capsys.readouterr().out
    assert "b (out of stock)" in printed
    assert "in stock)" not in printed
    page = render_page([answer], NoPictures(), "r1")
    assert page.count('class="stock">out of stock<') == page.count('class="stock"') == 1


def test_answers_show_title_and_price_where_the_shop_says_them(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"title": "Boot <b>", "price": 1299.0, "currency": "EUR"}
    answer = Answer("q", "r1", (Result("a", 0.5, ("Shoes",), "a.jpg", **told), Result("b", 0.4, ("Shoes",), "b.jpg")))
    first, second = json.loads(as_line(answer))["results"]
    assert {name: first[name] for name in told} == told
    assert not {*told} & {*second}
    print_table(answer, Console(width=100, highlight=False))
    assert "1,299.00 EUR" in capsys.readouterr().out
    page = render_page([answer], NoPictures(), "r1")
    assert page.count('class="price">1,299.00 EUR<') == page.count('class="price"') == 1
    assert 'class="name" title="Boot &lt;b&gt;">Boot &lt;b&gt;<' in page


def test_a_page_shows_the_last_two_parts_of_a_category_and_says_what_its_numbers_are() -> None:
    paths = (("Home", "Rugs", "Black"), ("Rugs", "Black"), ("Black",), ())
    answer = Answer("q", "r1", tuple(Result(f"i{n}", 0.5, path, "a.jpg") for n, path in enumerate(paths)))
    page = render_page([answer], NoPictures(), "r1")
    assert re.findall(r'class="leaf">([^<]*)<', page) == ["Rugs › Black", "Rugs › Black", "Black", ""]
    assert re.findall(r'class="path">([^<]*)<', page) == ["Home ›"]
    assert page.count(">similarity 0.500<") == len(paths)


def odd_names(shop, folder: Path) -> dict[str, Path]:
    """A photo under a name that is no UTF-8, with a line's end, and with what moves a terminal's cursor; and a text."""
    paths = {
        "latin": folder / os.fsdecode(b"caf\xe9.jpg"),
        "line": folder / "line\nend.jpg",
        "escape": folder / "up\x1b[A.jpg",
        "text": folder / "notes.txt",
        "html": folder / "<b>bold<b>.jfif",
    }
    for name, path in paths.items():
        path.write_bytes(b"some notes" if name == "text" else shop.photos[1].read_bytes())
    return paths


def test_every_name_gets_a_line_of_json_that_reads_back(
    shop, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    paths = odd_names(shop, tmp_path)
    assert search_and_show(shop.config, [tmp_path], [], 1, as_json=True) is False
    lines = capsys.readouterr().out.splitlines()
    found = {line["query"]: line for line in map(json.loads, lines)}
    assert set(found) == set(map(str, paths.values()))
    assert {os.fsencode(path) for path in found} == {os.fsencode(path) for path in paths.values()}
    for name, path in paths.items():
        if name == "text":
            assert found[str(path)]["error"]["code"] == "not_an_image"
        else:
            assert found[str(path)]["results"][0]["item_id"] == "item01"


@pytest.mark.parametrize(
    ("files", "failed"),
    [
        ({"a.jpg": "photo", "notes.txt": "text", "Thumbs.db": "text", "price list": "text"}, False),
        ({"without an ending": "photo", "notes.txt": "text"}, False),
        ({"a.jpg": "photo", "b.JPG": "text"}, True),  # named as a photo, and is none
        ({"notes.txt": "text"}, True),  # nothing was asked
        ({}, True),
    ],
)
def test_below_a_folder_only_what_is_named_as_a_photo_fails(
    shop, capsys: pytest.CaptureFixture[str], tmp_path: Path, files: dict[str, str], failed: bool
) -> None:
    for name, what in files.items():
        (tmp_path / name).write_bytes(shop.photos[1].read_bytes() if what == "photo" else b"some notes")
    assert search_and_show(shop.config, [tmp_path], [], 1, as_json=True) is failed
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    photos = [line["query"] for line in lines if line["results"]]
    assert photos == [str(tmp_path / name) for name in sorted(files) if files[name] == "photo"]
    assert len(lines) == max(1, len(files))  # the rest is named, too


def test_a_file_that_is_named_is_to_be_a_photo_whatever_its_ending(shop, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_bytes(b"some notes")
    assert search_and_show(shop.config, [shop.photos[1], notes], [], 1, as_json=True) is True


def test_every_name_gets_a_table(shop, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    odd_names(shop, tmp_path)
    search_and_show(shop.config, [tmp_path], [], 1)
    out = capsys.readouterr().out
    assert r"caf\xe9.jpg" in out
    assert r"line\nend.jpg" in out
    assert r"up\x1b[A.jpg" in out
    assert "\x1b" not in out
    assert out.count("item01") == 4
    assert "notes.txt: not_an_image" in out


def test_every_name_gets_its_place_on_the_page(shop, tmp_path: Path) -> None:
    page, folder = tmp_path / "page.html", tmp_path / "photos"
    folder.mkdir()
    odd_names(shop, folder)
    assert search_and_show(shop.config, [folder], [], 1, html=str(page)) is False
    text = page.read_text(encoding="utf-8")
    assert text.count('<div class="query">') == 4
    assert "no picture" not in text
    assert r">caf\xe9.jpg<" in text
    assert r">up\x1b[A.jpg<" in text
    assert ">&lt;b&gt;bold&lt;b&gt;.jfif<" in text


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_a_line_is_one_that_the_terminal_can_hold(encoding: str) -> None:
    query = os.fsdecode(b"caf\xe9/") + "größe ›.jpg"
    line = as_line(Answer(query, "r1"), encoding)
    line.encode(encoding)
    assert json.loads(line)["query"] == query


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größe ›.jpg", "größe ›.jpg"),
        (os.fsdecode(b"caf\xe9"), r"caf\xe9"),
        ("a\tb\r\n", r"a\tb\r\n"),
        ("\x1b[2J\x07", r"\x1b[2J\x07"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("\ud800", r"\ud800"),
    ],
)
def test_words_are_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_tables_in_the_terminal(shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert search_and_show(shop.config, [], ["item03", "nope"], 2) is True
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].strip() == "item03"
    assert lines[1].split() == ["#", "item", "score", "category", "photo"]
    assert re.match(r"1  item\d\d +[01]\.\d{4}  shop › \S+", lines[2])
    assert "nope: unknown_item: item 'nope' is not in the index" in out


def test_markup_in_ids_is_printed_as_it_is(shop, capsys: pytest.CaptureFixture[str]) -> None:
    search_and_show(shop.config, [], ["[red]nope[/]"], 2)
    assert "[red]nope[/]: unknown_item" in capsys.readouterr().out


def test_the_page_is_self_contained_and_escaped(shop, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    queries = [shop.photos[0], shop.photos[6], tmp_path / "<b>none</b>.jpg"]
    assert search_and_show(shop.config, queries, [], 12, html=str(page)) is True
    text = page.read_text(encoding="utf-8")
    sources = re.findall(r'(?:src|srcset|href)="([^"]*)"', text)
    assert len(sources) == 2 * (1 + 12)
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "http" not in text
    assert "<script" not in text
    assert "item&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "&lt;hats&gt; &amp; caps" in text
    assert "&lt;b&gt;none&lt;/b&gt;.jpg" in text
    assert "1 could not be asked" in text
    out = capsys.readouterr().out
    assert "missing" in out and "item00" not in out  # a page instead of tables


def test_the_page_of_an_item_shows_its_gallery_photo(shop, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert search_and_show(shop.config, [], ["item04"], 2, html=str(page)) is False
    text = page.read_text(encoding="utf-8")
    assert "no picture" not in text
    assert "1 query and what looks like it" in text


class NoPictures:
    def of_query(self, path: str, prepared: bytes) -> str:
        return ""

    of_photo = of_item = lambda self, *names: ""


def test_pictures_that_are_gone_and_queries_that_did_not_fit() -> None:
    found = Answer("sku", "r1", (Result("a", 0.5, (), "gone.jpg"),))
    text = render_page([found, Answer("lonely", "r1")], NoPictures(), "r1", left_out=7)
    assert text.count("no picture") == 3
    assert "7 more were asked and are not shown" in text
    assert "Nothing was found." in text


def test_a_page_that_cannot_be_written(shop, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"the page .*none/page\.html cannot be written \(No such file or directory\)"):
        search_and_show(shop.config, [], ["item04"], 2, html=str(tmp_path / "none" / "page.html"))


def test_the_page_says_first_what_its_numbers_are_and_which_result_is_the_photo_asked_with() -> None:
    results = tuple(Result(f"i{n}", score, ("Bags",), f"{n}.jpg") for n, score in enumerate((0.99987, 0.8, 0.9)))
    text = render_page([Answer("q.jpg", "r1", results)], NoPictures(), "r1")
    header, _, body = text.partition("</header>")
    assert "The order weighs categories, attributes and signals too" in header
    assert [figure.count("the same photo") for figure in body.split("<figure")[2:]] == [1, 0, 0]

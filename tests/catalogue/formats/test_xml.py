"""XML of feeds: RSS and Atom, whole and damaged."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalogue.formats import elements
from pipelines.catalogue.formats.base import Columns, FeedError, RawRow
from pipelines.catalogue.rows import column_names, read_rows
from pipelines.survey.draft.profile import texts_of

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<rss xmlns:g="http://base.google.com/ns/1.0"><channel><title>S</title>\n'
)
END = "</channel></rss>\n"
READ = Columns("id", frozenset({"image_link"}), frozenset({"id", "title", "image_link"}))


def item(n: int, title: str = "") -> str:
    return f"<item>\n<g:id>{n}</g:id><title>{title or n}</title>\n</item>\n"


def rows_of(folder: Path, content: str | bytes, name: str = "feed.xml") -> list[RawRow]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_rows(path, columns=READ))


def test_rows_are_items_with_the_lines_where_they_begin(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, HEAD + item(1) + item(2) + END)
    assert [(row.number, row.place, row.values) for row in rows] == [
        (1, 3, {"id": ["1"], "title": ["1"]}),
        (2, 6, {"id": ["2"], "title": ["2"]}),
    ]
    assert column_names(tmp_path / "feed.xml") == ["id", "title"]


@pytest.mark.parametrize("name", ["feed.xml", "feed.rss", "feed.atom", "feed.xml.gz"])
def test_atom_entries_without_and_with_prefixes(tmp_path: Path, name: str) -> None:
    for p, declared in (("", ""), ("a:", ":a")):
        text = (
            f'<{p}feed xmlns{declared}="http://www.w3.org/2005/Atom" xmlns:g="x"><{p}title>Shop</{p}title>'
            f"<{p}entry><g:id>1</g:id><{p}title>plain</{p}title><g:title><![CDATA[A & <b>B</b>]]></g:title>"
            f"<g:image_link>a.jpg</g:image_link><g:image_link>b.jpg</g:image_link></{p}entry></{p}feed>"
        ).encode()
        [row] = rows_of(tmp_path, gzip.compress(text) if name.endswith(".gz") else text, name)
        assert row.values["id"] == ["1"]
        assert row.values["image_link"] == ["a.jpg", "b.jpg"]
        assert "A & <b>B</b>" in row.values["title"]


def test_what_google_says_counts_before_what_rss_says(tmp_path: Path) -> None:
    [row] = rows_of(tmp_path, f"{HEAD}<item><title>rss</title><g:title>google</g:title></item>{END}")
    assert row.values["title"] == ["google"]


def test_fields_within_fields_and_attributes(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(
        f'{HEAD}<item><g:shipping><g:price>5 USD</g:price></g:shipping><enclosure url="a.jpg" type="x"/></item>{END}'
    )
    assert {"shipping.price", "enclosure.url"} <= {*column_names(path)}
    [row] = read_rows(path, columns=Columns(read=frozenset({"shipping.price", "enclosure.url"})))
    assert row.values == {"shipping.price": [["5 USD"]], "enclosure.url": ["a.jpg"]}


DAMAGE: list[tuple[str, str, tuple[str, ...]]] = [
    ("A & B", "no name", ("2",)),
    ("A < B", "invalid element name", ("2",)),
    ("A <b> B", "tag mismatch", ("2",)),
    ("A \x0b B", "invalid Char value 11", ("2",)),
    ("<![CDATA[ lost", "CData section not finished", ("2",)),
    ("<!-- lost", "Comment not terminated", ("2",)),
    ("&secret;", "'secret' not defined", ("2",)),
]


@pytest.mark.parametrize("chunk", [7, 1 << 16])
@pytest.mark.parametrize(("title", "why", "may_name"), DAMAGE)
def test_damage_costs_its_own_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, title: str, why: str, may_name: tuple[str, ...], chunk: int
) -> None:
    monkeypatch.setattr(elements, "_CHUNK", chunk)
    rows = rows_of(tmp_path, HEAD + item(1) + item(2, title) + item(3) + END)
    assert [row.code for row in rows] == ["", "bad_row", ""]
    assert rows[1].detail.startswith("lines 6 to 8: ")
    assert why in rows[1].detail
    assert (rows[1].place, rows[1].may_name) == (6, may_name)
    assert (rows[2].place, rows[2].values) == (9, {"id": ["3"], "title": ["3"]})
    assert not any(row.ends_early for row in rows)


@pytest.mark.parametrize("chunk", [7, 1 << 16])
@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("<![CDATA[ </item> & ]]>", "</item> &"),
        ("<!-- <item> -->x", "x"),
        ("a&nbsp;b &amp; &eacute;&#233;&#xe9;", "a\xa0b & ééé"),
        ("<![CDATA[a]]> and <![CDATA[b]]>", "a and b"),
        ("&LT;b&GT; &AMP; \uf77d <!-- no -->c", "<b> & \uf77d c"),
    ],
)
def test_what_looks_like_damage_and_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, title: str, read: str, chunk: int
) -> None:
    monkeypatch.setattr(elements, "_CHUNK", chunk)
    rows = rows_of(tmp_path, HEAD + item(1) + item(2, title) + item(3) + END)
    assert [row.code for row in rows] == ["", "", ""]
    assert rows[1].values["title"][0].strip() == read


def test_a_row_without_an_end_is_told_and_the_next_one_read(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, f"{HEAD}<item><g:id>7</g:id>{item(1)}{END}")
    assert [(row.code, row.may_name, row.values.get("id")) for row in rows] == [
        ("bad_row", ("7",), None), ("", (), ["1"])
    ]  # fmt: skip


@pytest.mark.parametrize(("left", "may_name"), [(item(2)[:-20], ("2",)), (item(2), ()), ("", ()), ("<item", ())])
def test_a_feed_that_was_cut_off_is_read_as_far_as_it_goes_and_told(
    tmp_path: Path, left: str, may_name: tuple[str, ...]
) -> None:
    *rows, last = rows_of(tmp_path, HEAD + item(1) + left)
    assert [row.code for row in rows] == [""] * len(rows)
    assert (last.code, last.ends_early, last.may_name) == ("bad_row", True, may_name)
    assert "the file ends before </rss>" in last.detail


def test_bytes_that_are_no_text_cost_their_row_where_they_are_read(tmp_path: Path) -> None:
    bad = item(2, "caf#").encode().replace(b"#", b"\xe9")
    unread = item(3).encode().replace(b"</item>", b"<description>caf\xe9</description></item>")
    rows = rows_of(tmp_path, HEAD.encode() + item(1).encode() + bad + unread + END.encode())
    assert [(row.code, row.values.get("id")) for row in rows] == [("", ["1"]), ("bad_utf8", ["2"]), ("", ["3"])]
    assert rows[1].detail == "column 'title' is not UTF-8 (byte 0xe9); see catalogue.encoding"


@pytest.mark.parametrize(
    ("declared", "used"), [("ISO-8859-1", "latin-1"), ("ISO-8859-1", "utf-8"), ("UTF-16", "utf-16")]
)
def test_the_encoding_is_the_declared_one_or_what_the_file_is_in(tmp_path: Path, declared: str, used: str) -> None:
    text = (HEAD + item(1, "café") + END).replace("UTF-8", declared)
    [row] = rows_of(tmp_path, text.encode(used))
    assert row.values["title"] == ["café"]


def test_products_and_offers_are_rows_too_and_their_attributes_fields(tmp_path: Path) -> None:
    for tag in ("product", "offer", "PRODUCT", "Item"):
        rows = rows_of(tmp_path, f'<shop>\n<{tag} id="7"><title>A</title></{tag}><{tag} id="8"/>\n</shop>')
        assert [row.values for row in rows] == [{"id": "7", "title": ["A"]}, {"id": "8"}]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("<orders><order/></orders>", "it has no <item>, <entry>, <product> or <offer> in its <orders>, nor several"),
        ("<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", "it is a web page, not a feed, such as an error"),
        ('<?xml version="1.0"?><!DOCTYPE html><html xmlns="x"></html>', "it is a web page, not a feed"),
        ('{"error": "not found"}', "it has no element of XML"),
        ('<?xml version="1.0" encoding="klingon"?><rss/>', "declares the encoding 'klingon', which is none"),
    ],
)
def test_what_is_no_feed_is_refused(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(content)
    with pytest.raises(FeedError, match=f"feed.xml.*{why}"):
        column_names(path)


def test_no_entity_is_expanded_and_no_file_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    bomb = '<!ENTITY a "aaaa">' + "".join(f'<!ENTITY {y} "&{x};&{x};">' for x, y in ("ab", "bc", "cd"))
    outside = f'<!ENTITY x SYSTEM "file://{tmp_path}/secret">'
    [row] = rows_of(tmp_path, f"<!DOCTYPE rss [{bomb}{outside}]><rss><item><id>&d;</id><title>&x;</title></item></rss>")
    assert row.code == "bad_row"
    assert "s3cret" not in repr(row)


def test_a_feed_on_one_line_takes_the_memory_of_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    more = elements.Elements._more

    def watched(self: Any) -> bool:
        held.append(len(self._buffer))
        return more(self)

    monkeypatch.setattr(elements.Elements, "_more", watched)
    monkeypatch.setattr(elements, "_CHUNK", 1 << 10)
    monkeypatch.setattr(elements, "_HEAD", 1 << 10)
    rows = rows_of(tmp_path, (HEAD + "".join(map(item, range(2000))) + END).replace("\n", ""))
    assert [row.values["id"] for row in rows] == [[str(n)] for n in range(2000)]
    assert max(held) < 2 << 10


def test_a_row_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elements, "MAX_CHARACTERS", 1 << 12)
    monkeypatch.setattr(elements, "_CHUNK", 1 << 10)
    with pytest.raises(FeedError, match="what begins in line 3 is longer than 4,096 characters"):
        rows_of(tmp_path, f"{HEAD}<item><g:id>1</g:id>{'x' * (1 << 13)}")


def shaped(before: str, row: str, after: str, count: int = 5) -> str:
    return before + "".join(row.replace("{n}", str(n)) for n in range(count)) + after


@pytest.mark.parametrize(
    ("text", "column"),
    [
        pytest.param(
            shaped(
                "<SHOP>",
                "<SHOPITEM><ITEM_ID>{n}</ITEM_ID><PRODUCT>Mug</PRODUCT><IMGURL>{n}.jpg</IMGURL><PRICE_VAT>9</PRICE_VAT>"
                "<PARAM><PARAM_NAME>a</PARAM_NAME><VAL>b</VAL></PARAM>"
                "<PARAM><PARAM_NAME>c</PARAM_NAME><VAL>d</VAL></PARAM></SHOPITEM>",
                "</SHOP>",
            ),
            "ITEM_ID",
            id="Heureka",
        ),
        pytest.param(
            shaped(
                '<offers version="1">',
                '<o id="{n}" url="/p" price="1.0"><cat><![CDATA[A/B]]></cat><imgs><main url="m.jpg"/></imgs></o>',
                "</offers>",
            ),
            "id",
            id="Ceneo",
        ),
        pytest.param(
            shaped(
                "<КоммерческаяИнформация><Классификатор><Группы><Группа><Ид>1</Ид></Группа></Группы></Классификатор>"
                "<Каталог><Ид>9</Ид><Товары>",
                "<Товар><Ид>{n}</Ид><Наименование>Чашка</Наименование><Картинка>{n}.jpg</Картинка></Товар>",
                "</Товары></Каталог></КоммерческаяИнформация>",
            ),
            "Ид",
            id="CommerceML",
        ),
        pytest.param(
            shaped(
                "<yml_catalog><shop><name>x</name><categories>"
                + "".join(f'<category id="{n}" parentId="1">a</category>' for n in range(40))
                + "</categories><offers>",
                '<offer id="{n}"><url>u</url><price>1</price><param name="a">b</param></offer>',
                "</offers></shop></yml_catalog>",
            ),
            "id",
            id="YML",
        ),
        pytest.param(
            shaped(
                '<rss><channel><link rel="a" href="b" type="c"/><link rel="d" href="b" type="c"/>',
                "<item><id>{n}</id><shipping><a>1</a><b>2</b><c>3</c></shipping><shipping><a>1</a></shipping></item>",
                "</channel></rss>",
            ),
            "id",
            id="RSS",
        ),
        pytest.param(
            shaped("<katalog><!-- <artikel> -->", "<artikel><nr>{n}</nr><bild>b</bild><preis>1</preis></artikel>", ""),
            "nr",
            id="cut off",
        ),
        pytest.param(
            shaped(
                "<feed>",
                "<row><id>{n}</id><a>1</a><variant><a>1</a><b>2</b><c>3</c><d>4</d></variant></row>",
                "</feed>",
            ),
            "id",
            id="rows above what is within them",
        ),
    ],
)
def test_rows_are_told_by_the_shape_of_a_feed(text: str, column: str, tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(text, encoding="utf-8")
    rows = [row for row in read_rows(tmp_path / "feed.xml") if not row.code]
    assert [texts_of(row.values[column]) for row in rows] == [[str(n)] for n in range(5)]


def test_a_feed_of_one_row_has_the_usual_one(tmp_path: Path) -> None:
    within = "<s><a>1</a><b>1</b><c>1</c></s>"
    one = f"<rss><channel><item><id>1</id>{within}{within}</item></channel></rss>"
    assert [row.values["id"] for row in rows_of(tmp_path, one)] == [["1"]]

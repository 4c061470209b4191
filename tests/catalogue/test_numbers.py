"""Numbers and prices as programs, spreadsheets and shops write them."""

from typing import Literal

import pytest

from pipelines.catalogue.numbers import NotANumberError, may_be_thousands, number_of, price_of

Mark = Literal[".", ","]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12), ("-5", -5), ("+5", 5), ("1299.5", 1299.5), (".5", 0.5), ("5.", 5), ("1e3", 1000), ("1.0E+03", 1000),
        ("1.299", 1.299), ("007", 7), ("\N{MINUS SIGN}5", -5), ("１２.５", 12.5),
        ("1,299.00", 1299), ("1,29,999.00", 129_999), ("1,234,567", 1_234_567), ("-1,234,567.5", -1_234_567.5),
        ("1 299", 1299), ("1\N{NO-BREAK SPACE}299.50", 1299.5), ("1\N{NARROW NO-BREAK SPACE}299.50", 1299.5),
        ("1'299.50", 1299.5), ("1\N{RIGHT SINGLE QUOTATION MARK}299.\N{EN DASH}", 1299), ("19.-", 19), ("19.--", 19),
        ("1299/-", 1299), ("1299/=", 1299), ("1,299.50/-", 1299.5), ("\u0661\u0662\u0669\u0669", 1299),
        ("\u0661\u066c\u0662\u0669\u0669\u066b\u0665", 1299.5), ("१२.५", 12.5), ("１２９９", 1299),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mark", [None, "."])
def test_with_a_point_before_decimals(text: str, number: float, mark: Mark | None) -> None:
    assert number_of(text, mark) == number
    assert price_of(text, mark) == (number, "")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12), ("-5", -5), ("10,00", 10), ("0,999", 0.999), (",5", 0.5), ("5,", 5), ("1,5E3", 1500),
        ("1.299,00", 1299), ("1.299", 1299), ("1.299.000", 1_299_000), ("1,299", 1.299), ("12,3456", 12.3456),
        ("1 299,00", 1299), ("1\N{NARROW NO-BREAK SPACE}299,50", 1299.5), ("1'299,50", 1299.5), ("19,-", 19),
        ("19,\N{EM DASH}", 19), ("1.299/-", 1299), ("\u0661\u066c\u0662\u0669\u0669\u066b\u0665", 1299.5),
    ],
)  # fmt: skip
def test_with_a_comma_before_decimals(text: str, number: float) -> None:
    assert number_of(text, ",") == number
    assert price_of(text, ",") == (number, "")


@pytest.mark.parametrize(
    ("text", "mark", "marks"),
    [
        ("10,00", None, (",",)), ("10,00", ".", (",",)), ("1.299,00", None, (",",)), ("19,-", None, (",",)),
        ("0,999", None, (",",)), ("1.299.000", None, (",",)), ("10.00", ",", (".",)), ("1,299.00", ",", (".",)),
        ("1,299", None, (".", ",")),  # a thousand, or one?
    ],
)  # fmt: skip
def test_a_number_of_another_mark_is_none_and_names_it(text: str, mark: Mark | None, marks: tuple[str, ...]) -> None:
    for read in (number_of, price_of):
        with pytest.raises(NotANumberError) as caught:
            read(text, mark)
        assert caught.value.marks == marks


@pytest.mark.parametrize(
    "text",
    [
        "", "-", "--", ".", ",", "inf", "nan", "1_000", "1.2.3", "1 2 3", "1 2", "12,34,56", "0x10", "- 5", "1..2",
        "5 %", "many", "1-2", "10\N{EN DASH}20", "1e", "1,2,", "0 299",
    ],
)  # fmt: skip
@pytest.mark.parametrize("mark", [None, ".", ","])
def test_what_is_no_number(text: str, mark: Mark | None) -> None:
    for read in (number_of, price_of):
        with pytest.raises(NotANumberError) as caught:
            read(text, mark)
        assert caught.value.marks == ()


@pytest.mark.parametrize(
    ("text", "mark", "price"),
    [
        ("0.99 USD", None, (0.99, "USD")), ("USD 0.99", None, (0.99, "USD")), ("$1,299.00", None, (1299, "$")),
        ("$10.00 USD", None, (10, "USD")), ("US$ 1,299.00", None, (1299, "USD")), ("£10.00", None, (10, "GBP")),
        ("₹1,29,999.00", None, (129_999, "INR")), ("Rs. 1,299.00", None, (1299, "Rs")), ("10 kr.", None, (10, "kr")),
        ("CHF 1'299.-", None, (1299, "CHF")), ("1299¥", None, (1299, "¥")), ("￥1299", None, (1299, "¥")),
        ("1200円", None, (1200, "JPY")), ("1,200円", ".", (1200, "JPY")), ("１，２００円", ".", (1200, "JPY")),
        ("12.50 元", None, (12.5, "元")), ("12,000원", ".", (12000, "KRW")), ("199 บาท", None, (199, "THB")),
        ("12.50 د.إ", None, (12.5, "AED")), ("د.إ. 12.50", None, (12.5, "AED")), ("12.50 ﷼", None, (12.5, "ریال")),
        ("\u200f\u0661\u0662\u066b\u0665\u0660 د.إ.\u200f", None, (12.5, "AED")),  # as browsers write it
        ("Rs.1299/-", None, (1299, "Rs")), ("₹ 1,29,999/-", None, (129_999, "INR")),
        ("KES 1299/=", None, (1299, "KES")),
        ("1.299,00 €", ",", (1299, "EUR")), ("1.200.000đ", ",", (1_200_000, "VND")), ("€ 12,50", ",", (12.5, "EUR")),
        ("12,50\N{NO-BREAK SPACE}EUR", ",", (12.5, "EUR")),
        ("R$ 1.299,00", ",", (1299, "BRL")), ("1 299,00 Kč", ",", (1299, "CZK")), ("10,00 zł", ",", (10, "PLN")),
        ("1 299,00 руб.", ",", (1299, "RUB")), ("1.299 €", ",", (1299, "EUR")), ("€-5", ",", (-5, "EUR")),
        ("12 kr", None, (12, "kr")), ("kr. 12", None, (12, "kr")), ("SEK 12", None, (12, "SEK")),
        ("12 usd", None, (12, "USD")), ("$ 12", None, (12, "$")), ("CA$12", None, (12, "CAD")),
        ("12 $US", None, (12, "USD")), ("¥1200", None, (1200, "¥")), ("Rs 12", None, (12, "Rs")),
    ],
)  # fmt: skip
def test_prices_name_their_currency(text: str, mark: Mark | None, price: tuple[float, str]) -> None:
    assert price_of(text, mark) == price
    with pytest.raises(NotANumberError):
        number_of(text, mark)


@pytest.mark.parametrize(
    "text",
    ["from 10", "10 each", "10 €/piece", "$", "USD", "10 USD 20", "ab 10", "10/2", "10/", "5=", "a.b 10", "10 - 20 €"],
)
def test_what_is_no_price(text: str) -> None:
    with pytest.raises(NotANumberError):
        price_of(text, None)


@pytest.mark.parametrize(
    ("text", "may"), [("1.299", True), ("1.299 €", True), ("0.999", False), ("1.2999", False), ("1299.000", False)]
)
def test_what_may_be_thousands(text: str, may: bool) -> None:
    assert may_be_thousands(text) == may


@pytest.mark.parametrize("mark", [None, ".", ","])
@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("49:90", (49.9, "")), ("12:-", (12, "")), ("12:--", (12, "")), ("1 299:-", (1299, "")),
        ("49:90 kr", (49.9, "kr")), ("SEK 12:\N{EN DASH}", (12, "SEK")),
        ("85p", (0.85, "GBP")), ("5 p", (0.05, "GBP")), ("85¢", (0.85, "")),
    ],
)  # fmt: skip
def test_crowns_and_pence(text: str, price: tuple[float, str], mark: Mark | None) -> None:
    assert price_of(text, mark) == price


@pytest.mark.parametrize("text", ["49:9", "49:900", "12:30:00", "24:00/kg", ":90", "1.5p", "85pp", "£85p", "p85"])
def test_what_looks_like_crowns_or_pence_and_is_none(text: str) -> None:
    with pytest.raises(NotANumberError):
        price_of(text, None)


def test_a_number_has_no_colon() -> None:
    with pytest.raises(NotANumberError):
        number_of("12:30", None)

"""When a row was changed, as exporters write it."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from tests.catalogue.mapped import NOON, mapped, reject, section


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", 5.0), (None, 5.0), ("1970-01-02", 86400.0), ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-01 00:00:01.5", 1.5), ("1767225600", 1767225600.0), (1767225600.25, 1767225600.25),
        (datetime(1970, 1, 2, tzinfo=UTC), 86400.0), (datetime(1970, 1, 2), 86400.0), (date(1970, 1, 2), 86400.0),  # noqa: DTZ001
        ("19700102", 86400.0), (1700000000.1234564, 1700000000.123456),
        # as Java, BigQuery, Ruby and mail write them
        (1767225600000, 1767225600.0), ("1767225600500", 1767225600.5), (1767225600000001, 1767225600.000001),
        ("2026-01-01 00:00:00 UTC", 1767225600.0), ("2026-01-01 00:00:00.5 UTC", 1767225600.5),
        ("2026-01-01 01:00:00 +0100", 1767225600.0), ("2026-01-01T00:00:00.000+0000", 1767225600.0),
        ("20260101000000", 1767225600.0), (20260101000000, 1767225600.0), ("202601010000", 1767225600.0),
        ("20260101000000000", 1767225600.0), ("1767225600000000000", 1767225600.0), ("0", 5.0), (0, 5.0),
        ("0000-00-00", 5.0), ("0000-00-00 00:00:00", 5.0),
        # as .NET, SQL Server, Access, Excel and SAP write none
        ("0001-01-01", 5.0), ("0001-01-01T00:00:00Z", 5.0), ("0001-01-01T00:00:00+01:00", 5.0), ("00010101", 5.0),
        (datetime(1, 1, 1, tzinfo=UTC), 5.0), (date(1, 1, 1), 5.0), ("1753-01-01 00:00:00.000", 5.0),
        ("1899-12-30", 5.0), ("1899-12-30T14:05:00", 5.0), ("1899-12-31", 5.0), ("1900-01-01 00:00:00", 5.0),
        ("9999-12-31", 5.0), ("99991231", 5.0), ("9999-12-31T23:59:59.9999999Z", 5.0),
        ("9999-12-31T23:59:59-05:00", 5.0), (datetime(9999, 12, 31, 23, 59, 59), 5.0),  # noqa: DTZ001
        ("Thu, 01 Jan 2026 00:00:00 GMT", 1767225600.0), ("1 Jan 2026 01:00:00 +0100", 1767225600.0),
    ],
)  # fmt: skip
def test_times(value: Any, seconds: float) -> None:
    assert mapped({"at": value}, columns={"updated_at": "at"}).updated_at == seconds


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("31/02/2026", "'31/02/2026' is neither ISO 8601 nor seconds since 1970"),
        ("yesterday", "'yesterday' is neither ISO 8601 nor seconds since 1970"),
        ("46354.41667", "'46354.41667' is neither ISO 8601 nor seconds since 1970"),  # days, of a spreadsheet
        (
            "46354",
            "'46354' is neither ISO 8601 nor seconds since 1970; if it is a spreadsheet's count of days, export dates "
            "as text",
        ),
        ("20261332140500", "'20261332140500' is neither ISO 8601 nor seconds since 1970; catalogue.date_format"),
        ("0001-01-02", "'0001-01-02' lies outside 1970 to 2200"),
        ("1900-01-02", "'1900-01-02' lies outside 1970 to 2200"),
        (datetime(1, 1, 2, tzinfo=UTC), "'0001-01-02 00:00:00+00:00' lies outside 1970 to 2200"),
        ("9" * 400, f"'{'9' * 40}' is neither ISO 8601 nor seconds since 1970"),
        (["2026-01-01", "2026-01-02"], "column 'at' holds a list, not a text"),
    ],
)
def test_times_that_are_none(value: Any, detail: str) -> None:
    code, said = reject({"at": value}, columns={"updated_at": "at"})
    assert code == ("bad_text" if isinstance(value, list) else "bad_date")
    assert said.startswith(detail)


@pytest.mark.parametrize(
    ("form", "text", "seconds"),
    [
        ("%d.%m.%Y", "2.1.1970", 86400.0), ("%d.%m.%Y", "02.01.1970", 86400.0), ("%m/%d/%Y", "01/02/1970", 86400.0),
        ("%m/%d/%Y %I:%M %p", "1/2/1970 1:00 PM", 133_200.0), ("%d.%m.%Y %H:%M", "02.01.1970 13:00", 133_200.0),
        ("%d.%m.%Y %H:%M %z", "02.01.1970 14:00 +0100", 133_200.0), ("%d.%m.%Y", "1970-01-02", 86400.0),
        ("%d.%m.%Y", "31.12.9999", 5.0), ("%m/%d/%Y %I:%M:%S %p", "12/30/1899 12:00:00 AM", 5.0),
        ("%d.%m.%Y", "01.01.0001", 5.0), ("%d.%m.%Y", datetime(1970, 1, 2, tzinfo=UTC), 86400.0),
        ("%d%m%Y", "02011970", 86400.0),
    ],
)  # fmt: skip
def test_the_form_of_dates_is_a_setting(form: str, text: Any, seconds: float) -> None:
    assert mapped({"at": text}, columns={"updated_at": "at"}, date_format=form).updated_at == seconds


def test_a_date_of_another_form_names_the_setting() -> None:
    columns = {"updated_at": "at"}
    said = "'28.11.2026' is neither ISO 8601 nor seconds since 1970"
    assert reject({"at": "28.11.2026"}, columns=columns) == (
        "bad_date", f"{said}; catalogue.date_format can name another form",
    )  # fmt: skip
    assert (
        reject({"at": "28.11.2026"}, columns=columns, date_format="%m/%d/%Y")[1]
        == f"{said}, nor of the form '%m/%d/%Y'"
    )


@pytest.mark.parametrize("form", ["%d.%m.", "DD.MM.YYYY", "%H:%M", "%", "%Q", "%m/%Y"])
def test_a_form_that_names_no_day_is_none(form: str) -> None:
    with pytest.raises(ValidationError, match=r"does not name a day; write '%d\.%m\.%Y'"):
        section(date_format=form)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("2026-11-29T12:00:00Z", ""),  # a clock, a time zone or "today" may be a day off
        ("2026-11-29T12:00:01Z", "future_date"), ("2099-01-01", "future_date"), ("2027-11-28", "future_date"),
        (NOON + 86_401, "future_date"), (date(2026, 12, 1), "future_date"), ("2201-01-01", "bad_date"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("gone", ["", "yes"])
def test_a_date_more_than_a_day_ahead_is_none(value: Any, code: str, gone: str) -> None:
    columns = {"updated_at": "at", "deleted": "gone"}
    if not code:
        assert mapped({"at": value, "gone": gone}, columns=columns).updated_at == NOON + 86_400
        return
    found, said = reject({"at": value, "gone": gone}, columns=columns)
    assert found == code
    if code == "future_date":
        assert said.endswith("is more than a day ahead of 2026-11-28T12:00+00:00")

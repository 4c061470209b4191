"""What is to be done about a rejected photo is one thing, whoever says it, and fits its code."""

import pytest

from pipelines.config import Config
from pipelines.preprocess.fixes import fix_of
from pipelines.shop_files.fetch import FETCH_CODES
from pipelines.shop_files.uri import bare_host
from pipelines.trace.reasons import rejected_photo

SHOP = {
    "store": {"uri": "store"},
    "catalogue": {"snapshot": "f.csv", "columns": {"item_id": "a", "photos": "b", "category": "c"}},
}
OF_FILES = {"not_a_file", "unreadable", "outside_roots", "too_large_bytes"}


@pytest.mark.parametrize(
    ("code", "word"),
    [("forbidden", "fetch.hosts"), ("bad_certificate", "certificate"), ("missing", "address in the feed")],
)
def test_a_trace_says_what_check_says_of_an_address(code: str, word: str) -> None:
    fix = rejected_photo(code, "", Config.model_validate(SHOP), is_far=True).fix
    assert fix == f"{fix_of(code, is_far=True)}; this address is asked again after 24 hours (fetch.recheck_hours)"
    assert word in fix
    assert "photo_root" not in fix


def test_every_code_of_a_host_has_a_fix() -> None:
    assert not [code for code in FETCH_CODES.keys() - OF_FILES if not fix_of(code, is_far=True)]
    for code in ("missing", "unsupported_scheme"):
        assert "catalogue.photo_root" in fix_of(code, is_far=False)
        assert "photo_prefix" in fix_of(code, is_far=False)


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("www.shop.example/path/x.jpg", "www.shop.example"),
        ("CDN.shop.co.uk:8443/x.jpg", "CDN.shop.co.uk:8443"),
        ("media/catalog/x.jpg", ""),
        ("x.jpg", ""),
        ("1.5/x.jpg", ""),
        ("./a.b/x.jpg", ""),
    ],
)
def test_what_looks_like_an_address_without_its_scheme(uri: str, host: str) -> None:
    assert bare_host(uri) == host

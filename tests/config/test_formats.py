"""Formats of feeds: what they bring, and what counts before it."""

import tomllib

import pytest

from pipelines.config import CatalogueSection, Config, ConfigError, load_config
from pipelines.config.formats import FORMATS, Format, preset


def section(text: str) -> CatalogueSection:
    return CatalogueSection.model_validate(tomllib.loads(text))


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_all_that_a_feed_needs(name: Format) -> None:
    read = section(f'format = "{name}"\nsnapshot = "feed.csv"')
    assert {read.columns.item_id, *read.columns.photo_columns} <= read.brought
    assert not read.brought & {">", "/", ",", "deepest"}
    assert "delimiter" not in read.model_fields_set  # the header tells it
    others = [other for also in preset(name).names.values() for other in also]
    assert len({*others} | {*preset(name).names}) == len(others) + len(preset(name).names)  # each is one column's


def test_what_is_written_counts_before_the_format_key_by_key() -> None:
    read = section(
        'format = "shopify"\nsnapshot = "feed.csv"\nnot_deleted_words = ["live"]\n[columns]\nitem_id = "Variant SKU"\n'
        'photos = "Variant Image"\nattributes = { colour = "options.Shade", fit = "options.Fit" }'
    )
    columns = read.columns
    assert (columns.item_id, columns.photos, columns.title) == ("Variant SKU", "Variant Image", "Title")
    assert columns.attributes["colour"] == "options.Shade"
    assert (columns.attributes["fit"], columns.attributes["brand"]) == ("options.Fit", "Vendor")
    assert (read.not_deleted_words, read.deleted_words) == (["live"], ["archived", "draft", "false"])


def test_a_format_that_is_none_is_told_with_those_that_are(tmp_path) -> None:
    path = tmp_path / "c.toml"
    for name in ('"shopfiy"', "3"):
        path.write_text(f'[store]\nuri = "s"\n[catalogue]\nformat = {name}\nsnapshot = "f.csv"\n')
        with pytest.raises(ConfigError, match=r"catalogue\.format = .*'google_merchant', 'shopify', 'woocommerce' or"):
            load_config(path)


def test_without_a_format_columns_are_required(tmp_path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('[store]\nuri = "s"\n[catalogue]\nsnapshot = "f.csv"\n')
    with pytest.raises(ConfigError, match=r"the key 'catalogue\.columns' is missing; add it"):
        load_config(path)


def test_a_config_with_a_format_is_valid_again_when_it_is_dumped() -> None:
    config = Config.model_validate({"store": {"uri": "s"}, "catalogue": {"format": "magento", "snapshot": "f.csv"}})
    assert Config.model_validate(config.model_dump()).catalogue.columns == config.catalogue.columns

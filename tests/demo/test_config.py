from pipelines.config import load_config
from pipelines.demo.config import write_config
from pipelines.demo.rows import COLUMNS, STREET_COLUMNS
from pipelines.demo.taxonomy import SEPARATOR


def test_the_config_is_valid_and_names_columns_of_the_feeds(tmp_path):
    config = load_config(write_config(tmp_path))
    columns = config.catalogue.columns
    assert columns.photos == ["image_1", "image_2", "image_3", "image_4"]
    assert columns.category_separator == SEPARATOR.strip()
    single = [columns.item_id, columns.group_id, columns.title, columns.category, columns.price, columns.updated_at]
    assert {*single, *columns.photos, *columns.attributes.values(), *columns.signals.values()} == set(COLUMNS)
    assert config.catalogue.media is not None
    media = config.catalogue.media.columns
    assert {media.item_id, media.photo, media.role, *(media.box or ())} == set(STREET_COLUMNS)


def test_paths_are_relative_to_the_config(tmp_path):
    config = load_config(write_config(tmp_path))
    assert config.locate(config.catalogue.snapshot or "") == str((tmp_path / "products.csv").resolve())
    assert config.store.uri == str((tmp_path / "store").resolve())


def test_photos_keep_their_proportions_and_are_never_enlarged(tmp_path):
    sizes = {(160, 200): (48, 60), (800, 1067): (45, 60), (48, 60): (48, 60)}
    for size, (width, height) in sizes.items():
        section = load_config(write_config(tmp_path, size=size)).preprocess
        assert (section.width, section.height) == (width, height)

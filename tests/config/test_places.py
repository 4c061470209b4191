"""Places that a config names: what cannot be meant is refused before anything runs, what is there is obeyed."""

from pathlib import Path

import pytest

from pipelines.config import Config, ConfigError, load_config

PLACES = {
    "store.uri": '[store]\nuri = PLACE\n[catalogue]\nsnapshot = "feed.csv"\n',
    "catalogue.snapshot": '[store]\nuri = "store"\n[catalogue]\nsnapshot = PLACE\n',
    "catalogue.deltas": '[store]\nuri = "store"\n[catalogue]\ndeltas = PLACE\n',
    "catalogue.photo_root": '[store]\nuri = "store"\n[catalogue]\nsnapshot = "feed.csv"\nphoto_root = PLACE\n',
    "catalogue.allowed_roots.1": (
        '[store]\nuri = "store"\n[catalogue]\nsnapshot = "feed.csv"\nallowed_roots = ["/", PLACE]\n'
    ),
    "catalogue.media.path": (
        '[store]\nuri = "store"\n[catalogue.media]\npath = PLACE\ncolumns = { item_id = "sku", photo = "image" }\n'
        '[catalogue]\nsnapshot = "feed.csv"\n'
    ),
    "monitoring.folder": ('[store]\nuri = "store"\n[monitoring]\nfolder = PLACE\n[catalogue]\nsnapshot = "feed.csv"\n'),
    "beam.flink.setup_file": (
        '[store]\nuri = "store"\n[beam.flink]\nsetup_file = PLACE\n[catalogue]\nsnapshot = "feed.csv"\n'
    ),
}
COLUMNS = '[catalogue.columns]\nitem_id = "sku"\nphotos = "image"\ncategory = "path"\n'


def load(folder: Path, place: str, key: str = "catalogue.snapshot") -> Config:
    path = folder / "shop.toml"
    path.write_text(PLACES[key].replace("PLACE", f"'{place}'") + COLUMNS, encoding="utf-8")
    return load_config(path)


def refusal(folder: Path, place: str, key: str = "catalogue.snapshot") -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, place, key)
    return str(caught.value).removeprefix(f"{folder / 'shop.toml'}: {key} = {place!r}: ")


@pytest.mark.parametrize("key", PLACES)
def test_no_place_may_hold_a_variable(tmp_path: Path, key: str) -> None:
    assert refusal(tmp_path, "${SHOP_DIR}/there", key) == (
        "variables such as ${SHOP_DIR} are not filled in; write the path itself: relative ones start from the config "
        "file's folder, ~ is the home folder"
    )
    assert list(tmp_path.iterdir()) == [tmp_path / "shop.toml"]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("$SHOP_DIR/feed.csv", "variables such as $SHOP_DIR are not filled in"),
        ("%USERPROFILE%/feed.csv", "variables such as %USERPROFILE% are not"),
        ("%USERPROFILE%\\feed.csv", "variables such as %USERPROFILE% are not"),
        ("feeds/{{ ds }}.csv", "variables such as {{ ds }} are not"),
        ("$(pwd)/feed.csv", "variables such as $(pwd) are not"),
        ("gs://${BUCKET}/feed.csv", "variables such as ${BUCKET} are not"),
        (
            "sftp://shop/feed.csv",
            "begins with sftp://, which is not read here; write a path of this machine, such as one",
        ),
        ("smb://nas/shop/feed.csv", "begins with smb://, which is not read here"),
        ("\\\\nas\\shop\\feed.csv", "is on another machine; mount it here, and write the path that it then has"),
        ("//nas/shop/feed.csv", "is on another machine; mount it here"),
        ("nas:/export/feed.csv", "is on another machine; mount it here"),
        ("file://nas/export/feed.csv", "names the machine 'nas'; write file:///path"),
        ("file://feed.csv", "names no path; write file:///path, or the path itself"),
        (
            "C:\\shop\\feed.csv",
            "is on a drive of Windows; write the path that it has here, such as '/mnt/c/shop/feed.csv'",
        ),
        (
            "D:/shop/feed.csv",
            "is on a drive of Windows; write the path that it has here, such as '/mnt/d/shop/feed.csv",
        ),
        ("feeds\\*.csv", "has backslashes; folders are parted by slashes: write 'feeds/*.csv'"),
        ("~nobody-here/feed.csv", "begins with the home folder of 'nobody-here', who is no user here"),
        ("", "is empty; write a path, '.' for the config file's folder, or remove the key"),
    ],
)
def test_what_cannot_be_meant(tmp_path: Path, place: str, said: str) -> None:
    assert refusal(tmp_path, place).startswith(said)


def test_all_of_them_are_named_at_once(tmp_path: Path) -> None:
    text = PLACES["store.uri"].replace("PLACE", "'C:\\store'").replace('"feed.csv"', "'$FEEDS/f.csv'")
    (tmp_path / "shop.toml").write_text(text + COLUMNS)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "shop.toml")
    assert [line.split(" = ")[0].rpartition(" ")[2] for line in str(caught.value).splitlines()] == [
        "store.uri",
        "catalogue.snapshot",
    ]


def test_a_backslash_that_toml_read(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text(PLACES["store.uri"].replace("PLACE", '"shop\\temp"') + COLUMNS)
    with pytest.raises(ConfigError, match=r"store\.uri = 'shop\\temp': holds '\\t', for TOML reads a backslash in"):
        load_config(tmp_path / "shop.toml")
    (tmp_path / "shop.toml").write_text(PLACES["store.uri"].replace("PLACE", '"C:\\shop"') + COLUMNS)
    with pytest.raises(ConfigError, match=r"write two, or 'single quotes', which know no escapes"):
        load_config(tmp_path / "shop.toml")


@pytest.mark.parametrize("name", ["$SHOP", "${SHOP}", "%SHOPS%", "C:", "nas:", "a\\b", "{{ ds }}", "~nobody-here"])
def test_what_is_there_is_obeyed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    for key in PLACES:
        load(tmp_path, f"{name}/new", key)
    config = load(tmp_path, f"{name}/store", "store.uri")
    assert config.store.uri == str(tmp_path / name / "store")


@pytest.mark.parametrize(
    "place", ["50%", "a b/c.csv", "price $5.csv", "my%20feed%C3%A9%20x.csv", "a:b.csv", "f{1}.csv"]
)
def test_names_that_are_only_odd(tmp_path: Path, place: str) -> None:
    assert load(tmp_path, place).catalogue.snapshot == place


def test_file_uris_are_paths(tmp_path: Path) -> None:
    for key in PLACES:
        load(tmp_path, f"file://{tmp_path}/my%20shop", key)
    assert load(tmp_path, f"file://{tmp_path}/my%20feed.csv").catalogue.snapshot == f"{tmp_path}/my feed.csv"
    assert load(tmp_path, f"file:{tmp_path}/s", "store.uri").store.uri == f"{tmp_path}/s"
    (tmp_path / "my%20feed.csv").touch()
    assert "/my feed.csv, and there is only " in refusal(tmp_path, f"file://{tmp_path}/my%20feed.csv")


def test_the_scheme_of_a_bucket_is_known_in_any_case(tmp_path: Path) -> None:
    assert load(tmp_path, "GS://shop/feed.csv").catalogue.snapshot == "gs://shop/feed.csv"

"""The configuration: what is wrong is named, with its value and the fix."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.config import Config, ConfigError, load_config

MINIMAL = """
[store]
uri = "store"

[catalogue]
snapshot = "feed.csv"

[catalogue.columns]
item_id = "sku"
photos = "image"
category = "path"
"""


def load(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert str(tmp_path / "shop.toml") in message
    return message.replace(str(tmp_path / "shop.toml"), "FILE")


def test_ten_lines_are_enough(tmp_path: Path) -> None:
    config = load(tmp_path, MINIMAL)
    assert config.catalogue.columns.photos == "image"
    assert config.store.uri == str(tmp_path / "store")
    assert config.folder == str(tmp_path)
    assert config.locate("photos/a.jpg") == str(tmp_path / "photos" / "a.jpg")
    assert config.locate("/elsewhere") == "/elsewhere"
    assert config.locate("gs://bucket/photos") == "gs://bucket/photos"


def test_a_bucket_uri_stays_as_it_is(tmp_path: Path) -> None:
    assert load(tmp_path, MINIMAL.replace('"store"', '"gs://bucket/shop"')).store.uri == "gs://bucket/shop"


def test_sections_are_frozen(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load(tmp_path, MINIMAL).train.batch = 1  # type: ignore[misc]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no config file '.*none\.toml'; check the path given with"):
        load_config(tmp_path / "none.toml")


def test_folders_whose_names_are_no_utf8(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    with pytest.raises(
        ConfigError, match=r"config file's folder b'.*/caf\\xe9' has a name that is no UTF-8; rename it"
    ):
        load(odd, MINIMAL)
    (tmp_path / "store").symlink_to(odd)
    with pytest.raises(ConfigError, match=r"store\.uri = 'store': the folder b'.*/caf\\xe9' has a name that"):
        load(tmp_path, MINIMAL)


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    assert "FILE cannot be read as TOML: " in refusal(tmp_path, "[store\nuri = 1")
    (tmp_path / "shop.toml").write_bytes(b"recipe = '\xff'")
    with pytest.raises(ConfigError, match=r"shop\.toml cannot be read as TOML: 'utf-8' codec"):
        load_config(tmp_path / "shop.toml")


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("[train]\nbacth = 64", "FILE: unknown key 'train.bacth' (value 64); did you mean 'batch'?"),
        ("[airflow]\nport = 1",
         "FILE: unknown key 'airflow' (value {'port': 1}); known keys here: beam, catalogue, embed, evaluate, fetch,"),
        ("[promote]\nzzz = 1", "FILE: unknown key 'promote.zzz' (value 1); known keys here: judged, keep"),
        ("[catalogue.media]\npath='m.csv'\n[catalogue.media.columns]\nitem_id='a'\nphotoo='b'",
         "FILE: unknown key 'catalogue.media.columns.photoo' (value 'b'); did you mean 'photo'?"),
        ("[catalogue.media]\npath='m.csv'\n[catalogue.media.columns]\nitem_id='a'",
         "FILE: the key 'catalogue.media.columns.photo' is missing; add it"),
        ("[preprocess]\nheight = 8", "FILE: preprocess.height = 8: Input should be greater than or equal to 16"),
        ("[preprocess]\nquality = 80", "FILE: preprocess.quality = 80: Input should be greater than or equal to 92"),
        ("[embed]\nmax_rejected_share = 1.5",
         "FILE: embed.max_rejected_share = 1.5: Input should be less than or equal to 1"),
        ("[train]\npolicy = 'sometimes'",
         "FILE: train.policy = 'sometimes': Input should be 'reuse', 'on_change' or 'always'"),
        ("[train]\nbatch = 'many'", "FILE: train.batch = 'many': Input should be a valid integer"),
        ("[index]\nkinds = ['hnsw', 'lsh']",
         "FILE: index.kinds.1 = 'lsh': Input should be 'hnsw', 'ivf_pca' or 'binary'"),
        ("[promote]\nkeep = 0", "FILE: promote.keep = 0: Input should be greater than 0"),
    ],
)  # fmt: skip
def test_a_wrong_key_or_value_is_named_with_the_fix(tmp_path: Path, added: str, message: str) -> None:
    assert message in refusal(tmp_path, f"{MINIMAL}\n{added}\n")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("train.minutes", "'10m'", "unable to parse string as a number; write a number without quotes and unit, which "
         "counts minutes: 90 for an hour and a half"),
        ("train.memory_bytes", "'4GB'", "write a number without quotes and unit, which counts bytes: 4_294_967_296"),
        ("train.checkpoint_s", "'90s'", "which counts seconds: 90 for a minute and a half"),
        ("promote.keep_refused_days", "'7d'", "which counts days: 0.5 for half a day"),
        ("beam.dataflow.disk_gb", "'100GB'", "which counts gigabytes: 32 for 32 GB"),
        ("embed.max_rejected_share", "30", "less than or equal to 1; a share is between 0 and 1: 30 % is 0.3"),
        ("search.category_mass", "99.5", "a share is between 0 and 1: 99.5 % is 0.995"),
        ("train.change_share", "'5%'", "a share is between 0 and 1, without quotes: 5 % is 0.05"),
    ],
)  # fmt: skip
def test_a_unit_is_in_the_name_of_the_key(tmp_path: Path, key: str, value: str, message: str) -> None:
    section, _, name = key.rpartition(".")
    assert message in refusal(tmp_path, f"{MINIMAL}\n[{section}]\n{name} = {value}\n")


@pytest.mark.parametrize(
    ("added", "fix"),
    [
        ("delimiter = ';'", "it is a key of [catalogue]: write it there, before [catalogue.columns] begins"),
        ("uri = 'store'", "it is a key of [store]: write it there"),
        ("memory_bytes = 1", "it is a key of [train], [index] or [serving]: write it there"),
        ("recipe = 'etsy'", "it is a key of the top, above all sections: write it there"),
        ("[columns]", "write [catalogue.columns]"),
        ("[catalogue.train]", "write [train]"),
        ("[flink]", "write [beam.flink]"),
    ],
)
def test_a_key_that_stands_in_the_wrong_section(tmp_path: Path, added: str, fix: str) -> None:
    assert refusal(tmp_path, f"{MINIMAL}{added}\n").endswith(f"; {fix}")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('delimiter = "tab"', """catalogue.delimiter = 'tab': must be one character: write "\\t\""""),
        ("delimiter = '\\t'", """must be one character: write "\\t\""""),
        ('delimiter = "Semicolon"', 'must be one character: write ";"'),
        ('delimiter = ";;"', "catalogue.delimiter = ';;': must be one character, such as ',', ';' or '\\t'"),
        ('delimiter = ""', "catalogue.delimiter = '': must be one character, such as ',', ';' or '\\t'"),
        ("delimiter = '\"'", "must be one character, such as ',', ';' or '\\t'"),
        ('delimiter = "\\n"', "must be one character, such as ',', ';' or '\\t'"),
        ("quote = \"''\"", "must be one character, or the key be removed; quote = '' where quotes are text"),
        ("quote = 'none'", "catalogue.quote = 'none': must be one character, or the key be removed; quote = ''"),
        ("quote = ','", "[catalogue] delimiter and quote are both ','; a character can be one of them only"),
        ("escape = ','", "[catalogue] delimiter and escape are both ','; a character can be one of them only"),
        ("escape = '\"'", "[catalogue] quote and escape are both '\"'; a character can be one of them only"),
    ],
)
def test_marks_of_csv_that_cannot_be_ones(tmp_path: Path, setting: str, said: str) -> None:
    assert said in refusal(tmp_path, MINIMAL.replace("[catalogue]\n", f"[catalogue]\n{setting}\n"))


def test_what_editors_of_windows_save(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_bytes(MINIMAL.encode("utf-8-sig"))
    assert load_config(path).catalogue.snapshot == "feed.csv"
    for encoding in ("utf-16", "utf-16-le"):
        path.write_bytes(MINIMAL.encode(encoding))
        with pytest.raises(ConfigError, match=r"shop\.toml is UTF-16, and TOML is UTF-8; save it as that"):
            load_config(path)
    path.write_bytes(f"# Für alle{MINIMAL}".encode("cp1252"))
    with pytest.raises(ConfigError, match=r"cannot be read as TOML: 'utf-8' codec .*; save it as UTF-8"):
        load_config(path)


def test_missing_sections_and_keys_are_all_named_at_once(tmp_path: Path) -> None:
    message = refusal(tmp_path, "[catalogue]\nsnapshot = 'feed.csv'\n[catalogue.columns]\nitem_id = 'sku'\n")
    assert message.splitlines() == [
        "FILE: the key 'store' is missing; add it",
        "FILE: the key 'catalogue.columns.photos' is missing; add it",
        "FILE: the key 'catalogue.columns.category' is missing; add it",
    ]


def test_a_catalogue_without_a_feed(tmp_path: Path) -> None:
    message = refusal(tmp_path, MINIMAL.replace('snapshot = "feed.csv"', ""))
    assert message == "FILE: [catalogue] names no feed; set 'snapshot' or 'deltas'"


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.0, 1.0), (0.9, 0.4)])
def test_splits_that_leave_nothing_to_learn_from(tmp_path: Path, shares: tuple[float, float]) -> None:
    added = "[preprocess]\nval_share = {}\ntest_share = {}\n".format(*shares)
    assert refusal(tmp_path, f"{MINIMAL}\n{added}") == (
        "FILE: [preprocess] val_share = {:g} and test_share = {:g} leave nothing to learn from; "
        "lower them until their sum is below 1".format(*shares)
    )


def test_splits_that_leave_a_little_to_learn_from(tmp_path: Path) -> None:
    added = "[preprocess]\nval_share = 0.5\ntest_share = 0.49\n"
    assert load(tmp_path, f"{MINIMAL}\n{added}").preprocess.test_share == 0.49


@pytest.mark.parametrize("names", [[], ["left", "top"], ["left", "top", "right", "bottom", "box"]])
def test_a_box_that_has_not_four_columns(tmp_path: Path, names: list[str]) -> None:
    media = "[catalogue.media]\npath = 'm.csv'\n[catalogue.media.columns]\nitem_id = 'sku'\nphoto = 'image'\n"
    assert refusal(tmp_path, f"{MINIMAL}\n{media}box = {names}\n") == (
        f"FILE: catalogue.media.columns.box = {names}: {len(names)} columns; "
        "name four: left, top, right and bottom, in this order"
    )
    four = ["left", "top", "right", "bottom"]
    columns = load(tmp_path, f"{MINIMAL}\n{media}box = {four}\n").catalogue.media
    assert columns is not None
    assert columns.columns.box == four


def test_weights_of_attributes_that_no_head_learns(tmp_path: Path) -> None:
    weights = "[search]\nattribute_weights = { colour = 0.1, brand = 0.2 }\n"
    colour = "attributes = { colour = 'colour' }\n[train]\nattributes = ['colour']\n"
    assert refusal(tmp_path, f"{MINIMAL}{colour}{weights}") == (
        "FILE: search.attribute_weights.brand = 0.2 weighs an attribute that train.attributes does not name "
        "(it names colour); add it there, or remove the weight"
    )
    assert "(it names none)" in refusal(tmp_path, f"{MINIMAL}\n{weights}")
    known = "[search]\nattribute_weights = { colour = 0.1 }\n"
    assert load(tmp_path, f"{MINIMAL}{colour}{known}").search.attribute_weights == {"colour": 0.1}


def test_weights_of_signals_that_nothing_maps(tmp_path: Path) -> None:
    weights = "[search]\nsignal_weights = { sales = 0.1, rating = -0.2 }\n"
    assert refusal(tmp_path, f"{MINIMAL}signals = {{ sales = 'sold' }}\n{weights}") == (
        "FILE: search.signal_weights.rating = -0.2 weighs a signal that catalogue.columns.signals does not map "
        "(it maps sales); map its column there, or remove the weight"
    )
    assert "(it maps none)" in refusal(tmp_path, f"{MINIMAL}\n{weights}")
    known = "signals = { sales = 'sold', rating = 'stars' }\n"
    assert load(tmp_path, f"{MINIMAL}{known}{weights}").search.signal_weights == {"sales": 0.1, "rating": -0.2}


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("category_weight = -0.1", "search.category_weight = -0.1: Input should be greater than or equal to 0"),
        ("category_weight = inf", "search.category_weight = inf: Input should be a finite number"),
        ("signal_weights = { sales = nan }", "search.signal_weights.sales = nan: Input should be a finite number"),
    ],
)
def test_impossible_weights(tmp_path: Path, added: str, message: str) -> None:
    assert message in refusal(tmp_path, f"{MINIMAL}\n[search]\n{added}\n")


def test_the_folder_is_not_a_key_of_the_file(tmp_path: Path) -> None:
    assert refusal(tmp_path, f"folder = '/tmp'\n{MINIMAL}") == "FILE: unknown key 'folder'; remove it"


def test_the_digest_names_the_values_of_its_sections_only(tmp_path: Path) -> None:
    plain = load(tmp_path, MINIMAL)
    other = load(tmp_path, f"{MINIMAL}\n[promote]\nkeep = 9\n")
    assert plain.digest("train", "recipe") == other.digest("train", "recipe")
    assert plain.digest("promote") != other.digest("promote")
    assert plain.digest("train") != plain.digest("train", "recipe")
    assert len(plain.digest("train")) == 16


def test_the_digest_of_a_single_key(tmp_path: Path) -> None:
    plain = load(tmp_path, MINIMAL)
    other = load(tmp_path, f"{MINIMAL}title = 'name'\nsignals = {{ sales = 'sold' }}\n")
    assert plain.digest("catalogue.columns.attributes") == other.digest("catalogue.columns.attributes")
    assert plain.digest("catalogue.columns.signals") != other.digest("catalogue.columns.signals")
    assert plain.digest("catalogue") != other.digest("catalogue")


VERTEX = """
[train]
engine = "vertex"

[train.vertex]
project = "shop-1"
region = "europe-west4"
image = "europe-west4-docker.pkg.dev/shop-1/search/worker:1.4"
pipeline_root = "gs://shop-work/vertex"
service_account = "trainer@shop-1.iam.gserviceaccount.com"
"""
IN_BUCKET = MINIMAL.replace('"store"', '"gs://bucket/shop"')


def test_vertex_ai_trains_from_a_store_in_a_bucket(tmp_path: Path) -> None:
    section = load(tmp_path, IN_BUCKET + VERTEX).train.vertex
    assert section is not None
    assert (section.cpus, section.memory_gb, section.accelerator) == (8, 32, None)


def test_vertex_ai_cannot_read_a_store_in_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path, MINIMAL + VERTEX) == (
        "FILE: train.engine = 'vertex', but store.uri = 'store' is no bucket, and Vertex AI reads the training "
        "examples from the store; set store.uri = 'gs://BUCKET/PREFIX', or train.engine = 'local'"
    )


def test_vertex_ai_must_be_told_where(tmp_path: Path) -> None:
    assert refusal(tmp_path, IN_BUCKET + '[train]\nengine = "vertex"\n') == (
        "FILE: [train] engine = 'vertex', but there is no [train.vertex]; say there where, or set 'local'"
    )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "image",
            "europe-west4-docker.pkg.dev/shop-1/search/worker",
            "write REGISTRY/NAME:TAG or REGISTRY/NAME@sha256",
        ),
        ("image", "localhost:5000/worker", "write REGISTRY/NAME:TAG"),
        ("pipeline_root", "/work/vertex", "should match pattern"),
        ("region", "europe-west4-a", "should match pattern"),
        ("service_account", "trainer", "should match pattern"),
        ("endpoint", "http://elsewhere", "should match pattern"),
        ("machine", "n1-standard-4", "unknown key 'train.vertex.machine'"),
    ],
)
def test_a_place_that_cannot_be(tmp_path: Path, key: str, value: str, message: str) -> None:
    kept = "".join(f"{line}\n" for line in VERTEX.splitlines() if not line.startswith(f"{key} ="))
    assert message in refusal(tmp_path, f"{IN_BUCKET}{kept}{key} = {value!r}\n")


WEIGHTS = MINIMAL + '[train]\ntrunk = "{}"\ninitial_weights = "{}"\n'


@pytest.mark.parametrize("trunk", ["efficientnet_lite0", "efficientnet_v2_b0", "mobilenet_v3_small", "resnet50_v1"])
def test_trunks_with_published_weights_may_start_from_them(tmp_path: Path, trunk: str) -> None:
    train = load(tmp_path, WEIGHTS.format(trunk, "imagenet")).train
    assert (train.initial_weights, train.head_share, train.trunk_rate) == ("imagenet", 0.2, 0.1)


@pytest.mark.parametrize(
    ("trunk", "told", "message"),
    [
        ("small", "imagenet", "there are none of trunk = 'small'; set trunk to one of 'efficientnet_lite0', "),
        ("resnet50", "imagenet", "there are none of trunk = 'resnet50'; set trunk to one of "),
        ("efficientnet_lite0", "ImageNet", "is neither 'imagenet' nor a file of weights, which ends with .h5, .keras"),
        ("mobilenet_v3_small", "lite0.pth", "a file of PyTorch, which is read for trunk = 'efficientnet_lite0' alone"),
        ("small", "https://host/a.h5", "begins with https://, which is not read here"),
        ("efficientnet-lite0", "imagenet", "should be 'tiny', 'small', 'resnet50', 'efficientnet_lite0'"),
    ],
)
def test_weights_that_cannot_be_started_from(tmp_path: Path, trunk: str, told: str, message: str) -> None:
    assert message in refusal(tmp_path, WEIGHTS.format(trunk, told))


def test_when_and_where_it_is_learned_is_not_what_is_learned(tmp_path: Path) -> None:
    here, there = load(tmp_path, IN_BUCKET).train, load(tmp_path, IN_BUCKET + VERTEX).train
    assert here.learned_by == there.learned_by
    when_and_where = {"engine", "vertex", "policy", "change_share", "checkpoint_s", "memory_bytes", "warm_start"}
    when_and_where |= {"retire_after_days"}
    bounds_of_the_examples = {"min_images", "max_images"}
    named_in_another_way = {"initial_weights", "head_share", "trunk_rate"}
    left = {f"train.{name}" for name in when_and_where | bounds_of_the_examples | named_in_another_way}
    assert {f"train.{name}" for name in type(here).model_fields} - set(here.learned_by) == left

"""Weights of elsewhere: a trunk that starts from them sees what the network that they are of sees."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.trainer.pictures import pictures
from trainer.initial_weights import InitialWeightsError, fill
from trainer.trunks import body_of, build_trunk
from trainer.weight_files import OF_TORCH, PUBLISHED, find

GOLDEN = Path(__file__).parent / "golden"
SIDE = 72
"""Half of a half of it is odd: strided convolutions pad odd sizes in another way."""
NETWORKS = {
    "resnet50_v1": (keras.applications.ResNet50, keras.applications.resnet50.preprocess_input),
    "efficientnet_v2_b0": (
        keras.applications.EfficientNetV2B0,
        keras.applications.efficientnet_v2.preprocess_input,
    ),
    "mobilenet_v3_large": (keras.applications.MobileNetV3Large, keras.applications.mobilenet_v3.preprocess_input),
    "mobilenet_v3_small": (keras.applications.MobileNetV3Small, keras.applications.mobilenet_v3.preprocess_input),
}


def network(name: str) -> keras.Model:
    """Return a network of keras.applications as its documentation says, with weights that are not those of a trunk."""
    built = NETWORKS[name][0](include_top=False, weights=None, input_shape=(SIDE, SIDE, 3))
    generator = np.random.default_rng(3)
    for variable in built.variables:
        if variable.path.endswith(("gamma", "moving_variance")):
            variable.assign(generator.uniform(0.5, 1.5, variable.shape))
    return built


def seen(body: keras.Model, side: int = SIDE) -> np.ndarray:
    return np.asarray(body(pictures(side).astype(np.float32), training=False))


def save_weights(built: keras.Model, folder: Path) -> Path:
    built.save_weights(folder / "own.weights.h5")
    return folder / "own.weights.h5"


def save_as_before_keras_3(built: keras.Model, folder: Path) -> Path:
    """The format of what keras.applications downloads."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(folder / "old.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, built)
    return folder / "old.h5"


def save_whole(built: keras.Model, folder: Path) -> Path:
    """A classifier made on top of it, as tutorials do."""
    classifier = keras.Sequential([built, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(5)])
    classifier.save(folder / "whole.keras")
    return folder / "whole.keras"


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("resnet50_v1", save_weights),
        ("efficientnet_v2_b0", save_weights),
        ("mobilenet_v3_large", save_weights),
        ("mobilenet_v3_small", save_weights),
        ("mobilenet_v3_small", save_as_before_keras_3),
        ("mobilenet_v3_small", save_whole),
    ],
)
def test_a_trunk_sees_what_the_network_of_keras_sees(
    tmp_path: Path, name: str, save: Callable[[keras.Model, Path], Path]
) -> None:
    built = network(name)
    prepared = NETWORKS[name][1](pictures(SIDE).astype(np.float32).copy())
    expected = np.asarray(built(prepared, training=False)).mean(axis=(1, 2))
    trunk = build_trunk(name, "float32")
    assert fill(trunk, name, save(built, tmp_path)) == len(body_of(trunk).variables)
    assert np.abs(seen(body_of(trunk)) - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("side", [224, 128])
def test_lite0_sees_what_it_sees_in_pytorch(side: int) -> None:
    """golden/lite0.npz: pooled features by efficientnet-lite-pytorch 0.1.0 on torch 2.15, of (pixel - 127) / 128."""
    trunk = build_trunk(OF_TORCH, "float32")
    fill(trunk, OF_TORCH, find(OF_TORCH))
    expected = np.load(GOLDEN / "lite0.npz")[f"features_{side}"]
    assert expected.max() > 5
    assert np.abs(seen(body_of(trunk), side) - expected).max() < 1e-4


@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_a_file_of_another_network_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    path = save_weights(network("mobilenet_v3_small"), tmp_path)
    trunk = build_trunk("small", "float32")
    before = [np.array(variable.value) for variable in trunk.variables]
    with pytest.raises(InitialWeightsError, match=r"own\.weights\.h5 does not hold the weights of trunk 'small'"):
        fill(trunk, "small", path)
    assert all(np.array_equal(old, new.value) for old, new in zip(before, trunk.variables, strict=True))


def test_a_whole_model_of_another_network_is_told_by_what_it_lacks(tmp_path: Path) -> None:
    path = save_whole(network("mobilenet_v3_small"), tmp_path)
    wanted = r"'mobilenet_v3_large', which wants \S+ of \(.*\): it has one of \("
    with pytest.raises(InitialWeightsError, match=wanted):
        fill(build_trunk("mobilenet_v3_large", "float32"), "mobilenet_v3_large", path)


def test_a_file_of_pytorch_that_lacks_a_tensor_is_told_by_its_name() -> None:
    with pytest.raises(InitialWeightsError, match=r"the tensor '_bn0\.weight' is missing"):
        fill(build_trunk(OF_TORCH, "float32"), OF_TORCH, GOLDEN / "state_zip.pth")


def test_a_file_that_is_no_weights_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.h5").write_text("<html>")
    with pytest.raises(InitialWeightsError, match=r"page\.h5 does not hold the weights of trunk 'tiny'"):
        fill(build_trunk("tiny", "float32"), "tiny", tmp_path / "page.h5")


def test_every_trunk_with_published_weights_names_their_licence() -> None:
    assert {name for name, published in PUBLISHED.items() if published.licence} == {*NETWORKS, OF_TORCH}

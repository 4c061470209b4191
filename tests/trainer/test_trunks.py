import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.trunks import body_of, build_trunk, projection_of
from trainer.trunks.layers import FusedBatchNorm


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("tiny", 765_000),
        ("small", 2_929_408),
        ("resnet50", 24_609_600),
        ("efficientnet_lite0", 3_413_024 + 1280 * 512),  # the paper's 4.7 million without its classifier of 1.3
        ("mobilenet_v3_small", 939_120 + 576 * 512),
    ],
)
def test_a_trunk_gives_512_float32_numbers_a_photo(name: str, parameters: int) -> None:
    trunk = build_trunk(name, "float32")
    found = trunk(np.full((2, 32, 24, 3), 255.0, np.float32), training=False)
    assert found.shape == (2, 512)
    assert found.dtype == tf.float32
    assert trunk.count_params() == pytest.approx(parameters, rel=0.03)


@pytest.mark.parametrize("name", ["small", "efficientnet_lite0", "efficientnet_v2_b0", "mobilenet_v3_small"])
def test_variables_are_named_alike_however_many_trunks_a_process_has_made(name: str) -> None:
    first, second = ([v.path for v in build_trunk(name, "float32").variables] for _ in range(2))
    assert first == second
    assert len(set(first)) == len(first)


@pytest.mark.parametrize("name", ["small", "efficientnet_lite0", "mobilenet_v3_small"])
def test_variables_are_float32_where_the_convolutions_are_bfloat16(name: str) -> None:
    before = keras.config.dtype_policy().name
    trunk = build_trunk(name, "bfloat16")
    assert any(layer.compute_dtype == "bfloat16" for layer in trunk.layers)
    assert keras.config.dtype_policy().name == before
    assert {str(v.dtype) for v in trunk.variables} == {"float32"}
    assert trunk.output.dtype == "float32"


@pytest.mark.parametrize("name", ["tiny", "mobilenet_v3_small"])
def test_body_and_projection_are_the_trunk_in_two(name: str) -> None:
    trunk = build_trunk(name, "float32")
    body, projection = body_of(trunk), projection_of(trunk)
    photos = np.random.default_rng(1).integers(0, 256, (2, 32, 24, 3)).astype(np.float32)
    assert np.array_equal(projection(body(photos)), trunk(photos))
    paths = [variable.path for variable in (*body.variables, *projection.variables)]
    assert sorted(paths) == sorted(variable.path for variable in trunk.variables)
    assert [variable.path.split("/")[0] for variable in projection.trainable_variables] == [
        "projection",
        "embedding_norm",
        "embedding_norm",
    ]


@pytest.mark.parametrize("name", ["efficientnet_v2_b0", "mobilenet_v3_small"])
def test_networks_of_keras_keep_no_dropout_and_statistics_of_lately(name: str) -> None:
    network = next(layer for layer in build_trunk(name, "float32").layers if isinstance(layer, keras.Model))
    assert not any(isinstance(layer, keras.layers.Dropout) for layer in network.layers)
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {norm.momentum for norm in norms} == {0.9}


def test_an_unknown_trunk_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="unknown trunk 'vgg'; use one of tiny, small, resnet50"):
        build_trunk("vgg", "float32")


def test_fused_norm_is_batch_norm_by_hand() -> None:
    # one channel of 0, 2, 4, 6: mean 3, variance 5 in the batch; the moving ones go by n - 1: 20 / 3
    x = tf.reshape(tf.constant([0.0, 2.0, 4.0, 6.0]), (4, 1, 1, 1))
    norm = FusedBatchNorm(momentum=0.9, epsilon=0.0)
    expected = (np.array([0, 2, 4, 6]) - 3) / np.sqrt(5)
    assert np.allclose(np.ravel(norm(x, training=True)), expected, atol=1e-5)
    assert np.allclose(norm.mean.numpy(), 0.3, atol=1e-6)
    assert np.allclose(norm.variance.numpy(), 0.9 + 0.1 * 20 / 3, atol=1e-5)


def test_fused_norm_uses_the_moving_statistics_when_it_serves() -> None:
    norm = FusedBatchNorm(epsilon=0.0)
    x = tf.reshape(tf.constant([1.0, 5.0]), (2, 1, 1, 1))
    norm.build(x.shape)
    norm.mean.assign([1.0])
    norm.variance.assign([4.0])
    assert np.allclose(np.ravel(norm(x)), [0.0, 2.0], atol=1e-6)

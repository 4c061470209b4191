import numpy as np
import pytest
import tensorflow as tf

from trainer.trunks import FusedBatchNorm, build_trunk


@pytest.mark.parametrize(("name", "parameters"), [("tiny", 765_000), ("small", 2_929_408), ("resnet50", 24_609_600)])
def test_a_trunk_gives_512_float32_numbers_a_photo(name: str, parameters: int) -> None:
    trunk = build_trunk(name, "float32")
    found = trunk(np.full((2, 32, 24, 3), 255.0, np.float32), training=False)
    assert found.shape == (2, 512)
    assert found.dtype == tf.float32
    assert trunk.count_params() == pytest.approx(parameters, rel=0.03)


def test_variables_are_named_alike_however_many_trunks_a_process_has_made() -> None:
    first, second = ([v.path for v in build_trunk("small", "float32").variables] for _ in range(2))
    assert first == second
    assert len(set(first)) == len(first)


def test_variables_are_float32_where_the_convolutions_are_bfloat16() -> None:
    trunk = build_trunk("small", "bfloat16")
    assert {str(v.dtype) for v in trunk.variables} == {"float32"}
    assert trunk.output.dtype == "float32"


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

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.trainer.world import tiny_trunk
from trainer.heads import build_heads
from trainer.optimizers import ConvolutionMuon, build_optimizer

HEADS = {"category_0": 2, "attr_colour (main)": 3}


@pytest.fixture
def variables() -> list[keras.Variable]:
    return [*tiny_trunk().trainable_variables, *build_heads(HEADS).trainable_variables]


def build(variables: list[keras.Variable]) -> ConvolutionMuon:
    return build_optimizer(variables, list(HEADS), learning_rate=0.01, weight_decay=0.1)


def test_hidden_kernels_move_by_muon_and_heads_and_vectors_by_adam(variables: list[keras.Variable]) -> None:
    optimizer = build(variables)
    by_muon = {v.path for v, velocity in zip(variables, optimizer.adam_velocities, strict=True) if velocity is None}
    kernels = {v.path for v in variables if v.path.endswith("kernel")}
    assert any(len(v.shape) == 4 for v in variables)
    assert by_muon == kernels - {f"{head}/kernel" for head in HEADS}


def test_vectors_do_not_decay_and_matrices_do(variables: list[keras.Variable]) -> None:
    optimizer = build(variables)
    before = [np.array(v.value) for v in variables]
    optimizer.apply([tf.zeros(v.shape) for v in variables], variables)
    for variable, old in zip(variables, before, strict=True):
        share = 1.0 - 0.01 * 0.1 if len(variable.shape) > 1 else 1.0
        assert np.array(variable.value) == pytest.approx(share * old, rel=1e-5), variable.path


@pytest.mark.parametrize("shape", [(3, 3, 8, 16), (1, 1, 4, 32), (12, 20)])
def test_every_direction_of_a_kernel_moves_about_equally(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    kernel = keras.Variable(np.zeros(shape, np.float32), name="kernel")
    optimizer = build_optimizer([kernel], [], learning_rate=0.01, weight_decay=0.0)
    scales = np.geomspace(1.0, 0.1, shape[-1])
    optimizer.apply([tf.constant(rng.normal(size=shape) * scales, tf.float32)], [kernel])
    moved = np.linalg.svd(np.array(kernel.value).reshape(-1, shape[-1]), compute_uv=False)
    assert moved.max() / moved.min() < 4
    assert moved.max() < 0.01 * 0.2 * np.sqrt(max(np.prod(shape[:-1]), shape[-1])) * 1.5


def test_a_gradient_is_followed_downhill_whatever_its_scale() -> None:
    for scale in (1e-6, 1.0, 1e6):
        kernel = keras.Variable(np.ones((3, 3, 4, 4), np.float32), name="kernel")
        optimizer = build_optimizer([kernel], [], learning_rate=0.01, weight_decay=0.0)
        optimizer.apply([scale * tf.ones(kernel.shape)], [kernel])
        assert np.all(np.array(kernel.value) < 1.0)

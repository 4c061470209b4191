import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.trainer.world import tiny_trunk
from trainer.heads import build_heads
from trainer.optimizers import CLIP_NORM, MUON_ITERATIONS, TrunkOptimizer, by_muon
from trainer.trunks import build_trunk

HEADS = {"category_0": 2, "attr_colour (main)": 3}


class PlainMuon(keras.optimizers.Muon):
    """Keras' own optimizer, variable by variable, with kernels of convolutions flattened and moved by Muon too."""

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) != 4 and super()._should_use_adamw(variable)

    def _muon_update_step(
        self, gradient: tf.Tensor, variable: keras.Variable, lr: tf.Tensor, momentum: keras.Variable
    ) -> None:
        self.assign(momentum, momentum * self.momentum + gradient)
        wanted = gradient + self.momentum * momentum
        matrix = tf.reshape(wanted, (-1, wanted.shape[-1]))
        update = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(matrix, self.ns_steps))
        self.assign_sub(variable, tf.reshape(update, wanted.shape))


def plain(variables: list[keras.Variable]) -> PlainMuon:
    optimizer = PlainMuon(
        0.01,
        weight_decay=0.1,
        adam_weight_decay=0.1,
        adam_lr_ratio=0.5,
        ns_steps=MUON_ITERATIONS,
        exclude_layers=[rf"^{head}/" for head in ("category_0", r"attr_colour \(main\)")],
        global_clipnorm=CLIP_NORM,
    )
    optimizer.exclude_from_weight_decay([v for v in variables if len(v.shape) < 2])
    optimizer.build(variables)
    return optimizer


@pytest.fixture
def variables() -> list[keras.Variable]:
    return [*tiny_trunk().trainable_variables, *build_heads(HEADS).trainable_variables]


def build(variables: list[keras.Variable]) -> TrunkOptimizer:
    return TrunkOptimizer(variables, list(HEADS), learning_rate=0.01, weight_decay=0.1)


def one_kernel(kernel: keras.Variable) -> TrunkOptimizer:
    return TrunkOptimizer([kernel], [], learning_rate=0.01, weight_decay=0.0)


def test_stacks_and_one_vector_move_variables_as_keras_moves_them_one_by_one() -> None:
    def make() -> list[keras.Variable]:
        keras.utils.set_random_seed(1)
        return [*build_trunk("small", "float32").trainable_variables, *build_heads(HEADS).trainable_variables]

    ours, theirs = make(), make()
    optimizer, wanted = build(ours), plain(theirs)
    rng = np.random.default_rng(1)
    for step in range(4):
        scale = 10.0 ** (step - 2)  # clipped at the end, and not at the beginning
        gradients = [tf.constant(scale * rng.normal(size=v.shape), tf.float32) for v in ours]
        optimizer.learning_rate.assign(0.01 / (1 + step))
        wanted.learning_rate.assign(0.01 / (1 + step))
        optimizer.apply(gradients)
        wanted.apply(gradients, theirs)
    for mine, other in zip(ours, theirs, strict=True):
        value, expected = (
            np.array(mine.value),
            np.array(other.value),
        )  # too many for pytest.approx
        assert (np.abs(value - expected) <= np.maximum(1e-3 * np.abs(expected), 2e-5)).all(), mine.path


def test_a_stack_holds_all_kernels_of_one_shape() -> None:
    variables = build_trunk("small", "float32").trainable_variables
    optimizer = build(variables)
    shapes = {stack.shape: len(stack.places) for stack in optimizer.stacks}
    assert shapes[9 * 256, 256] == 3
    assert sum(shapes.values()) == sum(by_muon(v, []) for v in variables)


def test_hidden_kernels_move_by_muon_and_heads_and_vectors_by_adam(variables: list[keras.Variable]) -> None:
    moved = {v.path for v in variables if by_muon(v, list(HEADS))}
    kernels = {v.path for v in variables if v.path.endswith("kernel")}
    assert any(len(v.shape) == 4 for v in variables)
    assert moved == kernels - {f"{head}/kernel" for head in HEADS}


def test_depthwise_kernels_are_no_matrices() -> None:
    variables = build_trunk("efficientnet_lite0", "float32").trainable_variables
    depthwise = [v.path for v in variables if "depthwise_conv" in v.path]
    assert len(depthwise) == 16
    assert not {v.path for v in variables if by_muon(v, [])} & set(depthwise)


def test_a_rate_of_its_own_makes_a_step_so_much_shorter(variables: list[keras.Variable]) -> None:
    before = [np.array(v.value) for v in variables]
    moved = []
    for rate in (1.0, 0.25):
        for variable, old in zip(variables, before, strict=True):
            variable.assign(old)
        optimizer = TrunkOptimizer(variables, list(HEADS), 0.01, 0.1, [rate] * len(variables))
        optimizer.apply([tf.ones(v.shape) for v in variables])
        moved.append([np.array(v.value) - old for v, old in zip(variables, before, strict=True)])
    for whole, quarter in zip(*moved, strict=True):
        assert quarter == pytest.approx(0.25 * whole, rel=1e-2, abs=1e-6)


def test_vectors_do_not_decay_and_matrices_do(variables: list[keras.Variable]) -> None:
    optimizer = build(variables)
    before = [np.array(v.value) for v in variables]
    optimizer.apply([tf.zeros(v.shape) for v in variables])
    for variable, old in zip(variables, before, strict=True):
        share = 1.0 - 0.01 * 0.1 if len(variable.shape) > 1 else 1.0
        assert np.array(variable.value) == pytest.approx(share * old, rel=1e-5), variable.path


@pytest.mark.parametrize("shape", [(3, 3, 8, 16), (1, 1, 4, 32), (12, 20)])
def test_every_direction_of_a_kernel_moves_about_equally(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    kernel = keras.Variable(np.zeros(shape, np.float32), name="kernel")
    scales = np.geomspace(1.0, 0.1, shape[-1])
    one_kernel(kernel).apply([tf.constant(rng.normal(size=shape) * scales, tf.float32)])
    moved = np.linalg.svd(np.array(kernel.value).reshape(-1, shape[-1]), compute_uv=False)
    assert moved.max() / moved.min() < 4
    assert moved.max() < 0.01 * 0.2 * np.sqrt(max(np.prod(shape[:-1]), shape[-1])) * 1.5


def test_a_gradient_is_followed_downhill_whatever_its_scale() -> None:
    for scale in (1e-6, 1.0, 1e6):
        kernel = keras.Variable(np.ones((3, 3, 4, 4), np.float32), name="kernel")
        one_kernel(kernel).apply([scale * tf.ones(kernel.shape)])
        assert np.all(np.array(kernel.value) < 1.0)


def test_a_gradient_that_is_no_number_shows(variables: list[keras.Variable]) -> None:
    gradients = [tf.zeros(v.shape) for v in variables]
    gradients[0] = tf.fill(variables[0].shape, float("inf"))
    build(variables).apply(gradients)
    assert not np.isfinite(np.array(variables[-1].value)).any()


def test_what_it_remembers_is_in_a_checkpoint(variables: list[keras.Variable], tmp_path: str) -> None:
    first = build(variables)
    gradients = [tf.ones(v.shape) for v in variables]
    first.apply(gradients)
    path = tf.train.Checkpoint(optimizer=first).save(f"{tmp_path}/one")
    again = build(variables)
    tf.train.Checkpoint(optimizer=again).restore(path).assert_existing_objects_matched()
    assert int(again.steps.numpy()) == 1
    assert np.array_equal(again.vector.mean.numpy(), first.vector.mean.numpy())
    assert all(np.array_equal(a.momentum, b.momentum) for a, b in zip(again.stacks, first.stacks, strict=True))

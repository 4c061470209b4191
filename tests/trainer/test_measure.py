import numpy as np
import pytest

from trainer.measure import accuracies


def test_top1_counts_photos_and_macro_counts_classes() -> None:
    # class 0: 3 of 4 right; class 1: 0 of 1; the unlabelled one does not count
    truth = {"category_0": np.array([0, 0, 0, 0, 1, -1])}
    guesses = {"category_0": np.array([0, 0, 0, 1, 0, 1])}
    found = accuracies(guesses, truth)
    assert found["top1.category_0"] == pytest.approx(3 / 5)
    assert found["macro.category_0"] == pytest.approx((3 / 4 + 0) / 2)


def test_no_labels_is_zero_not_a_division() -> None:
    found = accuracies({"attr_colour": np.array([2, 1])}, {"attr_colour": np.array([-1, -1])})
    assert found == {"top1.attr_colour": 0.0, "macro.attr_colour": 0.0}

"""The weighted loss gives the published figures, from probabilities and from logits."""

import numpy as np
import pandas as pd
import pytest

from medlessons import losses
from medlessons.errors import LessonError

TRUTH = np.array([[1, 1, 1], [1, 1, 0], [0, 1, 0], [1, 0, 1]], float)
POSITIVE, NEGATIVE = np.array([0.25, 0.25, 0.5]), np.array([0.75, 0.75, 0.5])


def test_frequencies_of_the_published_exercise():
    positive, negative = losses.class_frequencies(pd.DataFrame(TRUTH))
    assert positive == pytest.approx([0.75, 0.75, 0.5]) and negative == pytest.approx([0.25, 0.25, 0.5])


def test_the_published_reference_figures():
    high, low = np.full((4, 3), 0.7), np.full((4, 3), 0.3)
    with_one = losses.weighted_loss(POSITIVE, NEGATIVE, epsilon=1)
    assert [float(with_one(TRUTH, p)) for p in (high, low)] == pytest.approx([-0.4956203, -0.4956203], abs=1e-6)
    assert float(losses.weighted_loss(POSITIVE, NEGATIVE)(TRUTH, high)) == pytest.approx(0.9754045, abs=1e-6)
    assert float(losses.weighted_loss([1.0], [1.0])([[1.0]], [[0.0]])) == pytest.approx(-np.log(1e-7))


def test_from_logits_it_is_the_same_and_stays_finite():
    logits = np.random.default_rng(0).normal(0, 2, (4, 3))
    from_logits = losses.weighted_loss_from_logits(POSITIVE, NEGATIVE)
    same = losses.weighted_loss(POSITIVE, NEGATIVE)(TRUTH, 1 / (1 + np.exp(-logits)))
    assert float(from_logits(TRUTH, logits)) == pytest.approx(float(same), abs=1e-5)
    assert float(from_logits(TRUTH, (1 - 2 * TRUTH) * 200)) == pytest.approx(
        200 * float(from_logits(TRUTH, 1 - 2 * TRUTH)) / 1.3132617, rel=1e-5
    )


@pytest.mark.parametrize(
    "labels, word", [(np.zeros((0, 3)), "shape"), ([1, 0], "shape"), ([[1, 2]], "0 .absent. or 1")]
)
def test_what_is_no_table_of_labels_is_named(labels, word):
    with pytest.raises(LessonError, match=word):
        losses.class_frequencies(labels)

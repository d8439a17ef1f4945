from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from numerics.data.rectangle import square_covariance, uniform_square
from theory import Moments

COUNT = 50_000


def test_the_points_lie_on_a_rotated_rectangle():
    points = uniform_square(COUNT, 2.0, np.random.default_rng(0))
    turn = Rotation.from_rotvec(np.pi / 4 * np.array([1, -1, 1]) / np.sqrt(3)).as_matrix()
    flat = points @ turn
    np.testing.assert_allclose(flat[:, 2], 0, atol=1e-12)
    assert flat.min() > -1e-12 and flat[:, 0].max() < 2 and flat[:, 1].max() < 1
    assert flat[:, 0].max() > 1.99 and flat[:, 1].max() > 0.99
    covariance = square_covariance(2.0)
    np.testing.assert_allclose(np.linalg.eigvalsh(covariance), [0, 1 / 12, 4 / 12], atol=1e-12)
    np.testing.assert_allclose(turn.T @ covariance @ turn, np.diag([4 / 12, 1 / 12, 0]), atol=1e-12)
    # A variance of such points has a standard error of variance sqrt(.8 / n).
    np.testing.assert_allclose(Moments.of(points).covariance, covariance, atol=5 * np.sqrt(0.8 / COUNT) / 3)


def test_misuse():
    with pytest.raises(ValueError, match="axis_ratio"):
        uniform_square(5, 0.0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="axis_ratio"):
        square_covariance(-1.0)
    with pytest.raises(ValueError, match="count = 1099511627776 needs"):
        uniform_square(2**40, 1.0, 0)
    with pytest.raises(ValueError, match="axis_ratio must be smaller"):
        square_covariance(1e200)

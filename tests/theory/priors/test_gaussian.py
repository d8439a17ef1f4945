"""Gaussian priors: their shapes and symmetries."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cases import orthogonal
from tests.theory.priors.families import PRIORS
from theory.axes import plane_rotation
from theory.priors import GaussianPrior


@pytest.mark.parametrize("condition", [1.0, 1e10, 1e13])
def test_gaussian_priors_know_their_symmetries_at_any_condition(condition):
    """Rounding of a member moves L^-1 M L by as much as eps times the condition; a scaling is still told apart."""
    rng = np.random.default_rng(11)
    basis = orthogonal(3, rng)
    variances = np.geomspace(1, condition, 3)
    for covariance in (np.diag(variances), 1e-9 * np.diag(variances), (basis * variances) @ basis.T):
        prior = GaussianPrior((covariance + covariance.T) / 2)
        for _ in range(5):
            assert prior.is_symmetry(prior.symmetries(rng))
        assert not prior.is_symmetry(1.001 * np.eye(3))
        assert not prior.is_symmetry(np.diag([1.01, 1.0, 1.0]))
    assert GaussianPrior.anisotropic(variances).is_symmetry(plane_rotation(3, 0.3)) == (condition == 1)


def test_the_shapes_of_gaussian_priors():
    np.testing.assert_allclose(PRIORS["from_pca"].covariance, np.diag([5.0, 2.0]))
    np.testing.assert_allclose(PRIORS["block"].covariance, [[2, 0.5, 0], [0.5, 1, 0], [0, 0, 0.3]])
    # Two levels, by ancestral sampling.
    rng, draws = np.random.default_rng(9), 400_000
    upper = rng.standard_normal((draws, 1))
    lower = upper @ [[1.0, -0.5]] + np.sqrt(0.3) * rng.standard_normal((draws, 2))
    np.testing.assert_allclose(
        np.cov(np.hstack([upper, lower]), rowvar=False), PRIORS["two_level"].covariance, atol=0.015
    )

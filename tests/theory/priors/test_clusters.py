"""The cluster prior."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from tests.theory.priors.families import by_adaptive_quadrature
from theory.axes import plane_rotation
from theory.priors import ClusterPrior


@pytest.mark.parametrize(("distance", "variance"), [(1e3, 1e-4), (1e4, 1e-6), (1e5, 1e-8)])
def test_a_code_that_is_one_of_the_clusters(distance, variance):
    """The other clusters are out of sight, so that E log p = -log(8 pi v) - 1: squares of d^2 / v would cancel."""
    found = ClusterPrior(distance, variance).expected_log_density([distance, 0.0], variance * np.eye(2))
    assert found == pytest.approx(-np.log(8 * np.pi * variance) - 1, rel=1e-13)


@pytest.mark.parametrize("prior", [ClusterPrior(), ClusterPrior(0.7, 0.2)], ids=str)
def test_clusters_are_a_product_along_the_diagonals(prior):
    """A correlated code, against adaptive quadrature over the two diagonals from the four-mode density itself."""
    mean, covariance = np.array([0.3, -0.2]), np.array([[0.8, 0.3], [0.3, 0.5]])
    turn = plane_rotation(2, np.pi / 4)
    along, spread = turn @ mean, np.diagonal(turn @ covariance @ turn.T)
    at_centre = prior.log_density(np.zeros(2))
    exact = 0.0
    for axis in range(2):

        def profile(u, axis=axis):
            return prior.log_density(u * turn[axis]) - at_centre / 2

        features = np.linspace(-3, 3, 61)
        exact += by_adaptive_quadrature(profile, along[axis], spread[axis], features)
    assert prior.expected_log_density(mean, covariance) == pytest.approx(exact, rel=1e-10)
    # A code exactly at a point has the density there.
    point = prior.expected_log_density(mean, np.zeros((2, 2)))
    assert point == pytest.approx(float(prior.log_density(mean)), rel=1e-12)


@pytest.mark.parametrize("prior", [ClusterPrior(), ClusterPrior(0.7, 0.2), ClusterPrior(1e5, 1e-8)], ids=str)
def test_the_density_is_that_of_four_gaussians(prior):
    rng = np.random.default_rng(0)
    latents = np.concatenate([prior.sample(40, rng), prior.distance * rng.standard_normal((40, 2)), np.zeros((1, 2))])
    parts = [np.log(weight) + multivariate_normal(*normal).logpdf(latents) for weight, *normal in prior.components()]
    np.testing.assert_allclose(prior.log_density(latents), logsumexp(parts, axis=0), rtol=1e-12, atol=1e-9)

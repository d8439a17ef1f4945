"""Expected log densities, against adaptive quadrature and in many digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy.stats import t as student

from tests.theory.priors.families import by_adaptive_quadrature
from theory.priors import ClusterPrior, SpikeSlabPrior, StudentPrior


@pytest.mark.parametrize("variance", [1e-5, 0.02, 1.0, 300.0])
@pytest.mark.parametrize("mean", [0.0, 0.13, -2.0])
@pytest.mark.parametrize(
    "prior",
    [
        StudentPrior(2.0, 1),
        StudentPrior(0.2, 1),
        SpikeSlabPrior(1),
        SpikeSlabPrior(1, 0.95, 0.001),
        SpikeSlabPrior(1, 0.2, 0.6),
    ],
    ids=str,
)
def test_expected_log_density_of_a_marginal(prior, mean, variance):
    width = prior.spike_deviation if isinstance(prior, SpikeSlabPrior) else np.sqrt(prior.degrees_of_freedom)
    features = np.concatenate([-np.geomspace(20 * width, width / 5, 12), [0], np.geomspace(width / 5, 20 * width, 12)])
    exact = by_adaptive_quadrature(prior.marginal_log_density, mean, variance, features)
    assert prior.expected_log_density([mean], [[variance]]) == pytest.approx(exact, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("variance", [1e-24, 1e-32, 1e-40, 0.0])
def test_a_code_that_is_almost_a_point_has_the_density_there(variance):
    """Nodes between ends that round to one number would lose the mass: -2.16 at 1e-32, 0 at 1e-40."""
    prior = StudentPrior(5.0, 1)
    assert prior.expected_log_density([1.0], [[variance]]) == pytest.approx(student(5).logpdf(1.0), rel=1e-14)


def marginal_in_many_digits(prior):
    """log density of one latent for mpmath (of z_1 + z_2, so that two make log p, for clusters), and where it bends."""
    log, exp, mpf = mpmath.log, mpmath.exp, mpmath.mpf
    if isinstance(prior, StudentPrior):
        nu = mpf(prior.degrees_of_freedom)
        at_zero = mpmath.loggamma((nu + 1) / 2) - mpmath.loggamma(nu / 2) - log(nu * mpmath.pi) / 2
        bends = [mpmath.sqrt(nu) * mpf(3) ** power for power in range(-1, 25)]
        return (lambda u: at_zero - (nu + 1) / 2 * mpmath.log1p(u**2 / nu)), bends
    if isinstance(prior, SpikeSlabPrior):
        g, spike = mpf(prior.spike_probability), mpf(prior.spike_deviation)
        bends = [spike * step for step in (0.5, 1, 2, 3, 4, 5, 6, 8, 12)]
        slab = -log(2 * mpmath.pi) / 2
        return lambda u: slab + log((1 - g) * exp(-(u**2) / 2) + g / spike * exp(-(u**2) / spike**2 / 2)), bends
    d, v = mpf(prior.distance), mpf(prior.variance)
    bends = [v / d * step for step in (1, 3, 7, 15, 30, 60)]
    return (
        lambda u: -((abs(u) - d) ** 2) / (4 * v) + mpmath.log1p(exp(-abs(u) * d / v)) - log(8 * mpmath.pi * v) / 2,
        bends,
    )


def in_many_digits(prior, mean, variance):
    """E log p of one latent (for clusters: of z_1 + z_2) by tanh-sinh in 25 digits, between where it bends."""
    function, bends = marginal_in_many_digits(prior)
    mean, deviation = mpmath.mpf(mean), mpmath.sqrt(mpmath.mpf(variance))
    places = [(sign * bend - mean) / deviation for bend in [*bends, 0] for sign in (1, -1)]
    ends = sorted({mpmath.mpf(k) for k in (-12, -4, -1, 0, 1, 4, 12)} | {place for place in places if abs(place) < 12})
    return float(mpmath.quad(lambda e: function(mean + deviation * e) * mpmath.npdf(e), ends, maxdegree=5))


@pytest.mark.parametrize(
    ("prior", "mean", "variance"),
    [
        (StudentPrior(0.1, 1), 0.0, 1e20),
        (StudentPrior(3.0, 1), 1e-3, 1e-12),
        (StudentPrior(1e12, 1), 0.5, 4.0),
        (SpikeSlabPrior(1, 0.8, 1e-6), 0.3, 2.0),
        (SpikeSlabPrior(1, 0.3, 1e-3), 2e-3, 1e-6),
        (SpikeSlabPrior(1, 0.8, 1e-4), 0.0, 1e30),
        (ClusterPrior(1e5, 1e4), 1e5, 1e10),
        (ClusterPrior(1.0, 1e-8), 0.9, 0.3),
        (ClusterPrior(1e-5, 1e-8), 1e-4, 1e-9),
    ],
    ids=str,
)
def test_expected_log_density_in_many_digits(prior, mean, variance):
    with mpmath.workdps(25):
        exact = in_many_digits(prior, mean, variance)
        if isinstance(prior, ClusterPrior):  # z_1 + z_2 is N(mean, variance), z_1 - z_2 is N(0, variance)
            exact += in_many_digits(prior, 0.0, variance)
            found = prior.expected_log_density([mean / 2, mean / 2], variance / 2 * np.eye(2))
        else:
            found = prior.expected_log_density([mean], [[variance]])
    assert found == pytest.approx(exact, rel=1e-12, abs=1e-12)


def test_gauss_hermite_would_miss_the_spike():
    """Why the quadrature is transformed: 64 Gauss-Hermite nodes are wrong in the third digit."""
    prior = SpikeSlabPrior(1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    hermite = weights @ prior.marginal_log_density(nodes) / np.sqrt(2 * np.pi)
    assert abs(hermite - prior.expected_log_density([0.0], [[1.0]])) > 1e-3

"""Each prior: its density, samples, covariance, expected log density and symmetries, by independent routes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm
from scipy.stats import t as student

from tests.cases import orthogonal
from theory.axes import ClusterPrior, GaussianPrior, SpikeSlabPrior, StudentPrior, plane_rotation

PRIORS = {
    "isotropic": GaussianPrior.isotropic(2, 1.7),
    "anisotropic": GaussianPrior.anisotropic([3.0, 0.4]),
    "from_pca": GaussianPrior.from_pca(np.diag([0.4, 2.0, 5.0]), 2),
    "block": GaussianPrior.block([[[2.0, 0.5], [0.5, 1.0]], [[0.3]]]),
    "two_level": GaussianPrior.two_level([[1.0], [-0.5]], 0.3),
    "student": StudentPrior(2.0, 2),
    "student_9": StudentPrior(9.0, 3),
    "spike_slab": SpikeSlabPrior(2),
    "spike_slab_3": SpikeSlabPrior(3, 0.3, 0.2),
    "clusters": ClusterPrior(),
    "wide_clusters": ClusterPrior(1.5, 0.4),
}
LOCKING = ["student", "student_9", "spike_slab", "spike_slab_3", "clusters", "wide_clusters"]
priors = pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)


def reference_log_density(prior, latents):
    """log p(z) from scipy.stats."""
    match prior:
        case GaussianPrior():
            return multivariate_normal(np.zeros(prior.latent_dim), prior.covariance).logpdf(latents)
        case StudentPrior():
            return student(prior.degrees_of_freedom).logpdf(latents).sum(axis=-1)
        case SpikeSlabPrior():
            g = prior.spike_probability
            return np.log((1 - g) * norm.pdf(latents) + g * norm(0, prior.spike_deviation).pdf(latents)).sum(axis=-1)
        case ClusterPrior():
            modes = prior.distance * np.array([[0, 1], [0, -1], [1, 0], [-1, 0]])
            densities = [multivariate_normal(mode, prior.variance * np.eye(2)).pdf(latents) for mode in modes]
            return np.log(np.mean(densities, axis=0))


@priors
def test_density(prior):
    latents = np.random.default_rng(0).standard_normal((50, prior.latent_dim))
    np.testing.assert_allclose(prior.log_density(latents), reference_log_density(prior, latents), rtol=1e-10)
    assert prior.log_density(latents[0]) == pytest.approx(prior.log_density(latents)[0], rel=1e-12)


@priors
def test_samples_have_the_density(prior):
    """Tail probabilities of |z|^2 and of z_1, against importance weights that use the density alone."""
    draws, rng = 200_000, np.random.default_rng(1)
    samples = prior.sample(draws, rng)
    assert samples.shape == (draws, prior.latent_dim)
    # Proposals: heavy-tailed, half of them narrow, so that no density is much larger than theirs.
    narrow = rng.random((draws, 1)) < 0.5
    proposals = rng.standard_t(1.5, (draws, prior.latent_dim)) * np.where(narrow, 0.1, 1.0)
    log_wide = student(1.5).logpdf(proposals).sum(axis=1)
    log_narrow = student(1.5, 0, 0.1).logpdf(proposals).sum(axis=1)
    weights = np.exp(prior.log_density(proposals) - np.logaddexp(log_wide, log_narrow) + np.log(2))
    for event in (lambda z: z[:, 0] > 0.3, lambda z: np.abs(z).max(axis=1) < 0.5, lambda z: z[:, 0] > z[:, 1] + 1):
        estimates = event(samples).astype(float), weights * event(proposals)
        error = np.sqrt(sum(one.var() / draws for one in estimates))
        assert abs(estimates[0].mean() - estimates[1].mean()) < 5 * error


@pytest.mark.parametrize("prior", [prior for name, prior in PRIORS.items() if name != "student"], ids=str)
def test_covariance(prior):
    draws = 400_000
    samples = prior.sample(draws, np.random.default_rng(2))
    products = samples[:, :, None] * samples[:, None, :]
    error = products.std(axis=0) / np.sqrt(draws)
    assert np.all(np.abs(products.mean(axis=0) - prior.covariance) < 5 * error)


def test_a_student_prior_has_no_variance_up_to_two_degrees():
    np.testing.assert_array_equal(StudentPrior(2.0, 2).covariance, [[np.inf, 0], [0, np.inf]])
    np.testing.assert_allclose(StudentPrior(2.5, 2).covariance, 5 * np.eye(2))


def by_adaptive_quadrature(log_density, mean, variance, features):
    """E log p(u), u ~ N(mean, variance), by scipy between break points at the features and the quantiles."""
    deviation = np.sqrt(variance)
    points = [mean + k * deviation for k in range(-12, 13)]
    points = sorted({*points, *(feature for feature in features if points[0] < feature < points[-1])})
    return sum(
        quad(lambda u: norm.pdf(u, mean, deviation) * log_density(u), low, high, epsabs=1e-12, epsrel=1e-12, limit=200)[
            0
        ]
        for low, high in pairwise(points)
    )


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


def test_gauss_hermite_would_miss_the_spike():
    """Why the quadrature is transformed: 64 Gauss-Hermite nodes are wrong in the third digit."""
    prior = SpikeSlabPrior(1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    hermite = weights @ prior.marginal_log_density(nodes) / np.sqrt(2 * np.pi)
    assert abs(hermite - prior.expected_log_density([0.0], [[1.0]])) > 1e-3


@priors
@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_expected_log_density_by_monte_carlo(prior, scale):
    rng, draws = np.random.default_rng(4), 200_000
    root = scale * rng.standard_normal((prior.latent_dim, prior.latent_dim))
    mean = scale * rng.standard_normal(prior.latent_dim)
    values = prior.log_density(mean + rng.standard_normal((draws, prior.latent_dim)) @ root.T)
    exact = prior.expected_log_density(mean, root @ root.T)
    assert abs(values.mean() - exact) < 5 * values.std() / np.sqrt(draws)


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


@priors
def test_symmetries_keep_the_density(prior):
    rng = np.random.default_rng(6)
    latents = rng.standard_normal((20, prior.latent_dim))
    seen = []
    for _ in range(10):
        symmetry = prior.symmetries(rng)
        seen.append(symmetry)
        assert prior.is_symmetry(symmetry)
        np.testing.assert_allclose(prior.log_density(latents @ symmetry.T), prior.log_density(latents), rtol=1e-9)
    assert len({one.tobytes() for one in seen}) > 2


@priors
def test_membership_tells_what_keeps_the_density(prior):
    rng = np.random.default_rng(7)
    size = prior.latent_dim
    latents = rng.standard_normal((20, size))
    candidates = [
        np.eye(size),
        -np.eye(size),
        orthogonal(size, rng),
        plane_rotation(size, np.pi / 4),
        plane_rotation(size, np.pi / 2),
        1.01 * np.eye(size),
        np.diag(np.arange(1.0, size + 1)),
        np.eye(size)[::-1],
        prior.symmetries(rng) + 1e-4,
        np.ones((size, size)),
    ]
    for candidate in candidates:
        keeps = np.allclose(prior.log_density(latents @ candidate.T), prior.log_density(latents), rtol=1e-9)
        assert prior.is_symmetry(candidate) == keeps


@pytest.mark.parametrize("prior", [PRIORS[name] for name in LOCKING], ids=LOCKING)
def test_priors_that_are_not_gaussian_keep_signed_permutations_alone(prior):
    symmetry = prior.symmetries(np.random.default_rng(8))
    np.testing.assert_array_equal(np.sort(np.abs(symmetry), axis=1)[:, -1], 1)
    assert np.count_nonzero(symmetry) == prior.latent_dim
    assert not prior.is_symmetry(plane_rotation(prior.latent_dim, 0.01))


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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: GaussianPrior(np.zeros((2, 2))), "must be positive definite"),
        (lambda: GaussianPrior.anisotropic([1.0, 0.0]), "variances must be > 0"),
        (lambda: GaussianPrior.from_pca(np.diag([1.0, 0.0]), 2), "latent_dim must be at most the rank"),
        (lambda: GaussianPrior.two_level(np.eye(2), 0.0), "noise_variance must be > 0"),
        (lambda: StudentPrior(0.0, 2), "degrees_of_freedom must be > 0"),
        (lambda: StudentPrior(2.0, 1.5), "latent_dim must be a whole number"),
        (lambda: SpikeSlabPrior(2, 1.0), "spike_probability must be below 1"),
        (lambda: SpikeSlabPrior(2, 0.5, 1.5), "spike_deviation must be below 1"),
        (lambda: ClusterPrior(0.0), "distance must be > 0"),
        (lambda: ClusterPrior().log_density(np.zeros(3)), r"latents must have shape \(..., 2\)"),
        (lambda: ClusterPrior().expected_log_density([0.0], np.eye(2)), "mean must have length 2"),
        (lambda: StudentPrior(2.0, 2).is_symmetry(np.eye(3)), "matrix must be 2 x 2"),
    ],
)
def test_misuse_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()

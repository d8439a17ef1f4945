"""The protocol of a prior: density, samples, covariance, expected log density and its slopes; errors of misuse."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm
from scipy.stats import t as student

from tests.theory.priors.families import PRIORS, priors
from theory.priors import ClusterPrior, GaussianPrior, SpikeSlabPrior, StudentPrior
from theory.priors.protocol import expectation_and_slopes


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


class Plain:
    """A prior of a user's own: the same laws, but with the three members of the protocol alone."""

    def __init__(self, prior):
        self.latent_dim, self.prior = prior.latent_dim, prior

    def log_density(self, latents):
        return self.prior.log_density(latents)

    def expected_log_density(self, mean, covariance):
        return self.prior.expected_log_density(mean, covariance)


@priors
@pytest.mark.parametrize("scale", [1e-4, 0.05, 1.0, 30.0])
def test_slopes_of_the_expected_log_density(prior, scale):
    """Against central differences, of codes narrower and wider than every feature, two at a time."""
    rng, size = np.random.default_rng(10), prior.latent_dim
    roots = scale * (np.eye(size) + 0.4 * rng.standard_normal((2, size, size)))
    means, covariances = scale * rng.standard_normal((2, size)), roots @ roots.swapaxes(1, 2)
    values, *slopes = prior.expected_log_density_and_slopes(means, covariances)
    expected, *differences = expectation_and_slopes(Plain(prior), means, covariances)
    np.testing.assert_allclose(values, expected, rtol=1e-13)
    for power, found, by_differences in zip((1, 2), slopes, differences, strict=True):
        unit = scale**power
        rounding = 1e-9 * np.abs(values).max() + 1e-8 * np.abs(by_differences * unit).max()
        np.testing.assert_allclose(found * unit, by_differences * unit, atol=rounding)


class Careful(Plain):
    """A prior of a user's own that refuses a covariance that is not positive definite."""

    def expected_log_density(self, mean, covariance):
        np.linalg.cholesky(covariance)
        return super().expected_log_density(mean, covariance)


@pytest.mark.parametrize("correlation", [1 - 1e-6, -(1 - 1e-8), 1 - 1e-12])
def test_differences_stay_among_positive_definite_covariances(correlation):
    """A step of 3e-6 in one entry would leave them; along B E B^T, C = B B^T, none does."""
    prior = GaussianPrior([[2.0, 0.3], [0.3, 1.0]])
    covariance = np.array([[[4.0, 2e-3 * correlation], [2e-3 * correlation, 1e-6]]])
    _, _, exact = prior.expected_log_density_and_slopes(np.zeros((1, 2)), covariance)
    _, _, found = expectation_and_slopes(Careful(prior), np.zeros((1, 2)), covariance)
    basis = np.linalg.cholesky(covariance[0])  # in whose units the differences are accurate
    np.testing.assert_allclose(basis.T @ found[0] @ basis, basis.T @ exact[0] @ basis, rtol=0, atol=1e-9)


@pytest.mark.parametrize("shape", [(0,), (2, 0, 3), (2, 3)])
def test_stacks_of_codes_of_any_shape(shape):
    """Also of none at all; each entry is that of its code alone."""
    rng = np.random.default_rng(0)
    means, root = rng.standard_normal((*shape, 2)), rng.standard_normal((*shape, 2, 2))
    covariances = root @ root.mT
    for prior in (GaussianPrior.anisotropic([2.0, 0.1]), StudentPrior(3.0, 2), SpikeSlabPrior(2), ClusterPrior()):
        values, to_means, to_covariances = prior.expected_log_density_and_slopes(means, covariances)
        assert (values.shape, to_means.shape, to_covariances.shape) == (shape, means.shape, root.shape)
        alone = map(prior.expected_log_density, means.reshape(-1, 2), covariances.reshape(-1, 2, 2))
        np.testing.assert_allclose(values.ravel(), list(alone), rtol=1e-12)
    empty = SpikeSlabPrior(0).expected_log_density_and_slopes(np.zeros((3, 0)), np.zeros((3, 0, 0)))
    np.testing.assert_array_equal(empty[0], np.zeros(3))


@priors
@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_expected_log_density_by_monte_carlo(prior, scale):
    rng, draws = np.random.default_rng(4), 200_000
    root = scale * rng.standard_normal((prior.latent_dim, prior.latent_dim))
    mean = scale * rng.standard_normal(prior.latent_dim)
    values = prior.log_density(mean + rng.standard_normal((draws, prior.latent_dim)) @ root.T)
    exact = prior.expected_log_density(mean, root @ root.T)
    assert abs(values.mean() - exact) < 5 * values.std() / np.sqrt(draws)


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
        (lambda: ClusterPrior(1e60), "distance must be between 1e-50 and 1e50"),
        (lambda: GaussianPrior(np.eye(2) * 1e-200), "covariance must be positive definite with variances between"),
        (lambda: SpikeSlabPrior(40).components(), "latent_dim must be <= 30"),
        (lambda: StudentPrior(2.0, 2**31), "latent_dim = 2147483648 needs"),
        (lambda: StudentPrior(1e-8, 2).sample(5, 0), "degrees_of_freedom must be larger to draw latents, got 1e-08"),
        (lambda: ClusterPrior().sample(2.0, 0), "n must be a whole number"),
        (lambda: ClusterPrior().sample(2, None), "rng must be a numpy.random.Generator or a seed"),
        (lambda: StudentPrior(2.0, 1).marginal_log_density([1j]), "values must be real"),
        (lambda: ClusterPrior().log_density([[np.nan, 0.0]]), "latents must be finite"),
        (lambda: ClusterPrior().log_density(np.zeros(3)), r"latents must have shape \(..., 2\)"),
        (lambda: ClusterPrior().expected_log_density([0.0], np.eye(2)), "mean must have length 2"),
        (lambda: StudentPrior(2.0, 2).is_symmetry(np.eye(3)), "matrix must be 2 x 2"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()

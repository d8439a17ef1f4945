"""The nodes that training takes from a prior: only its methods count, never its class."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from numerics.priors.mixture_code import BLOCK, PriorPlane, code_entropy, divergence, divergence_and_slopes
from numerics.priors.problem import prior_problem, with_alpha
from numerics.priors.training import train_problem, train_with_prior
from theory.priors import GaussianPrior, StudentPrior
from theory.priors.registry import EXAMPLES


class Wrapped:
    """A prior of a user's own that has every member of another, and errors in its nodes."""

    latent_dim = 2

    def __init__(self, prior, stretch=1.0, mass=1.0):
        self.prior, self.stretch, self.mass = prior, stretch, mass

    def __getattr__(self, name):
        return getattr(self.prior, name)

    def nodes(self, count):
        points, masses, mean_log_density = self.prior.nodes(count)
        return self.stretch * points, self.mass * masses, mean_log_density


class WithoutCovariance(Wrapped):
    """The same, but it does not say its covariance."""

    @property
    def covariance(self):
        raise AttributeError


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_class_of_a_prior_does_not_matter(name):
    plane, same = PriorPlane.of(EXAMPLES[name]), PriorPlane.of(Wrapped(EXAMPLES[name]))
    np.testing.assert_array_equal(plane.points, same.points)
    np.testing.assert_array_equal(plane.masses, same.masses)
    assert (plane.mean_log_density, plane.moment_error) == (same.mean_log_density, same.moment_error)


def test_what_is_wrong_with_the_nodes_is_measured():
    prior = GaussianPrior([[2.0, 0.9], [0.9, 1.0]])
    assert PriorPlane.of(prior).moment_error < 1e-12
    assert PriorPlane.of(Wrapped(prior, stretch=1.001)).moment_error == pytest.approx(1.001**2 - 1, rel=1e-9)
    assert PriorPlane.of(WithoutCovariance(prior, mass=1.01)).moment_error == pytest.approx(0.01, rel=1e-9)
    assert PriorPlane.of(StudentPrior(2.0, 2)).moment_error == np.inf
    assert PriorPlane.of(StudentPrior(5.0, 3)) is None


@pytest.mark.parametrize(
    ("prior", "why"),
    [
        (Wrapped(GaussianPrior.isotropic(2), stretch=1.1), r"their variance or mass is off by 0\.2"),
        (Wrapped(StudentPrior(2.0, 2)), r"it has none, and KL\(p \|\| q\) is infinite"),
    ],
)
def test_a_penalty_with_wrong_nodes_is_refused_by_its_reason(prior, why):
    """The reason is that of the prior: only a Student-t prior has degrees of freedom."""
    with pytest.raises(ValueError, match=why) as error:
        train_with_prior(
            GaussianPrior.isotropic(2), np.eye(2), 0.1, prior, beta=1.0, noise_variance=0.1, alpha=1.0
        )  # fmt: skip
    assert "degrees of freedom" not in str(error.value)


def mixture(count):
    """A code of some components in the plane, of unlike weights, places and shapes, and its log density."""
    rng = np.random.default_rng(count)
    roots = rng.standard_normal((count, 2, 2))
    code = rng.dirichlet(np.ones(count)), rng.standard_normal((count, 2)), roots @ roots.mT + 0.1 * np.eye(2)

    def log_density(points):
        return logsumexp(
            [np.log(w) + multivariate_normal(m, c).logpdf(points) for w, m, c in zip(*code, strict=True)], axis=0
        )

    return code, log_density


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", ["clusters", "spike and slab"])
def test_sums_over_blocks_of_nodes_are_sums_over_all(name, count):
    plane, (code, log_density) = PriorPlane.of(EXAMPLES[name]), mixture(count)
    assert len(plane.points) > 2 * BLOCK
    expected = plane.mean_log_density - np.sum(plane.masses * log_density(plane.points))
    assert divergence(plane, code) == pytest.approx(expected, rel=1e-12)
    assert divergence_and_slopes(plane, code)[0] == pytest.approx(expected, rel=1e-12)


def test_the_entropy_of_a_mixture_is_that_of_its_draws():
    (weights, means, covariances), log_density = mixture(3)
    rng = np.random.default_rng(0)
    which = rng.choice(3, 200_000, p=weights)
    roots = np.linalg.cholesky(covariances)
    draws = means[which] + (roots[which] @ rng.standard_normal((len(which), 2, 1)))[..., 0]
    values = -log_density(draws)
    error = values.std() / np.sqrt(len(values))
    assert code_entropy((weights, means, covariances)) == pytest.approx(values.mean(), abs=4 * error)


def test_problems_of_a_path_share_their_nodes():
    prior, loading = EXAMPLES["clusters"], np.eye(2)
    problem = prior_problem(prior, loading, 0.1, prior, 1.0, 0.1, 0.0, "full", None)
    weighted = with_alpha(problem, 2.0)
    assert weighted.alpha == 2.0 and weighted.planes is problem.planes
    run = train_problem(weighted, "full", rng=0)
    same = train_with_prior(prior, loading, 0.1, prior, beta=1.0, noise_variance=0.1, alpha=2.0, rng=0)
    assert (run.loss, run.divergence) == (same.loss, same.divergence)
    with pytest.raises(ValueError, match="alpha must be >= 0"):
        with_alpha(problem, -1.0)

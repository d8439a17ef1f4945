"""The nodes that training takes from a prior: only its methods count, never its class."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.priors.mixture_code import PriorPlane
from numerics.priors.training import train_with_prior
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

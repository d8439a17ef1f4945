"""The chain rule of total correlation, and the objective split along groups."""

from __future__ import annotations

import numpy as np
import pytest

from theory import gaussian
from theory.groups import Weights, equal_groups, grouped_terms, total_correlation_path
from theory.model import LinearVAE
from theory.moments import Moments
from theory.objective import elbo_terms

PARTITIONS = ("diagonal", "full", [[0, 3], [1, 2]], [[0], [1, 2, 3]])


def random_covariance(size, rng):
    root = rng.standard_normal((size, size + 1))
    return root @ root.T


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    vae = LinearVAE(
        rng.standard_normal((5, 4)), 0.4 * rng.standard_normal((4, 5)), random_covariance(4, rng) / 4, 0.6, np.ones(5)
    )
    return vae, Moments(0, rng.standard_normal(5), random_covariance(5, rng))


def entropy_of(covariance, members):
    return gaussian.entropy(covariance[np.ix_(members, members)])


@pytest.mark.parametrize("groups", PARTITIONS, ids=str)
def test_parts_against_entropies(problem, groups):
    """Total correlation is a sum of entropies minus that of the whole."""
    vae, data = problem
    code = vae.encoder @ data.covariance @ vae.encoder.T + vae.posterior_covariance
    members = {"diagonal": [[0], [1], [2], [3]], "full": [[0, 1, 2, 3]]}.get(str(groups), groups)
    terms = grouped_terms(vae, data, groups)
    between = sum(entropy_of(code, group) for group in members) - gaussian.entropy(code)
    within = [sum(entropy_of(code, [j]) for j in group) - entropy_of(code, group) for group in members]
    assert terms.between == pytest.approx(between, abs=1e-12)
    np.testing.assert_allclose(terms.within, within, atol=1e-12)
    # Negative control: the weights of the chain rule are one and one.
    total = elbo_terms(vae, data).total_correlation
    assert terms.between + terms.within.sum() == pytest.approx(total, abs=1e-12)
    assert abs(terms.between + 1.01 * terms.within.sum() - total) > 1e-4 or groups == "diagonal"


@pytest.mark.parametrize("prior", [None, "correlated"])
@pytest.mark.parametrize("groups", PARTITIONS, ids=str)
def test_equal_weights_are_the_beta_vae(problem, groups, prior):
    vae, data = problem
    prior = None if prior is None else random_covariance(4, np.random.default_rng(1))
    terms, whole = grouped_terms(vae, data, groups, prior=prior), elbo_terms(vae, data, prior=prior)
    assert terms.loss(Weights.uniform(1.7)) == pytest.approx(whole.loss(1.7), abs=1e-11)
    for part in ("distortion", "reconstruction", "mutual_information", "dimension_wise_kl"):
        assert getattr(terms, part) == getattr(whole, part)
    assert (terms.prior_dependence != 0) == (prior is not None)


def test_group_wise_divergence(problem):
    """KL(q(z_g) || N(0, I)) group by group, directly, with the mean that the data bring."""
    vae, data = problem
    code = vae.encoder @ data.covariance @ vae.encoder.T + vae.posterior_covariance
    mean = vae.encoder @ (data.mean - vae.mean)
    groups = [[0, 3], [1, 2]]
    direct = sum(gaussian.kl_divergence(mean[g], code[np.ix_(g, g)], np.zeros(2), np.eye(2)) for g in groups)
    assert grouped_terms(vae, data, groups).group_wise_kl == pytest.approx(direct, abs=1e-12)


def test_along_a_hierarchy():
    covariance = random_covariance(6, np.random.default_rng(2))
    path = total_correlation_path(covariance, ["full", [[0, 1, 2, 3], [4, 5]], [[0, 1], [2, 3], [4], [5]]])
    np.testing.assert_allclose(path.increments[:1], 0.0)
    np.testing.assert_allclose(np.cumsum(path.increments[:-1]), path.between, atol=1e-12)
    assert path.increments.sum() == pytest.approx(gaussian.total_correlation(covariance), abs=1e-12)
    assert np.all(path.increments[1:] > 0.01)


def test_a_hierarchy_must_refine():
    with pytest.raises(ValueError, match=r"partitions\[1\] must refine .* its group \[1, 2\] crosses groups"):
        total_correlation_path(np.eye(3), [[[0, 1], [2]], [[0], [1, 2]]])
    with pytest.raises(ValueError, match="at least one partition"):
        total_correlation_path(np.eye(3), [])


def test_equal_groups():
    assert equal_groups(6, 2) == [[0, 1], [2, 3], [4, 5]]
    assert equal_groups(5, 2) == [[0, 1], [2, 3], [4]]
    assert equal_groups(3, 7) == [[0, 1, 2]]
    assert equal_groups(0, 2) == []
    with pytest.raises(ValueError, match="size must be >= 1"):
        equal_groups(4, 0)


def test_numbers_too_large_and_empty_groups(problem):
    vae, _ = problem
    with pytest.raises(ValueError, match="covariance must be zero or between 1e-100 and 1e100 in size"):
        grouped_terms(vae, 1e308 * np.eye(5), "diagonal")
    # What the parts of the plain objective can hold, those along groups can: the encoder was too large, not the data.
    large = LinearVAE(1e-50 * np.eye(2), 1e80 * np.eye(2), np.eye(2), 1.0)
    assert grouped_terms(large, np.eye(2), "diagonal").loss(Weights()) == elbo_terms(large, np.eye(2)).loss(1.0)
    with pytest.raises(ValueError, match="groups must have no empty group, its group 1 is empty"):
        grouped_terms(vae, np.eye(5), [[0, 1, 2, 3], []])
    with pytest.raises(ValueError, match="vae must be a LinearVAE, got None"):
        grouped_terms(None, np.eye(5), "diagonal")
    assert equal_groups(np.uint8(200), np.uint8(100)) == [list(range(100)), list(range(100, 200))]  # no wrap at 256

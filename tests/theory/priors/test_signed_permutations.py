"""Symmetries of the priors: which matrices keep a density."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cases import orthogonal
from tests.theory.priors.families import PRIORS, priors
from theory.axes import plane_rotation

LOCKING = ["student", "student_9", "spike_slab", "spike_slab_3", "clusters", "wide_clusters"]


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

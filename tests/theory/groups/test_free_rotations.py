"""Rotations that a block-diagonal posterior leaves free, and the curvature of the energy in the other planes."""

from __future__ import annotations

import numpy as np
import pytest

import theory
from theory.axes import plane_rotation, rotate, rotation_curvature, rotation_energy
from theory.groups import block_rotation, free_planes
from theory.inference import family_gap

BLOCKS = [[0, 2], [1, 3]]
COVARIANCE = np.diag([5.0, 3.0, 2.0, 1.0, 0.2])


@pytest.fixture(scope="module")
def best():
    return theory.optimum(COVARIANCE, 4, beta=1.5, noise_variance=0.3)


def test_the_curvature_is_that_of_the_energy(best):
    vae = best.vae
    precisions = 1 / np.diagonal(vae.posterior_covariance)
    curvature = rotation_curvature(precisions, 1.5, posterior=BLOCKS)
    step = 1e-3
    for i, j in ((0, 1), (0, 2), (2, 3), (1, 3)):
        energy = rotation_energy(vae.decoder, 0.3, 1.5, plane_rotation(4, step, i, j), posterior=BLOCKS)
        # Next order in the step, 1e-6, and rounding over its square, 1e-10.
        assert 2 * energy / step**2 == pytest.approx(curvature[i, j], rel=1e-5, abs=1e-8)
    both = plane_rotation(4, step, 0, 1) @ plane_rotation(4, step, 2, 3)
    energy = rotation_energy(vae.decoder, 0.3, 1.5, both, posterior=BLOCKS)
    assert 2 * energy / step**2 == pytest.approx(curvature[0, 1] + curvature[2, 3], rel=1e-5)


def test_rotations_inside_blocks_are_free(best):
    rotation = block_rotation(4, BLOCKS, np.random.default_rng(0))
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(4), atol=1e-14)
    moved = rotate(best.vae, rotation)
    assert moved.belongs_to(BLOCKS) and not moved.belongs_to("diagonal")
    assert theory.elbo_terms(moved, COVARIANCE).loss(1.5) == pytest.approx(best.loss, abs=1e-12)
    assert family_gap(moved.decoder, 0.3, 1.5, posterior=BLOCKS) == pytest.approx(0, abs=1e-14)
    assert family_gap(moved.decoder, 0.3, 1.5) > 1e-3
    across = block_rotation(4, [[0, 1], [2, 3]], np.random.default_rng(0))
    assert family_gap(rotate(best.vae, across).decoder, 0.3, 1.5, posterior=BLOCKS) > 1e-3


def test_count_of_free_planes():
    distinct, tied = [4.0, 3.0, 2.0, 1.0], [4.0, 4.0, 2.0, 2.0]
    assert [free_planes(distinct, posterior=p) for p in ("diagonal", BLOCKS, "full")] == [0, 2, 6]
    assert [free_planes(tied, posterior=p) for p in ("diagonal", BLOCKS, "full")] == [2, 4, 6]
    for precisions in (distinct, tied):
        flat = np.triu(rotation_curvature(precisions, 2.0, posterior=BLOCKS) == 0, 1)
        assert np.count_nonzero(flat) == free_planes(precisions, posterior=BLOCKS)


def test_misuse():
    with pytest.raises(ValueError, match="precisions must be > 0"):
        rotation_curvature([1.0, 0.0], 1.0)

"""Nodes of the priors of two latents: what they integrate, and how they grow finer."""

from __future__ import annotations

import numpy as np
import pytest

from tests.theory.priors.families import PRIORS
from theory.priors import GaussianPrior, SpikeSlabPrior
from theory.priors.plane_nodes import mixture_nodes, normal_nodes
from theory.priors.registry import EXAMPLES

PLANE = {name: prior for name, prior in (EXAMPLES | PRIORS).items() if prior.latent_dim == 2}


@pytest.mark.parametrize("prior", PLANE.values(), ids=PLANE)
def test_nodes_of_every_family(prior):
    """Masses of sum one, E log p, and the covariance where the prior has one."""
    points, masses, mean_log_density = prior.nodes(96)
    assert points.shape == (*masses.shape, 2) and masses.sum() == pytest.approx(1, abs=1e-14)
    # A tenth of what training allows: the log density of clusters bends between the nodes.
    assert masses @ prior.log_density(points) == pytest.approx(mean_log_density, abs=1e-6)
    if np.isfinite(prior.covariance).all():
        np.testing.assert_allclose((masses * points.T) @ points, prior.covariance, rtol=0, atol=1e-10)
    assert len(prior.nodes(192)[1]) > 2 * len(masses)


@pytest.mark.parametrize("power", [0, 2, 4, 6])
def test_moments_of_a_normal_density(power):
    places, masses = normal_nodes(96)
    assert masses @ places**power == pytest.approx(np.prod(np.arange(power - 1, 0, -2)), rel=1e-12)


def test_a_mixture_has_the_nodes_of_each_component():
    places, masses = mixture_nodes([(0.3, -2.0, 0.1), (0.7, 1.0, 2.0)], 96)
    assert masses @ places == pytest.approx(0.1, abs=1e-12)
    assert masses @ places**2 == pytest.approx(0.3 * 4.01 + 0.7 * 5, rel=1e-12)


@pytest.mark.parametrize("prior", [SpikeSlabPrior(3), GaussianPrior.isotropic(1)], ids=str)
def test_only_a_plane_has_nodes(prior):
    with pytest.raises(ValueError, match="nodes are those of a prior of two latents"):
        prior.nodes(64)

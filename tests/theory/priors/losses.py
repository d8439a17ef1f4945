"""The loss with any prior from its definition, and the priors that the tests of optima and rotations share."""

from __future__ import annotations

import numpy as np
import pytest

from theory.objective import elbo_terms
from theory.priors import ClusterPrior, GaussianPrior, SpikeSlabPrior, StudentPrior

BETA, NOISE = 1.3, 0.4
COVARIANCE = np.diag([4.0, 2.0, 0.9])
PRIORS = {
    "correlated": GaussianPrior([[2.0, 0.6], [0.6, 0.5]]),
    "anisotropic": GaussianPrior.anisotropic([3.0, 0.5]),
    "student": StudentPrior(2.0, 2),
    "spike_slab": SpikeSlabPrior(2, 0.3, 0.4),
    "clusters": ClusterPrior(),
}
priors = pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)


def loss_with(prior, vae):
    """The objective from its definition: the expected log prior over the aggregate code, the entropy of q."""
    posterior = vae.posterior_covariance
    code = vae.encoder @ COVARIANCE @ vae.encoder.T + posterior
    entropy = (len(posterior) * np.log(2 * np.pi * np.e) + np.linalg.slogdet(posterior)[1]) / 2
    rate = -entropy - prior.expected_log_density(np.zeros(len(posterior)), code)
    return elbo_terms(vae, COVARIANCE).reconstruction + BETA * rate


class Tilted:
    """A prior of a user's own: a plane of clusters, sheared. Nothing but the members that a prior must have."""

    latent_dim = 2
    shear = np.array([[1.0, 0.0], [0.7, 1.0]])

    def log_density(self, latents):
        return ClusterPrior().log_density(latents @ self.shear.T)

    def expected_log_density(self, mean, covariance):
        return ClusterPrior().expected_log_density(self.shear @ mean, self.shear @ covariance @ self.shear.T)

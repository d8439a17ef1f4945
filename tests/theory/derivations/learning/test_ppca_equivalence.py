"""The page on probabilistic PCA ends with the loss that `theory` computes."""

import numpy as np
import pytest

import theory
from theory.derivations.engine.notation import D, K, S, W, beta, t
from theory.derivations.learning.ppca_equivalence import derivation
from theory.learning import profile_loss

EIGENVALUES = np.array([5.0, 2.0, 1.0, 0.4])
COVARIANCE = np.diag(EIGENVALUES)


@pytest.mark.parametrize("weight", [0.7, 1.0, 3.0])
def test_the_loss_is_a_likelihood(weight):
    decoder = np.random.default_rng(0).standard_normal((4, 2))
    noise = 0.3
    best = theory.optimal_encoder(decoder, noise, weight, posterior="full")
    loss = derivation().function("The loss as a likelihood", W, S, beta, t, K, D)(
        decoder, COVARIANCE, weight, weight * noise, 2, 4
    )
    assert loss == pytest.approx(theory.elbo_terms(best, COVARIANCE).loss(weight), rel=1e-10)


@pytest.mark.parametrize("weight", [0.7, 1.0, 1.5])
def test_its_least_value_is_the_profile_loss(weight):
    noise = 0.3
    best = theory.optimum(COVARIANCE, 2, beta=weight, noise_variance=noise).vae
    loss = derivation().function("The loss as a likelihood", W, S, beta, t, K, D)(
        best.decoder, COVARIANCE, weight, weight * noise, 2, 4
    )
    assert loss == pytest.approx(profile_loss(EIGENVALUES, 2, weight, noise), rel=1e-10)

"""The page on probabilistic PCA ends with the loss that `theory` computes."""

import numpy as np
import pytest

import theory
from theory.derivations.engine.notation import D, K, S, W, beta, t
from theory.derivations.learning.ppca import derivation

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

"""The page on the aggregate posterior ends with what `theory` computes."""

import numpy as np
import pytest

import theory
from theory.derivations.engine.notation import K, S, W, t
from theory.derivations.engine.page import as_function
from theory.derivations.learning.aggregate_posterior import derivation

EIGENVALUES = np.array([5.0, 2.0, 1.0, 0.4])
COVARIANCE = np.diag(EIGENVALUES)


def test_rate_and_distortion_at_the_optimum():
    page, weight, noise = derivation(), 1.5, 0.5
    best = theory.optimum(COVARIANCE, 3, beta=weight, noise_variance=noise)
    decoder = best.vae.decoder
    # As the page writes it: writing out S too would replace the covariance by an example of a stationary one.
    distortion = as_function(page.step("Distortion").relation.rhs, W, S)(decoder, COVARIANCE)
    assert distortion == pytest.approx(best.distortion, rel=1e-10)
    rate = page.function("Rate", W, t, K)(decoder, weight * noise, 3)
    assert rate == pytest.approx(best.rate, rel=1e-10)
    assert theory.elbo_terms(best.vae, COVARIANCE).aggregate_kl == pytest.approx(0, abs=1e-12)

"""The search over all parameters finds the plain VAE where it is known in closed form, and reports its own loss."""

import numpy as np
import pytest

from numerics.grouped_search import search_grouped
from theory import elbo_terms, optimal_encoder, optimum
from theory.groups import Weights, grouped_terms

COVARIANCE = np.diag([4.0, 2.0, 1.0, 0.5])


@pytest.mark.parametrize("posterior", ["diagonal", "full"])
def test_a_held_decoder(posterior):
    decoder = np.random.default_rng(0).standard_normal((4, 3))
    options = {"noise_variance": 0.5, "posterior": posterior, "decoder": decoder}
    found = search_grouped(COVARIANCE, 3, Weights.uniform(1.5), "diagonal", **options)
    best = optimal_encoder(decoder, 0.5, 1.5, posterior=posterior)
    np.testing.assert_allclose(found.vae.encoder, best.encoder, atol=1e-6)
    np.testing.assert_allclose(found.vae.posterior_covariance, best.posterior_covariance, atol=1e-6)
    assert found.loss == pytest.approx(elbo_terms(found.vae, COVARIANCE).loss(1.5), rel=1e-12)
    assert np.array_equal(found.vae.decoder, decoder)


def test_a_learned_decoder():
    weights = Weights.independence(3.0)
    found = search_grouped(COVARIANCE, 2, weights, "diagonal", noise_variance=0.5)
    assert found.loss == pytest.approx(optimum(COVARIANCE, 2, noise_variance=0.5).loss, abs=1e-8)
    assert grouped_terms(found.vae, COVARIANCE, "diagonal").loss(weights) == pytest.approx(found.loss, rel=1e-12)

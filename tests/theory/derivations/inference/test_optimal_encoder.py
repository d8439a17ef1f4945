"""The page on the best encoder ends with what `theory` computes."""

import pytest

import theory
from tests.theory.derivations.inference.cases import TRUTHS, any_vae
from theory.derivations.engine.notation import K, Q, S, V, W, beta, t
from theory.derivations.inference.optimal_encoder import derivation


@pytest.mark.parametrize("truth", TRUTHS.values(), ids=TRUTHS)
def test_excess_loss_of_any_encoder(truth):
    vae, weight = any_vae(truth), 1.7
    page = derivation()
    best = theory.optimal_encoder(vae.decoder, vae.noise_variance, weight, posterior="full")
    excess = page.function("The loss as a completed square", W, V, Q, S, beta, t, K)(
        vae.decoder,
        vae.encoder,
        vae.posterior_covariance,
        truth.covariance,
        weight,
        weight * vae.noise_variance,
        vae.latent_dim,
    )
    losses = [theory.elbo_terms(model, truth.covariance).loss(weight) for model in (vae, best)]
    assert excess == pytest.approx(losses[0] - losses[1], rel=1e-10)

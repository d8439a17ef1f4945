"""The symbolic objective is the objective that numpy computes, part by part."""

import numpy as np
import pytest

import theory
from theory.derivations.engine.notation import D, K, Q, S, V, W, beta, sigma
from theory.derivations.engine.page import as_function, write_out
from theory.derivations.foundations import elbo_parts as symbolic
from theory.objective import loss_from_parts

LETS = (symbolic.AGGREGATE, symbolic.DIAGONAL)
PARTS = {
    "distortion": symbolic.distortion(),
    "rate": symbolic.rate(),
    "reconstruction": symbolic.reconstruction(symbolic.distortion()),
    "mutual_information": symbolic.mutual_information(),
    "total_correlation": symbolic.total_correlation(),
    "dimension_wise_kl": symbolic.dimension_wise_kl(),
    "aggregate_kl": symbolic.aggregate_kl(),
}


@pytest.fixture(params=[(1, 1), (2, 3), (3, 2), (4, 5)], ids=str)
def case(request):
    latent_dim, data_dim = request.param
    rng = np.random.default_rng([latent_dim, data_dim])
    root, spread = rng.standard_normal((data_dim, data_dim)), rng.standard_normal((latent_dim, latent_dim))
    covariance = root @ root.T
    vae = theory.LinearVAE(
        rng.standard_normal((data_dim, latent_dim)),
        rng.standard_normal((latent_dim, data_dim)),
        spread @ spread.T + 0.1 * np.eye(latent_dim),
        noise_variance=rng.uniform(0.1, 2),
    )
    return vae, covariance


def evaluate(expression, vae, covariance, weight=1.0):
    function = as_function(write_out(expression, LETS, matrices=True), W, V, Q, S, sigma, beta, K, D)
    deviation = np.sqrt(vae.noise_variance)
    arrays = vae.decoder, vae.encoder, vae.posterior_covariance, covariance
    return function(*arrays, deviation, weight, vae.latent_dim, vae.data_dim)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_that_of_elbo_terms(part, case):
    vae, covariance = case
    terms = theory.elbo_terms(vae, covariance)
    assert evaluate(PARTS[part], vae, covariance) == pytest.approx(getattr(terms, part), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("weight", [0.3, 1.0, 4.0])
def test_the_loss_is_that_of_elbo_terms(weight, case):
    vae, covariance = case
    terms = theory.elbo_terms(vae, covariance)
    loss = evaluate(symbolic.loss(), vae, covariance, weight)
    assert loss == pytest.approx(terms.loss(weight), rel=1e-10)
    assert loss == pytest.approx(
        loss_from_parts(terms.distortion, terms.rate, vae.noise_variance, weight, vae.data_dim), rel=1e-10
    )


def test_the_page_ends_with_these_parts(case):
    page = symbolic.derivation()
    vae, covariance = case
    terms = theory.elbo_terms(vae, covariance)
    ends = {"Distortion": terms.distortion, "Rate": terms.rate, "Loss": terms.loss(2.0)}
    assert set(ends) <= set(page.results)
    for title, expected in ends.items():
        assert evaluate(page.formula(title), vae, covariance, 2.0) == pytest.approx(expected, rel=1e-10)
    for title, expected in {
        "Mutual information": terms.mutual_information,
        "Mismatch with the prior": terms.aggregate_kl,
        "Mismatch as dependence plus margins": terms.aggregate_kl,
    }.items():
        assert evaluate(page.formula(title), vae, covariance) == pytest.approx(expected, rel=1e-10, abs=1e-10)

"""The pages on a learned decoder end with what `theory.learning` computes."""

import numpy as np
import pytest
import sympy as sp

import theory
from theory import learning
from theory.derivations.engine.notation import D, K, S, W, beta, t
from theory.derivations.engine.page import as_function
from theory.derivations.registry import find

EIGENVALUES = np.array([5.0, 2.0, 1.0, 0.4])
COVARIANCE = np.diag(EIGENVALUES)
l = sp.Symbol("l", positive=True)  # noqa: E741 (the book's name of an eigenvalue)


def page_of(name):
    (page,) = find([name])
    return page


@pytest.mark.parametrize("weight", [0.7, 1.0, 3.0])
def test_the_loss_is_a_likelihood(weight):
    decoder = np.random.default_rng(0).standard_normal((4, 2))
    noise = 0.3
    best = theory.optimal_encoder(decoder, noise, weight, posterior="full")
    loss = page_of("ppca-equivalence").function("The loss as a likelihood", W, S, beta, t, K, D)(
        decoder, COVARIANCE, weight, weight * noise, 2, 4
    )
    assert loss == pytest.approx(theory.elbo_terms(best, COVARIANCE).loss(weight), rel=1e-10)


def test_gain_and_variance_at_the_optimum():
    page, noise, weight = page_of("global-optimum"), 0.5, 1.5
    best = theory.optimum(COVARIANCE, 2, beta=weight, noise_variance=noise)
    active, level = EIGENVALUES[:2], weight * noise
    gains = page.function("Encoder gain", l, t)(active, level)
    assert gains == pytest.approx(np.linalg.norm(best.vae.encoder, axis=1), rel=1e-10)
    variances = page.function("Posterior variance", l, t)(active, level)
    assert variances == pytest.approx(np.diagonal(best.vae.posterior_covariance), rel=1e-10)


def test_a_mode_collapses_at_its_critical_beta():
    curvature = page_of("global-optimum").function("Curvature of a collapsed mode", l, t)
    noise = 0.5
    critical = learning.critical_betas(EIGENVALUES, 3, noise)
    assert curvature(EIGENVALUES[:3], critical * noise) == pytest.approx(0, abs=1e-12)
    assert (curvature(EIGENVALUES[:3], 0.9 * critical * noise) < 0).all()


def test_rate_and_distortion_at_the_optimum():
    page, weight, noise = page_of("aggregate-posterior"), 1.5, 0.5
    best = theory.optimum(COVARIANCE, 3, beta=weight, noise_variance=noise)
    decoder = best.vae.decoder
    # As the page writes it: writing out S too would replace the covariance by an example of a stationary one.
    distortion = as_function(page.step("Distortion").relation.rhs, W, S)(decoder, COVARIANCE)
    assert distortion == pytest.approx(best.distortion, rel=1e-10)
    rate = page.function("Rate", W, t, K)(decoder, weight * noise, 3)
    assert rate == pytest.approx(best.rate, rel=1e-10)
    assert theory.elbo_terms(best.vae, COVARIANCE).aggregate_kl == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("level", [0.2, 1.0, 4.0])
def test_one_mode_of_the_curve(level):
    page = page_of("water-filling")
    point = theory.rate_distortion([5.0], level)
    assert page.function("Distortion of an active mode", t)(level) == pytest.approx(point.distortion, rel=1e-10)
    assert page.function("Rate of an active mode", l, t)(5.0, level) == pytest.approx(point.rate, rel=1e-10)


@pytest.mark.parametrize("weight", [0.5, 1.0, 1.4, 2.2])
def test_learned_noise(weight):
    page = page_of("learned-noise")
    found = learning.learned_noise_variance(EIGENVALUES, 3, weight)
    q, r, last = sp.Symbol("q", integer=True, positive=True), *sp.symbols("r l_q", positive=True)
    active = int(found.active_count)
    beyond = EIGENVALUES[active:].sum()
    assert sp.lambdify((r, q, beta, D), page.abbreviation("v_o"))(beyond, active, weight, 4) == pytest.approx(
        found.noise_variance, rel=1e-10
    )
    above = page.function("When a mode is active", last, r, q, beta, D)
    critical = learning.critical_betas(EIGENVALUES, 3)
    for mode in range(1, 4):
        height = above(EIGENVALUES[mode - 1], EIGENVALUES[mode:].sum(), mode, critical[mode - 1], 4)
        assert height == pytest.approx(0, abs=1e-12)

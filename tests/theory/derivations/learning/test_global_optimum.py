"""The page on the global optimum ends with what `theory` computes."""

import numpy as np
import pytest
import sympy as sp

import theory
from theory import learning
from theory.derivations.engine.notation import D, K, t
from theory.derivations.learning.global_optimum import derivation

EIGENVALUES = np.array([5.0, 2.0, 1.0, 0.4])
COVARIANCE = np.diag(EIGENVALUES)
l = sp.Symbol("l", positive=True)  # noqa: E741 (the book's name of an eigenvalue)


def test_gain_and_variance_at_the_optimum():
    page, noise, weight = derivation(), 0.5, 1.5
    best = theory.optimum(COVARIANCE, 2, beta=weight, noise_variance=noise)
    active, level = EIGENVALUES[:2], weight * noise
    gains = page.function("Encoder gain", l, t)(active, level)
    assert gains == pytest.approx(np.linalg.norm(best.vae.encoder, axis=1), rel=1e-10)
    variances = page.function("Posterior variance", l, t)(active, level)
    assert variances == pytest.approx(np.diagonal(best.vae.posterior_covariance), rel=1e-10)


def test_a_mode_collapses_at_its_critical_beta():
    curvature = derivation().function("Curvature of a collapsed mode", l, t)
    noise = 0.5
    critical = learning.critical_betas(EIGENVALUES, 3, noise)
    assert curvature(EIGENVALUES[:3], critical * noise) == pytest.approx(0, abs=1e-12)
    assert (curvature(EIGENVALUES[:3], 0.9 * critical * noise) < 0).all()


@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_a_learned_latent_sees_a_principal_axis_of_the_factors(angle):
    """One factor each if the columns are orthogonal; the errors of a learned decoder are those of such a code."""
    lengths, gains = sp.MatrixSymbol("Sigma", D, K), sp.MatrixSymbol("F", K, D)
    basis = np.linalg.qr(np.random.default_rng(5).standard_normal((4, 4)))[0]
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    sizes = np.eye(4, 2) * [2.0, 1.2]
    truth = theory.GenerativeModel(basis @ sizes @ axes.T, 0.3)
    best = theory.optimum(truth.covariance, 2, beta=1.5, noise_variance=0.3)
    level, powers = 0.45, np.diagonal(sizes) ** 2 + 0.3
    gain = np.diag(np.sqrt(powers - level) / powers) @ np.eye(2, 4)
    formula = derivation().function(
        "What a learned latent sees of the factors", gains, lengths, sp.MatrixSymbol("R", K, K)
    )
    seen, found = formula(gain, sizes, axes), best.vae.encoder @ truth.loading
    signs = np.sign(np.sum(seen * found, axis=1))
    assert signs[:, np.newaxis] * found == pytest.approx(seen, abs=1e-12)
    error = theory.inference_error(truth, best.vae, match=True).mean_squared_error
    alone = 2 - 2 * np.diagonal(seen).sum() + np.sum(seen**2) + 0.3 * np.sum(gain**2)
    assert error == pytest.approx(alone, rel=1e-12)
    assert (np.abs(seen - np.diag(np.diagonal(seen))).max() < 1e-12) == (angle == 0)

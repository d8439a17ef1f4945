"""The page on the global optimum ends with what `theory` computes."""

import numpy as np
import pytest
import sympy as sp

import theory
from theory import learning
from theory.derivations.engine.notation import t
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

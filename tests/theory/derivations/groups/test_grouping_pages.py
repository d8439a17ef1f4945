"""The pages on groups say what `theory.groups` computes."""

import numpy as np
import pytest
import sympy as sp
from scipy.optimize import brentq

import theory
from theory.axes import rotation_curvature
from theory.derivations.engine.notation import A, D, K, S, V, W, sigma
from theory.derivations.groups import (
    copied_signals,
    correlated_prior,
    free_rotations,
    grouped_objective,
)
from theory.derivations.groups import granularity_slope as slope_page
from theory.groups import (
    Weights,
    correlated_prior_shift,
    granularity_slope,
    grouped_loss,
    grouped_terms,
)
from theory.partition import partition


@pytest.mark.parametrize(("rho", "weight"), [(0.6, 3.0), (-0.9, 0.5)])
def test_correlated_prior(rho, weight):
    page, symbols = correlated_prior.derivation(), sp.symbols("r a", real=True)
    w = sp.Symbol("w", positive=True)
    slope = page.function("Best correlation", *symbols, w)
    root = brentq(lambda r: slope(r, rho, weight), -1, 1)
    shift = page.function("Cost at the best scale", *symbols, w)(root, rho, weight)
    assert correlated_prior_shift(rho, weight) == pytest.approx(shift, abs=1e-11)


def test_stiffness():
    page = free_rotations.derivation()
    arguments = (*sp.symbols("c_1 c_2", positive=True), sp.Symbol("beta", positive=True))
    value = page.function("Stiffness", *arguments)(3.0, 1.2, 1.7)
    assert rotation_curvature([3.0, 1.2], 1.7)[0, 1] == pytest.approx(value, rel=1e-12)


def test_collected_objective():
    page = grouped_objective.derivation()
    names = sp.symbols("w_I w_B w_W w_D", positive=True)
    matrices = sp.MatrixSymbol("C", 3, 3), sp.MatrixSymbol("Q", 3, 3)
    rng = np.random.default_rng(0)
    roots = rng.standard_normal((2, 3, 4))
    weights, encoder, posterior = (1.3, 2.0, 0.4, 0.7), np.eye(3), roots[1] @ roots[1].T
    covariance = roots[0] @ roots[0].T
    value = page.function("Collected by determinants", *names, *matrices)(*weights, covariance + posterior, posterior)
    groups = partition([[0, 1], [2]], 3)
    loss = grouped_loss(np.zeros((3, 3)), encoder, posterior, 1.0, covariance, Weights(*weights), groups)
    assert loss == pytest.approx(value + np.trace(covariance) / 2 + 1.5 * np.log(2 * np.pi), rel=1e-12)


def test_slope():
    page = slope_page.derivation()
    rng = np.random.default_rng(1)
    truth = theory.GenerativeModel(rng.standard_normal((4, 3)), 0.3, [[1, 0.7, 0], [0.7, 1, 0], [0, 0, 1]])
    vae = theory.optimal_encoder(truth.loading, 0.3, 1.0)
    code = vae.encoder @ truth.covariance @ vae.encoder.T + vae.posterior_covariance
    pull = np.diag(1 / np.diagonal(code)) - np.linalg.inv(code)
    matrices = [sp.MatrixSymbol("N", K, K), V, S, sp.MatrixSymbol("Gamma", K, K), A, W]
    value = page.function("Slope", K, D, sigma, *matrices)(
        3, 4, np.sqrt(0.3), pull, vae.encoder, truth.covariance, truth.factor_covariance, truth.loading, truth.loading
    )
    assert granularity_slope(truth, "diagonal") == pytest.approx(value, rel=1e-10)


def test_copied_signals():
    """The page's cost is that of the parts, for one signal in three latents."""
    names = (*sp.symbols("w_I", positive=True, seq=True), *sp.symbols("w_B w_W", real=True))
    value = copied_signals.derivation().function("One signal in three latents", *names, sp.Symbol("e", positive=True))
    code = 0.9 * np.ones((3, 3)) + 0.1 * np.eye(3)
    vae = theory.LinearVAE(np.zeros((1, 3)), np.sqrt(0.9) * np.ones((3, 1)), 0.1 * np.eye(3), 1.0)
    terms = grouped_terms(vae, np.eye(1), [[0, 1], [2]])
    weights = Weights(1.3, -0.4, -0.7)
    cost = terms.loss(weights) - terms.reconstruction
    assert np.allclose(vae.encoder @ vae.encoder.T + vae.posterior_covariance, code)
    assert value(1.3, -0.4, -0.7, 0.1) == pytest.approx(cost, rel=1e-12)

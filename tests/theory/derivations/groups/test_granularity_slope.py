"""The page on the slope in the granularity ends with what `theory.groups` computes."""

import numpy as np
import pytest
import sympy as sp

import theory
from theory.derivations.engine.notation import A, D, K, S, V, W, sigma
from theory.derivations.groups.granularity_slope import derivation
from theory.groups import granularity_slope


def test_slope():
    page = derivation()
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

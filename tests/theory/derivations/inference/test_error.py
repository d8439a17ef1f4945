"""The page on the four errors ends with what `theory` computes."""

import numpy as np
import pytest
import sympy as sp

import theory
from tests.theory.derivations.inference.cases import TRUTHS, any_vae
from theory.derivations.engine.notation import A, D, K, Q, V, t, tau
from theory.derivations.inference.error import derivation


@pytest.mark.parametrize("truth", TRUTHS.values(), ids=TRUTHS)
def test_four_errors(truth):
    vae, page = any_vae(truth), derivation()
    errors = theory.inference_error(truth, vae)
    size = truth.latent_dim
    noise = truth.noise_variance * np.eye(truth.data_dim)
    factors, M = sp.MatrixSymbol("Gamma", K, K), sp.MatrixSymbol("M", K, K)
    symbols = (A, V, Q, factors, sp.MatrixSymbol("N", D, D), K)
    values = (truth.loading, vae.encoder, vae.posterior_covariance, truth.factor_covariance, noise, size)
    ends = {
        "Log score": errors.log_score,
        "Forward divergence": errors.forward_kl,
        "Reverse divergence": errors.reverse_kl,
    }
    for title, expected in ends.items():
        assert page.function(title, *symbols)(*values) == pytest.approx(expected, rel=1e-10), title
    squared = page.function("The error matrix", M, *symbols)(np.eye(size), *values)
    assert squared == pytest.approx(errors.mean_squared_error, rel=1e-10)


@pytest.mark.parametrize("weight", [0.4, 1.0, 3.0])
def test_error_matrix_of_the_best_encoder(weight):
    for name in ("independent", "more factors than data"):
        truth = TRUTHS[name]
        level = weight * truth.noise_variance
        matrix = derivation().function("Error matrix of the best encoder", A, t, tau, K)(
            truth.loading, level, np.sqrt(truth.noise_variance), truth.latent_dim
        )
        curve = theory.inference_error_curve(truth, [weight])
        assert np.trace(matrix) == pytest.approx(curve.mean_squared_error[0], rel=1e-10)

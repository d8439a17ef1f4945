"""The page on the four errors ends with what `theory` computes."""

import numpy as np
import pytest
import sympy as sp

import theory
from tests.theory.derivations.inference.cases import TRUTHS, any_vae
from theory.derivations.engine.notation import A, D, K, Q, V, W, t, tau
from theory.derivations.inference.inference_error import derivation

FACTORS = sp.MatrixSymbol("Gamma", K, K), sp.MatrixSymbol("N", D, D)


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


def test_slopes_along_the_curve_of_any_decoder():
    """Both slopes, from the page, vanish at the beta that `optimal_beta` finds."""
    page, rng = derivation(), np.random.default_rng(4)
    truth = theory.GenerativeModel(rng.standard_normal((4, 2)), 0.3, [[1.0, 0.4], [0.4, 1.0]])
    decoder, noise = truth.loading + 0.1 * rng.standard_normal((4, 2)), 0.3
    e, step = sp.Symbol("epsilon", real=True), 1e-6
    change = page.function("Any decoder: the slope of the mean squared error", A, W, *FACTORS, t, e, K)

    def slope(level):
        values = (truth.loading, decoder, truth.factor_covariance, noise * np.eye(4), level)
        return (change(*values, step, 2) - change(*values, -step, 2)) / (2 * step)

    best = theory.optimal_beta(truth, "mean_squared_error", decoder=decoder)
    assert best.attained and slope(noise * best.beta) == pytest.approx(0, abs=1e-8)
    assert slope(noise) * (1 - best.beta) > 1e-5

    names = (*sp.symbols("h t_o c", positive=True), sp.Symbol("k", real=True))
    share = page.function("Any decoder: the slope of the log score", *names)
    level = noise * theory.optimal_beta(truth, "log_score", decoder=decoder).beta
    gram = decoder.T @ decoder
    resolvent = np.linalg.inv(gram + level * np.eye(2))
    gain = resolvent @ decoder.T
    miss = gain @ truth.loading - np.eye(2)
    errors = np.diagonal(miss @ truth.factor_covariance @ miss.T + noise * gain @ gain.T)
    rises = -2 * np.diagonal(resolvent @ gain @ (truth.covariance @ gain.T - truth.loading @ truth.factor_covariance))
    assert sum(map(share, np.diagonal(gram), [level] * 2, errors, rises)) == pytest.approx(0, abs=1e-8)

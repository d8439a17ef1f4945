"""The page on copied signals ends with what `theory.groups` computes."""

import numpy as np
import pytest
import sympy as sp

import theory
from theory.derivations.groups.copied_signals import derivation
from theory.groups import Weights, grouped_terms, learned_decoder_value


def test_copied_signals():
    """The page's cost is that of the parts, for one signal in three latents."""
    names = (*sp.symbols("w_I", positive=True, seq=True), *sp.symbols("w_B w_W", real=True))
    value = derivation().function("One signal in three latents", *names, sp.Symbol("e", positive=True))
    code = 0.9 * np.ones((3, 3)) + 0.1 * np.eye(3)
    vae = theory.LinearVAE(np.zeros((1, 3)), np.sqrt(0.9) * np.ones((3, 1)), 0.1 * np.eye(3), 1.0)
    terms = grouped_terms(vae, np.eye(1), [[0, 1], [2]])
    weights = Weights(1.3, -0.4, -0.7)
    cost = terms.loss(weights) - terms.reconstruction
    assert np.allclose(vae.encoder @ vae.encoder.T + vae.posterior_covariance, code)
    assert value(1.3, -0.4, -0.7, 0.1) == pytest.approx(cost, rel=1e-12)


@pytest.mark.parametrize(
    ("weights", "status"),
    [
        ((1.3, -0.4, -0.7), "lower"),
        ((1.3, 0.9, -0.2), "lower"),
        ((1.0, 0.7, 0.1), "unique"),
        ((0.5, 0.2, -0.9), "unbounded"),
    ],
)
def test_the_cost_of_copies_decides_whether_there_is_a_lower_bound(weights, status):
    """It does not fall without bound as e goes to zero unless the status says so."""
    names = (*sp.symbols("w_I", positive=True, seq=True), *sp.symbols("w_B w_W", real=True))
    value = derivation().function("One signal in three latents", *names, sp.Symbol("e", positive=True))
    assert (value(*weights, 1e-12) < value(*weights, 1e-9) - 1e-6) == (status == "unbounded")
    covariance = np.diag([3.0, 2.0, 1.0, 0.5])
    found = learned_decoder_value(covariance, 3, Weights(*weights), [[0, 1], [2]], noise_variance=0.3)
    assert found.status == status

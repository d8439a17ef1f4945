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


@pytest.mark.parametrize("weights", [(1.3, -0.4, -0.7), (1.3, 0.9, -0.2), (1.3, 1.6, -0.4), (1.0, 0.7, 0.1)])
def test_the_cost_of_copies_decides_whether_there_is_a_lower_bound(weights):
    """The cost as a function of log e: with a positive slope it falls without bound as e goes to zero."""
    names = (*sp.symbols("w_I", positive=True, seq=True), *sp.symbols("w_B w_W", real=True))
    value = derivation().function("One signal in three latents", *names, sp.Symbol("e", positive=True))
    falls = value(*weights, 1e-12) < value(*weights, 1e-9) - 1e-6
    found = learned_decoder_value(
        np.diag([3.0, 2.0, 1.0, 0.5]), 3, Weights(*weights), [[0, 1], [2]], noise_variance=0.3
    )
    assert not falls or found.status == "unbounded"

"""The page on minibatch estimates says what `theory.groups` computes."""

import numpy as np
import pytest
import sympy as sp

from theory import LinearVAE
from theory.derivations.groups.minibatch_estimates import derivation
from theory.groups import minibatch_bias, minibatch_offset, minibatch_scale

SIGNAL = 0.7
VAE = LinearVAE([[1.0]], [[1.0]], [[1.0]], 1.0)
v, N, M, chi, L = *sp.symbols("v N M chi", positive=True), sp.Symbol("L", real=True)


def test_mean_of_the_ratio_and_scale():
    page = derivation()
    assert page.function("Mean of the ratio", v)(SIGNAL) == pytest.approx(np.log1p(SIGNAL), rel=1e-14)
    log_scale = page.function("Where the mean comes from", v)(SIGNAL)
    assert minibatch_scale(VAE, [[SIGNAL]]) == pytest.approx(np.exp(log_scale), rel=1e-12)


def test_bias_of_both_estimates():
    page = derivation()
    found = minibatch_bias(VAE, [[SIGNAL]], "full", dataset_size=50, batch_size=8)
    value = page.function("Bias, stratified", chi, N, M)(SIGNAL, 50, 8)
    assert found.dimension_wise_kl == pytest.approx(value, rel=1e-12)
    found = minibatch_bias(VAE, [[SIGNAL]], "full", dataset_size=50, batch_size=8, estimator="weighted")
    value = page.function("Bias, weighted", chi, M)(SIGNAL, 8)
    assert found.dimension_wise_kl == pytest.approx(value - np.log(50), rel=1e-12)


def test_offset_between_groups():
    G = sp.Symbol("G", integer=True, positive=True)
    value = derivation().function("Offset between groups", G, L)(3, np.log(50))
    assert minibatch_offset([[0, 1], [2], [3]], 4, 50).between == pytest.approx(value, rel=1e-14)

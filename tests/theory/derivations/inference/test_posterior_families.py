"""The page on posterior families ends with what `theory.inference` computes."""

import numpy as np
import pytest
import sympy as sp

from theory import inference
from theory.derivations.engine.notation import beta
from theory.derivations.inference.posterior_families import derivation


def test_price_of_a_family():
    decoder, noise, weight = np.random.default_rng(5).standard_normal((4, 3)), 0.6, 2.5
    precision = np.eye(3) + decoder.T @ decoder / (weight * noise)
    price = derivation().function("The price of a family", sp.MatrixSymbol("P", 3, 3), beta)
    groups = [[0, 1], [2]]
    assert price(precision, weight) == pytest.approx(
        inference.family_gap(decoder, noise, weight, posterior=groups), rel=1e-10
    )

"""The page on scores ends with what `theory.scores` computes."""

import numpy as np
import pytest
import sympy as sp

from theory import scores
from theory.derivations.scores.gaussian_scores import derivation


@pytest.mark.parametrize("size", [2, 5])
def test_scores(size):
    page = derivation()
    information = page.function("Mutual information", sp.Symbol("r", real=True))
    code = scores.GaussianCode([[1.0]], [[1.0]], [[0.6]])
    assert scores.mutual_information_matrix(code)[0, 0] == pytest.approx(information(0.6), rel=1e-12)
    ratio = float(page.formula("Chance level").subs(sp.Symbol("k", positive=True), size))
    expected = (np.sqrt(size) - ratio) / (np.sqrt(size) - 1)
    assert scores.hoyer_chance_level(size) == pytest.approx(expected, rel=1e-12)

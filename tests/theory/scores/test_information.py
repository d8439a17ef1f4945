"""Mutual information of factors and codes."""

from __future__ import annotations

import numpy as np
import pytest

from theory import scores as room
from theory.scores.gaussian_code import GaussianCode


def test_small_correlations_are_compared_and_rounding_is_not():
    """r = 3e-10, 1e-10: the gap is 1 - 1/9 (1 - r^2 is 1 to all digits); r = 1e-17 is the rounding of independence."""
    code = GaussianCode([[1.0]], np.eye(2), [[3e-10, 1e-10]])
    assert room.mutual_information_gap(code, bins=None) == pytest.approx(8 / 9, rel=1e-12)
    assert room.mutual_information_matrix(code)[0] == pytest.approx([4.5e-20, 0.5e-20], rel=1e-12)
    assert room.mutual_information_gap(GaussianCode([[1.0]], np.eye(2), [[1e-17, 0]]), bins=None) == 0

from __future__ import annotations

import numpy as np
import pytest

from figures.kit.angles import concentration, modulo_right_angle


@pytest.mark.parametrize(
    ("degrees", "equal"), [(0, 0), (44, 44), (45, -45), (-45, -45), (90, 0), (130, 40), (-100, -10)]
)
def test_angles_modulo_a_right_angle(degrees, equal):
    assert modulo_right_angle(degrees) == equal


def test_concentration_is_one_for_equal_angles_and_zero_for_even_ones():
    assert concentration("x", [20.0, 110.0, -70.0], 0.5, "why").deviation == pytest.approx(1.0)
    even = concentration("x", np.arange(0, 90, 15), 0.5, "why")
    assert even.passed and even.points == 6 and even.deviation == pytest.approx(0.0, abs=1e-15)

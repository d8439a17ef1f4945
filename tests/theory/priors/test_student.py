"""Student-t priors at the ends of their ranges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from theory.priors import StudentPrior


def test_a_student_prior_has_no_variance_up_to_two_degrees():
    np.testing.assert_array_equal(StudentPrior(2.0, 2).covariance, [[np.inf, 0], [0, np.inf]])
    np.testing.assert_allclose(StudentPrior(2.5, 2).covariance, 5 * np.eye(2))


def test_a_code_far_from_a_heavy_tailed_prior():
    """Over a deviation of 1 the log density at 1e15 is constant to 1e-30."""
    exact = student(5).logpdf(1e15)
    assert StudentPrior(5.0, 1).expected_log_density([1e15], [[1.0]]) == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize("nu", [1e5, 1e6, 1e10, 1e12, 1e15, 1e50])
def test_a_student_density_of_many_degrees(nu):
    """At zero -log(2 pi)/2 - 1/(4 nu) + O(nu^-3), by Stirling's series: a difference of gammaln is nats off."""
    exact = -np.log(2 * np.pi) / 2 - 1 / (4 * nu)
    assert StudentPrior(nu, 1).log_density([0.0]) == pytest.approx(exact, abs=1e-14)

"""The operators that sympy lacks: how they are printed, and their values."""

import sympy as sp

from theory.derivations.engine.notation import K, P, Q
from theory.derivations.engine.operators import Degree, Expectation, FactorCount, LogDet, SquaredNorm
from theory.derivations.engine.printers import latex, pretty

x, y = sp.symbols("x y")
z = sp.MatrixSymbol("z", K, 1)


def test_they_print_as_a_person_writes_them():
    assert latex(LogDet(P)) == r"\log\det P"
    assert latex(LogDet(P + Q)) == r"\log\det \left(P + Q\right)"
    assert latex(SquaredNorm(z, P)) == r"\left\Vert z \right\Vert^2_{P}"
    assert latex(Expectation(x)) == r"\mathrm{E}\left[x\right]"
    assert pretty(LogDet(P)) == "log det P"
    assert pretty(Expectation(x)) == "E[x]"


def test_a_squared_norm_is_a_trace():
    assert SquaredNorm(z, P).as_trace() == sp.Trace(z.T * P * z)


def test_degree_and_number_of_factors():
    polynomial = (x**2 - y**2) * (x**2 + y)
    assert Degree(polynomial, x).doit() == 4
    assert FactorCount(polynomial, x).doit() == 3

"""Random points: of the kinds that the page declares, and the same on every run."""

import random

import pytest
import sympy as sp

from theory.derivations.engine.notation import POINT_SIZES, K, P, Q
from theory.derivations.engine.page import Derivation, Step
from theory.derivations.engine.points import Point

x = sp.Symbol("x", positive=True)
z = sp.MatrixSymbol("z", K, 1)
R = sp.MatrixSymbol("R", K, K)


def point(relation, sizes=POINT_SIZES[0], domain=None, **fields):
    step = Step("step", relation, "r", domain=domain or {})
    page = Derivation("test", "Test", "s", (), "scope", (step,), (), (), **fields)
    return Point(page, step, sizes, random.Random(1))


def test_matrices_are_of_their_kinds():
    relation = sp.Eq(sp.Trace(P * Q * R), 0, evaluate=False)
    drawn = point(relation, matrices={P: "positive", Q: "symmetric", R: "orthogonal"})
    drawn.value(relation.lhs)
    assert drawn.values[P].is_positive_definite
    assert drawn.values[Q].is_symmetric()
    assert drawn.values[R].T * drawn.values[R] == sp.eye(2)


def test_samples_have_mean_zero_and_their_second_moment():
    relation = sp.Eq(sp.Trace(z.T * z), sp.Trace(Q), evaluate=False)
    drawn = point(relation, moments={z: Q})
    drawn.value(relation.rhs)
    samples = drawn.samples[z]
    assert sum(samples[1:], samples[0]) == sp.zeros(2, 1)
    assert sum((sample * sample.T for sample in samples), sp.zeros(2)) / len(samples) == drawn.values[Q]


def test_the_same_numbers_within_the_domain_on_every_run():
    relation = sp.Eq(x, x, evaluate=False)
    first, second = (point(relation, domain={x: (1, 2)}) for _ in range(2))
    assert 1 < first.value(x) < 2
    assert first.value(x) == second.value(x)


def test_inequalities_and_equations_hold_or_fail():
    assert point(sp.Gt(x, 0, evaluate=False)).holds(sp.Gt(x, 0, evaluate=False))
    equation = sp.Eq(x**2, x * x + sp.Rational(1, 10**20), evaluate=False)
    assert not point(equation).holds(equation)


def test_an_integer_without_a_size_is_refused():
    count = sp.Symbol("m", integer=True, positive=True)
    with pytest.raises(ValueError, match="test, step: give the step `sizes` for m"):
        point(sp.Eq(count, 1, evaluate=False)).value(count)

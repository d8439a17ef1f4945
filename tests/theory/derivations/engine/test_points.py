"""Points: of all kinds, of the kinds of matrices that a page declares, and the same on every run."""

import pytest
import sympy as sp

from tests.theory.derivations.engine.pages import equation, page_with, step_with
from theory.derivations.engine.notation import D, K, P, Q, W
from theory.derivations.engine.numbers import Undefined
from theory.derivations.engine.page import Let
from theory.derivations.engine.points import KINDS, points_of

x, y = sp.symbols("x y", positive=True)
r = sp.Symbol("r", real=True)
z = sp.MatrixSymbol("z", K, 1)
R = sp.MatrixSymbol("R", K, K)


def points(step, **fields):
    return list(points_of(page_with(step, **fields), step))


def test_numbers_of_every_kind():
    step = equation(x + y, y + x + 1)
    drawn = {point.kind: (point.value(x + 0 * y), point.value(y)) for point in points(step)}
    assert set(drawn) == set(KINDS)
    assert drawn["ascending"][0] < drawn["ascending"][1]
    assert drawn["descending"][0] > drawn["descending"][1]
    assert drawn["equal"][0] == drawn["equal"][1]


def test_numbers_satisfy_the_conditions():
    step = equation(x + r, r, where=(x > y + 1, r > -1, r < 1, sp.Ne(r, 0), x * r < 2))
    for point in points(step):
        assert point.values[x] > point.values[y] + 1
        assert -1 < point.values[r] < 1 and point.values[r] != 0
        assert point.values[x] * point.values[r] < 2


def test_sizes_are_those_that_the_conditions_allow():
    step = equation(sp.Trace(W.T * W), sp.Trace(W * W.T))
    latents = {(point.values[K], point.values[D]) for point in points(step)}
    assert any(k < d for k, d in latents) and any(k > d for k, d in latents) and any(k == 1 for k, d in latents)
    tall = {(point.values[K], point.values[D]) for point in points(step, where=(sp.Le(K, D),))}
    assert all(k <= d for k, d in tall) and any(d >= 4 for _, d in tall)
    wide = step_with(step.relation, sizes=({K: 1, D: 2}, {K: 2, D: 2}))
    assert {(point.values[K], point.values[D]) for point in points(wide)} == {(1, 2), (2, 2), (3, 3)}


def test_matrices_are_of_their_kinds():
    relation = sp.Eq(sp.Trace(P * Q * R), 0, evaluate=False)
    smallest, determinants = [], set()
    for point in points(step_with(relation), matrices={P: "positive", Q: "symmetric", R: "orthogonal"}):
        point.value(relation.lhs)
        assert point.values[P].is_positive_definite
        assert point.values[Q].is_symmetric()
        assert point.values[R].T * point.values[R] == sp.eye(point.values[K])
        determinants.add(point.values[R].det())
        smallest.append(min(map(sp.re, point.values[P].evalf().eigenvals())))
    assert determinants == {1, -1}
    assert min(smallest) < 1e-2 < max(smallest)


def test_samples_have_mean_zero_and_their_second_moment():
    relation = sp.Eq(sp.Trace(z.T * z), sp.Trace(Q), evaluate=False)
    for point in points(step_with(relation), moments={z: Q}):
        point.value(relation.rhs)
        samples, size = point.samples[z], point.values[K]
        assert sum(samples[1:], samples[0]) == sp.zeros(size, 1)
        assert sum((sample * sample.T for sample in samples), sp.zeros(size)) / len(samples) == point.values[Q]


def test_the_same_numbers_on_every_run_whatever_the_page_is_called():
    step = equation(x, x + 1)
    first = [point.values[x] for point in points(step)]
    renamed = page_with(step)
    object.__setattr__(renamed, "name", "other")
    assert [point.values[x] for point in points_of(renamed, step)] == first


def test_inequalities_and_equations_hold_or_fail():
    (*_, point) = points(equation(x**2, x * x + sp.Rational(1, 10**20)))
    assert point.holds(sp.Gt(x, 0, evaluate=False))
    assert not point.holds(point.setting.step.relation)


def test_what_is_not_real_or_finite_is_undefined():
    for expression in (sp.log(-x), sp.sqrt(-x), 1 / (x - x * sp.cos(0 * y)), sp.zoo * x):
        point = points(equation(x + y, y))[0]
        with pytest.raises(Undefined):
            point.value(expression)


def test_an_abbreviated_matrix_must_be_of_its_declared_kind():
    wrong = Let(P, -W.T * W, "not positive", rule=(W.T * W, -P))
    step = equation(sp.Trace(P), sp.Trace(P) + 1, let=(wrong,))
    with pytest.raises(Undefined, match="declared positive"):
        points(step, matrices={P: "positive"})[0].value(sp.Trace(P))


def test_sizes_that_no_condition_allows():
    with pytest.raises(ValueError, match="its conditions leave too few sizes"):
        points(equation(sp.Trace(W.T * W), sp.Trace(W * W.T), where=(K > 100,)))

"""False and empty statements of many kinds, none of which may pass the checker."""

import dataclasses

import pytest
import sympy as sp

from tests.theory.derivations.engine.pages import equation, fault_of, page_with, step_with
from theory.derivations.engine import check
from theory.derivations.engine.notation import D, K, P, Q, S, V, W, n, t
from theory.derivations.engine.operators import Degree, Expectation, FactorCount, LogDet, SquaredNorm
from theory.derivations.engine.page import Let, Step

a, b, c, l, m, x, y = sp.symbols("a b c l m x y", positive=True)  # noqa: E741
r, s = sp.symbols("r s", real=True)
e = sp.Symbol("e", real=True)
M, N, R, T = (sp.MatrixSymbol(name, K, K) for name in "MNRT")
U = sp.MatrixSymbol("U", D, K)
u, v, z = sp.MatrixSymbol("u", K, 1), sp.MatrixSymbol("v", K, 1), sp.MatrixSymbol("z", K, 1)
IDENTITY = sp.Identity(K)
POSITIVE = dict.fromkeys((P, Q, S), "positive")

SCALARS = {
    "a root of a product of unknown sign": (sp.sqrt((4 - b) * (5 - b)), sp.sqrt(4 - b) * sp.sqrt(5 - b)),
    "a root of a square": (sp.sqrt((a - b) ** 2), a - b),
    "a power of a power": (((a - b) ** 2) ** sp.Rational(3, 2), (a - b) ** 3),
    "the log of a square": (sp.log((l - t) ** 2), 2 * sp.log(l - t)),
    "the log of a product of unknown signs": (sp.log((a - b) * (a - c)), sp.log(a - b) + sp.log(a - c)),
    "the log of a ratio of unknown signs": (sp.log((a - b) / (c - b)), sp.log(a - b) - sp.log(c - b)),
    "a ratio at a tie": ((l**2 - m**2) / (l - m), l + m),
    "a ratio at zero": (r * s / r, s + 0 * r),
    "a hidden zero in a denominator": (1 / (1 / (a - b)), (a - b) * (c + 1) / (c + 1)),
    "a limit from one side of two": (sp.Limit(sp.Abs(r) / r, r, 0, "+-"), sp.Integer(1)),
    "a limit that is infinite": (sp.Limit(1 / x, x, 0), sp.Integer(1)),
    "a sine of small angles": (sp.sin(s), s),
    "the inverse of a sine": (sp.asin(sp.sin(s)), s + 0 * r),
    "a derivative of an absolute value": (sp.Derivative(sp.Abs(s), s), sp.Integer(1)),
    "an integral that diverges": (sp.Integral(1 / x, (x, 0, 1)), sp.Integer(1)),
    "an exponential law for logs": (sp.log(a + b), sp.log(a) + sp.log(b)),
    "a wrong factor far from one": (x + sp.Rational(1, 10**12) * x, x),
}


@pytest.mark.parametrize("name", SCALARS)
def test_scalars(name):
    assert fault_of(equation(*SCALARS[name], wrong_form=a + 17))


MATRICES = {
    "a rotation has log determinant zero": (LogDet(R), sp.Integer(0), {R: "orthogonal"}),
    "the trace of a rotation": (sp.Trace(R), K, {R: "orthogonal"}),
    "matrices commute": (P * Q, Q * P, POSITIVE),
    "conjugation": (P * Q * P.I, Q, POSITIVE),
    "determinants of both Gram matrices": (LogDet(W.T * W), LogDet(W * W.T), {}),
    "the inverse of a rectangular product": (V * (W * V).I * W, IDENTITY, {}),
    "a rectangular change of basis": (LogDet(U.T * S * U), LogDet(S), {U: "orthogonal", S: "positive"}),
    "a rectangular matrix with orthonormal rows": (U * U.T, sp.Identity(D), {U: "orthogonal"}),
    "a derivative through an opaque determinant": (
        sp.Subs(sp.Derivative(LogDet(Q + e * M), e), e, 0),
        sp.Integer(0),
        POSITIVE,
    ),
    "a derivative through an opaque trace": (sp.Derivative(sp.Trace(Q + e * M), e), sp.Integer(0), POSITIVE),
    "a sum of determinants": (LogDet(P + Q), LogDet(P) + LogDet(Q), POSITIVE),
    "the log determinant of any square matrix": (LogDet(T * Q), LogDet(T) + LogDet(Q), POSITIVE),
    "a negative factor": (LogDet(-Q), LogDet(Q), POSITIVE),
    "transposes of any matrix": (sp.Trace(M * N), sp.Trace(M.T * N), {}),
    "a square of a sum": ((P + Q) * (P + Q), P * P + 2 * P * Q + Q * Q, POSITIVE),
    "a symmetric matrix has an inverse square": (M * M.I.T, IDENTITY, {}),
    "the trace of an inverse": (sp.Trace(P.I), 1 / sp.Trace(P), POSITIVE),
}


@pytest.mark.parametrize("name", MATRICES)
def test_matrices(name):
    left, right, kinds = MATRICES[name]
    wrong_form = 2 * right if isinstance(left, sp.MatrixExpr) else 2 * right + 5
    assert fault_of(equation(left, right, wrong_form=wrong_form), matrices=kinds)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_law_of_given_sizes_is_not_one_of_all_sizes(size):
    """The characteristic polynomial of a 2 x 2 matrix, and commuting 1 x 1 matrices."""
    law = M * M - sp.Trace(M) * M + sp.Determinant(M) * IDENTITY if size == 2 else M * N - N * M
    step = equation(law, sp.ZeroMatrix(K, K), sizes=({K: size},), wrong_form=IDENTITY)
    assert fault_of(step)


def test_moments():
    square = Expectation(SquaredNorm(u + v))
    both = {"matrices": dict.fromkeys((P, Q), "positive"), "moments": {u: P, v: Q}}
    assert fault_of(equation(square, sp.Trace(P) + sp.Trace(Q)), **both) == ""
    assert fault_of(equation(square, sp.Trace(P)), **both)
    assert fault_of(equation(Expectation(SquaredNorm(u) * SquaredNorm(u)), sp.Trace(P) ** 2), **both)
    assert fault_of(equation(Expectation(sp.Trace(u.T * v)), sp.Trace(P), wrong_form=sp.Trace(Q)), **both)


def test_a_page_does_not_choose_its_points():
    """The verdict is the same whatever page and step are called."""
    step = equation(sp.log((l - t) ** 2), 2 * sp.log(l - t))
    for name in "abcdefgh":
        page = dataclasses.replace(page_with(dataclasses.replace(step, title=name)), name=name)
        assert check.check_step(page, page.steps[0]).fault


def test_an_abbreviation_that_states_the_result():
    assert "vacuous" in fault_of(equation(x, y**2 + y, let=(Let(x, y**2 + y, "the result"),)))
    result = sp.Function("f")(y)
    assert "vacuous" in fault_of(equation(result.subs(y, 2 * y), 4 * y**2, let=(Let(result, y**2, "the result"),)))


def test_an_abbreviation_whose_value_does_not_matter():
    assert "no step depends on the value of the abbreviation x" in fault_of(
        equation(x * y + x * y**2, x * y * (1 + y), let=(Let(x, sp.exp(y), "anything"),))
    )


def test_names_with_two_meanings():
    other = sp.Symbol("x", real=True)
    assert "two things are printed as x" in fault_of(equation((x + other) ** 2, x**2 + 2 * x * other + other**2))
    matrix = sp.MatrixSymbol("x", K, 1)
    assert "two things" in fault_of(equation(SquaredNorm(x * matrix), x**2 * SquaredNorm(matrix)))


def test_abbreviations_are_made_once_and_before_they_are_used():
    twice = equation(x + 1, y**2 + 1, let=(Let(x, y**2, "one"), Let(x, y**2, "two")))
    assert "abbreviated twice" in fault_of(twice)
    first, later = equation(x * (x + 1), x**2 + x), dataclasses.replace(twice, title="later", let=twice.let[:1])
    assert "used before" in check.check_step(page_with(first, later), first).fault
    assert "by itself" in fault_of(equation(x + 1, x * (1 + 1 / x), let=(Let(x, x + 1, "itself"),)))


def test_kinds_of_abbreviated_matrices():
    negative = Let(P, -W.T * W, "called positive", rule=(W.T * W, -P))
    step = equation(LogDet(P * Q), LogDet(P) + LogDet(Q), let=(negative,))
    assert "declared positive" in fault_of(step, matrices={P: "positive", Q: "positive"})


def test_rules_follow_from_definitions():
    inverse = Let(R, (P + t * IDENTITY).I, "resolvent", rule=(P * R, IDENTITY - t * R))
    kinds = {"matrices": {P: "positive", R: "symmetric"}}
    assert fault_of(equation(P * R * P, P - t * IDENTITY + t**2 * R, let=(inverse,)), **kinds) == ""
    wrong = dataclasses.replace(inverse, rule=(P * R, IDENTITY - R))
    assert "rule for R" in fault_of(equation(P * R * P, P - IDENTITY + R, let=(wrong,)), **kinds)


def test_a_crash_is_a_fault():
    assert "NotImplementedError" in fault_of(equation((P + Q).I, P.I), matrices=POSITIVE)
    count = sp.Symbol("k", integer=True, positive=True)
    impossible = equation(count * x, x * count * (1 + x) / (1 + x), where=(count > 100,))
    assert fault_of(impossible)


def test_conditions_that_nothing_satisfies():
    assert fault_of(equation(x + 1, (x**2 - 1) / (x - 1), where=(x > 2, x < 1)))


@pytest.mark.parametrize(
    ("relation", "options"),
    [
        (sp.Ge(x - 1 - sp.log(y), 0, evaluate=False), {}),
        (sp.Gt((a - b) ** 2, 0, evaluate=False), {}),
        (sp.Ge(sp.Derivative(x**3 - 3 * x, x), 0, evaluate=False), {}),
        (sp.Gt(a**2 - b, 0, evaluate=False), {"where": (a > b,)}),
        (sp.Le(r**2, 1, evaluate=False), {"where": (r < 1,)}),
        (sp.Gt(sp.sqrt(a) - b, 0, evaluate=False), {"where": (a > b,)}),
        (sp.Gt(sp.log(a), 0, evaluate=False), {}),
    ],
    ids=str,
)
def test_inequalities(relation, options):
    assert "not proved" in fault_of(step_with(relation, **options))


def test_the_true_neighbours_pass():
    """The same statements under the conditions that they need."""
    for step in (
        equation(sp.sqrt((4 - b) * (5 - b)), sp.sqrt(4 - b) * sp.sqrt(5 - b), where=(b < 4,)),
        equation(sp.log((l - t) ** 2), 2 * sp.log(l - t), where=(l > t,)),
        equation((l**2 - m**2) / (l - m), l + m, where=(sp.Ne(l, m),)),
        equation(sp.log((1 - r) * (1 + r)), sp.log(1 - r) + sp.log(1 + r), where=(r > -1, r < 1)),
        equation(sp.Limit((sp.exp(r) - 1) / r, r, 0, "+-"), sp.Integer(1), wrong_form=sp.Integer(2)),
        step_with(sp.Gt(a**2 - b**2, 0, evaluate=False), where=(a > b,)),
        step_with(sp.Gt(1 - r * s, 0, evaluate=False), where=(r > -1, r < 1, s > -1, s < 1)),
    ):
        assert fault_of(step) == "", step.relation
    orthogonal = {"matrices": {R: "orthogonal", Q: "positive"}}
    assert fault_of(equation(LogDet(R * Q * R.T), LogDet(Q)), **orthogonal) == ""
    tall = {"matrices": {U: "orthogonal"}, "where": (sp.Le(K, D),)}
    assert fault_of(equation(U.T * U * U.T, U.T, wrong_form=2 * U.T), **tall) == ""


def test_steps_of_integers():
    count = sp.Symbol("k", integer=True, positive=True)
    index = sp.Symbol("i", integer=True)
    assert fault_of(equation(sp.Sum(index, (index, 1, count)), count * (count + 1) / 2)) == ""
    assert fault_of(equation(sp.Sum(index, (index, 1, count)), count * (count + 1) / 2 + (count - 1) * (count - 2)))
    assert fault_of(equation(n * x, x * n**2)) and isinstance(step_with(sp.Gt(x, 0, evaluate=False)), Step)


# Found by a reviewer who had the engine's source: each passed an earlier version.
q = sp.Symbol("q", nonnegative=True)
j, k = sp.symbols("j k", integer=True, positive=True)
i = sp.Symbol("i", integer=True)
A = sp.MatrixSymbol("A", n, K)
ONE, MOMENT = sp.MatrixSymbol("u", 1, 1), sp.MatrixSymbol("C", 1, 1)
MANY = {"where": (sp.Ge(D, 3 * K),)}
f = sp.Function("f")


def assumed(value, left, right):
    return {"let": (Let(N, value, "m", rule=(left, right), hypothesis=True),)}


REVIEWED = {
    "a rule of a number": (
        D * x * M * N * T,
        D * (1 + y**2) * N * M * T,
        {"let": (Let(x, y**2 + 1, "m", rule=(M * N, N * M)),)},
        {},
    ),
    "a determinant of a random matrix": (
        D * Expectation(LogDet(IDENTITY + u * u.T) * SquaredNorm(u)),
        D * Expectation(LogDet(IDENTITY + u * u.T)) * sp.Trace(P),
        {},
        {"moments": {u: P}, "matrices": {P: "positive"}},
    ),
    "a fourth moment at size one": (
        Expectation(SquaredNorm(ONE) ** 2),
        Expectation(SquaredNorm(ONE)) ** 2,
        {"sizes": ({n: 1},)},
        {"moments": {ONE: MOMENT}},
    ),
    "an empty sum": (sp.Sum(x * i * j, (i, 3, k)), x * j * (k * (k + 1) / 2 - 3), {}, {}),
    "a sum that runs backwards": (sp.Sum(x * i * j, (i, 1, k - 3)), x * j * (k - 3) * (k - 2) / 2, {}, {}),
    "a product": (sp.Product(x, (i, 3, k)), x ** (k - 2), {}, {}),
    "a limit at a zero": (sp.Limit(sp.sin(e) / (e + s) + y, e, 0), y, {}, {}),
    "a limit at a zero, at infinity": (sp.Limit(y * q * x / (q * x + sp.exp(-x)), x, sp.oo), y, {}, {}),
    "a limit at an integer": (sp.Limit(y * j * sp.sin(e * (k - 1)) / sp.sin(2 * e * (k - 1)), e, 0), y * j / 2, {}, {}),
    "a limit of far values": ((1 + y) * sp.Limit(sp.log(e + s + 5000) * e + 1, e, 0) * x, x + x * y, {}, {}),
    "an integral across a pole": (
        sp.Integral(1 / (e - s + 2000) ** 2, (e, 0, 1)),
        1 / (2000 - s) - 1 / (2001 - s),
        {"where": (sp.Ne(s, 2000), sp.Ne(s, 2001))},
        {},
    ),
    "an integral to a pole": (
        (1 + y) * sp.Integral(e, (e, 0, 1 / s)),
        sp.Integral(e, (e, 0, 1 / s)) + y * sp.Integral(e, (e, 0, 1 / s)),
        {},
        {},
    ),
    "another function": (j * (1 + x) / sp.atan(k - 1), j / sp.atan(k - 1) + j * x / sp.atan(k - 1), {}, {}),
    "a tangent": ((1 + s) * sp.tan(s), sp.tan(s) + s * sp.tan(s), {}, {}),
    "a gamma function": ((1 + s) * sp.gamma(s), sp.gamma(s) + s * sp.gamma(s), {}, {}),
    "a gamma function in a derivative": (sp.Derivative(y * x + sp.gamma(s), y), x, {}, {}),
    "a shape": (u + 2 * v, (u + 2 * v).T, {"sizes": ({K: 2},)}, {}),
    "a symmetric rectangle": (W.T, W, {}, {"matrices": {W: "symmetric"}}),
    "a random matrix": (Expectation(sp.Trace(M * M.T)), sp.Trace(P), {}, {"moments": {M: P}}),
    "an assumption at one size": (N * T, x * T, {"sizes": ({K: 2},), **assumed(x * IDENTITY, N * M, M * N)}, {}),
    "an assumption about a number": (
        K * x * (1 + y),
        K * (y**2 + y**3),
        {"let": (Let(x, y**2, "m", rule=(R * R.T, IDENTITY), hypothesis=True),)},
        {"matrices": {R: "orthogonal"}},
    ),
    "an assumption again": (N * M, x * M, assumed(x * IDENTITY, N * M, x * M), {}),
    "a rule times zero": (
        M * (T + R) * x,
        x * (N * T + N * R),
        {"let": (Let(M, N, "m", rule=(r * M, r * N), hypothesis=True),)},
        {},
    ),
    "a kind that is not evident": (
        LogDet((M + M.T + 30 * IDENTITY) * Q),
        LogDet(P) + LogDet(Q),
        {"let": (Let(P, M + M.T + 30 * IDENTITY, "m", rule=(M.T, P - M - 30 * IDENTITY)),)},
        {"matrices": POSITIVE},
    ),
    "a Gram matrix of any matrix": (
        P.I * M * M.T * T,
        T,
        {"let": (Let(P, M * M.T, "m", rule=(M * M.T, P)),)},
        {"matrices": {P: "positive"}},
    ),
    "an abbreviated logarithm": (sp.log(x) * y, x * y - y, {"let": (Let(sp.log(x), x - 1, "m"),)}, {}),
    "an abbreviated argument": (
        f(a) * b * a,
        a * b * y**2 + a * b,
        {"let": (Let(x, y**2, "m"), Let(f(x), x + 1, "m"))},
        {},
    ),
    "a captured derivative": (f(e) * b, 3 * b * e**2, {"let": (Let(f(x), sp.Derivative(x * e**2, e), "m"),)}, {}),
    "a captured integral": (sp.Integral(c * e, (e, 0, 1)) * b, b / 3, {"let": (Let(c, e, "m"),)}, {}),
    "a captured sum": (
        f(i) * b,
        b * k * (k + 1) * (2 * k + 1) / 6,
        {"let": (Let(f(j), sp.Sum(j * i, (i, 1, k)), "m"),)},
        {},
    ),
    "the slope of an absolute value": (sp.Subs(sp.Derivative(sp.Abs(e) * y + e * x, e), e, 0), x, {}, {}),
    "the slope of a maximum": (sp.Subs(sp.Derivative(sp.Max(e, 0) * y, e), e, 0), y / 2, {}, {}),
    "the slope of a root at zero": (2 * sp.sqrt(q) * sp.Derivative(sp.sqrt(q) * y, q), y, {}, {}),
    "a determinant that may vanish": (LogDet(M * M.T * P), LogDet(M * M.T) + LogDet(P), {}, {"matrices": POSITIVE}),
    "the Gram matrix of dependent columns": (
        (1 + x) * LogDet(W.T * W),
        LogDet(W.T * W) + x * LogDet(W.T * W),
        {},
        {"where": (K < D,)},
    ),
    "a difference of definite matrices": (
        (1 + x) * LogDet(10**9 * P - Q),
        LogDet(10**9 * P - Q) + x * LogDet(10**9 * P - Q),
        {},
        {"matrices": POSITIVE},
    ),
    "an inverse that may not exist": (
        M * R * T,
        T - R * T,
        {"let": (Let(R, (M + IDENTITY).I, "m", rule=(M * R, IDENTITY - R)),)},
        {},
    ),
    "sizes of no meaning": (sp.Trace(M * N) + x, sp.Trace(M) * sp.Trace(N) + x, {"sizes": ({K: 0},)}, {}),
    "an entry of a matrix by name": (
        (1 + x) / sp.Symbol("P_11", real=True) + sp.Determinant(P),
        1 / sp.Symbol("P_11", real=True) + x / sp.Symbol("P_11", real=True) + sp.Determinant(P),
        {"sizes": ({K: 2},)},
        {"matrices": POSITIVE},
    ),
    "a symbol that is not zero": (
        (sp.Symbol("g", nonzero=True) + 1) * s / sp.Symbol("g", nonzero=True),
        s + s / sp.Symbol("g", nonzero=True),
        {},
        {},
    ),
    "a negative symbol": (
        sp.log((5000 - sp.Symbol("g", negative=True)) * y),
        sp.log(5000 - sp.Symbol("g", negative=True)) + sp.log(y),
        {},
        {},
    ),
    "names that print alike": (
        sp.Derivative(
            sp.Symbol("x1", positive=True) * sp.Symbol("x_1", positive=True) ** 2, sp.Symbol("x1", positive=True)
        ),
        sp.Symbol("x_1", positive=True) ** 2,
        {},
        {},
    ),
    "a name of a number": (
        sp.Derivative(sp.Symbol("pi", positive=True) ** 2 * x, sp.Symbol("pi", positive=True)),
        2 * sp.Symbol("pi", positive=True) * x,
        {},
        {},
    ),
    "a free and a bound variable": (
        sp.log(x * y) + sp.Integral(x, (x, 0, 1)),
        sp.log(x) + sp.log(y) + sp.Rational(1, 2),
        {},
        {},
    ),
    "few sizes": (D * sp.Trace(M * N * T), D * sp.Trace(N * M * T), {"where": (sp.Ge(D, 9 * K),)}, {}),
    "a third size": ((D + x) * LogDet(A.T * A), D * LogDet(A.T * A) + x * LogDet(A.T * A), {}, {}),
}


@pytest.mark.parametrize(
    "step",
    [
        step_with(sp.Gt(x, y, evaluate=False), where=(x > y,)),
        step_with(sp.Gt(x, 0, evaluate=False)),
        step_with(sp.Gt(j * sp.atan(k - 1), 0, evaluate=False)),
        step_with(sp.Ge(sp.acos(x / 10**4) ** 2, 0, evaluate=False)),
        step_with(sp.And(x > 0, y > 0)),
        step_with(sp.Ne(x, y)),
    ],
    ids=str,
)
def test_reviewed_inequalities(step):
    assert fault_of(step)


def test_true_statements_that_were_refused():
    shared = {"moments": {u: P, v: P}, "matrices": {P: "positive"}}
    assert (
        fault_of(equation(Expectation(SquaredNorm(u)) + Expectation(SquaredNorm(v)), 2 * sp.Trace(P)), **shared) == ""
    )
    limit = sp.Limit((e + 1) / (e + 2) * x, e, 0, "+-")
    assert fault_of(equation(limit, x / 2)) == ""


def twice(value):
    """(1 + y) times a value: true wherever the value is defined."""
    return (1 + y) * value, value + y * value


X, X_1 = sp.IndexedBase("x", positive=True), sp.Symbol("x_1", positive=True)
SIGNED = sp.IndexedBase(sp.Symbol("w"), positive=True)
HALF = sp.Rational(1, 2)
OF_A_VECTOR = {"let": (Let(N, x * IDENTITY, "m", rule=(N * u, x * u), hypothesis=True),)}

REVIEWED_AGAIN = {
    "half a matrix power": (sp.Trace(sp.MatPow(M, HALF) * N), sp.Trace(N), {"sizes": ({K: 2},)}, {}),
    "factors with functions": (FactorCount(x**2 - sp.cos(s) ** 2, x) * y, 2 * y, {}, {}),
    "a degree with a denominator": (Degree(x**2 + x / (a - b), x) * y, 2 * y, {}, {}),
    "a degree that may be less": (2 * Degree(r * x**2 + x, x), sp.Integer(4), {}, {}),
    "a sum with a pole": (*twice(sp.Sum(1 / j, (j, 5 - k, 6))), {}, {}),
    "a sum that runs backwards for large integers": (sp.Sum(x, (i, 1, 5 - k)), x * (5 - k), {}, {}),
    "a sum to no integer": (*twice(sp.Sum(y / i, (i, 1, (k + 9) / 9))), {}, {}),
    "a positive variable below zero": (*twice(sp.Integral(1 / x**2, (x, -1, 1))), {}, {}),
    "an integral that may diverge": (*twice(sp.Integral(sp.exp(-(s + 2000) * x), (x, 0, sp.oo))), {}, {}),
    "a power that may diverge": (*twice(sp.Integral(x ** (a - 2), (x, 0, 1))), {}, {}),
    "a limit at three": (sp.Limit(e / (e + s - 3) + y, e, 0), y, {}, {}),
    "a limit at infinity at three": (y * sp.Limit((s - 3) * x / ((s - 3) * x + 1), x, sp.oo), y, {}, {}),
    "the log of a squared cosine": (sp.log(x * sp.cos(s) ** 2), sp.log(x) + sp.log(sp.cos(s) ** 2), {}, {}),
    "one over a squared cosine": (*twice(1 / (1 - sp.sin(s) ** 2)), {}, {}),
    "a product that may lose rank": (
        *twice(LogDet(sp.HadamardProduct(P, M * M.T))),
        {"sizes": ({K: 2},)},
        {"matrices": POSITIVE},
    ),
    "an inverse square": (*twice(sp.Trace(sp.MatPow(M, -2) * N)), {}, {"matrices": {M: "symmetric"}}),
    "the determinant of an assumed matrix": (
        (1 + y) * LogDet(N) * sp.Trace(u.T * N * u),
        (1 + y) * LogDet(N) * x * sp.Trace(u.T * u),
        {"wrong_form": y, **OF_A_VECTOR},
        {},
    ),
    "a rule the other way": (x * u, N * u, OF_A_VECTOR, {}),
    "a rule twice": (y * N * u, y * x * u, OF_A_VECTOR, {}),
    "a captured substitution": (f(e) * b, 4 * b, {"let": (Let(f(r), sp.Subs(r * e, e, 2), "m"),)}, {}),
    "an entry that does not exist": (*twice(M[K - 2, 0]), {"sizes": ({K: 1},)}, {}),
    "a family with another sign than its name": (sp.log(SIGNED[1] * y), sp.log(SIGNED[1]) + sp.log(y), {}, {}),
    "an entry and a symbol of one name": (sp.Derivative(X_1**2 * y, X_1) * X[1], 2 * X_1 * y * X[1], {}, {}),
    "a name that is printed as another": (
        sp.Derivative(
            sp.Symbol("lamda", positive=True) * sp.Symbol("lambda", positive=True) ** 2,
            sp.Symbol("lamda", positive=True),
        ),
        sp.Symbol("lambda", positive=True) ** 2,
        {},
        {},
    ),
    "a name with bars": (
        sp.Derivative(x * sp.Symbol("xabs", positive=True) ** 2, x),
        sp.Symbol("xabs", positive=True) ** 2,
        {},
        {},
    ),
    "the size of a number": (x**2 * y, 3 * x * y, {"sizes": ({x: 3},)}, {}),
    "a matrix abbreviated as a number": (N * T + y * N * T, x * T * (1 + y), {"let": (Let(N, x, "m"),)}, {}),
}


PAGES = REVIEWED | REVIEWED_AGAIN


@pytest.mark.parametrize("name", PAGES)
def test_reviewed(name):
    left, right, options, fields = PAGES[name]
    wrong = 2 * right if isinstance(left, sp.MatrixExpr) else 2 * right + 5
    assert fault_of(equation(left, right, **{"wrong_form": wrong, **options}), **fields)


@pytest.mark.parametrize(
    "step",
    [
        step_with(sp.Gt(x * sp.cos(s) ** 2, 0, evaluate=False)),
        step_with(sp.Gt(1 - sp.sin(s) ** 2, 0, evaluate=False)),
        step_with(sp.Gt(2 * a, 2 * b, evaluate=False), where=(a > b,)),
    ],
    ids=str,
)
def test_reviewed_inequalities_again(step):
    assert fault_of(step)

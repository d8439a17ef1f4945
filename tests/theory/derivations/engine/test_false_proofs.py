"""False pages of several steps: what is used, integrated, abbreviated or assumed must not carry more than it says.

The slack in many of them (10**12 and the like) hides from the points that they are false: the proof must refuse them.
"""

from dataclasses import replace

import pytest
import sympy as sp

from tests.theory.derivations.engine.pages import page_with
from theory.derivations.engine import check
from theory.derivations.engine.assumptions import page_assumptions
from theory.derivations.engine.notation import D, K, n
from theory.derivations.engine.operators import Degree, Expectation, FactorCount, LogDet, OverAll, PositiveRoots
from theory.derivations.engine.page import Let, Step, Use
from theory.derivations.registry import derivations

a, b, c, g, x, y, t = sp.symbols("a b c g x y t", positive=True)
r, s, z, w = sp.symbols("r s z w", real=True)
h = sp.Symbol("h", nonnegative=True)
i, k = sp.symbols("i k", integer=True, positive=True)
A = sp.MatrixSymbol("A", K, n)
M, N, P, Q, R, T, B = (sp.MatrixSymbol(name, K, K) for name in "MNPQRTB")
Z = sp.MatrixSymbol("Z", D, K)
u, v, o = (sp.MatrixSymbol(name, K, 1) for name in ("u", "v", "p"))
I = sp.Identity(K)  # noqa: E741
q, p = sp.Function("q", positive=True), sp.Function("p", positive=True)
f, m = sp.Function("f", real=True), sp.Function("m", real=True)
ONE = sp.Integer(1)
BIG = sp.Integer(10**7)
VANISHING = sp.prod(k - j for j in range(1, 5))  # at every number of terms that is tried
FUNCTIONS = {q: "density", p: "density", f: "real", m: "real"}
tr = sp.Trace


def ge(left, right=0, title="B", **options):
    return Step(title, sp.Ge(left, right, evaluate=False), "r", **options)


def eq(left, right, title="B", **options):
    return Step(title, sp.Eq(left, right, evaluate=False), "r", **options)


TANGENT = ge(x + 1 / x - 2, title="A", least_at=(x, ONE))
OF_RESOLVENT = {"matrices": {P: "positive", Q: "positive", R: "positive"}}


def resolvent(level):
    return Let(R, (P + level * I).I, "the resolvent", rule=(P * R, I - level * R))


def about_resolvent(level):
    return eq(P * R * P, P - level * I + level**2 * R, "A", let=(resolvent(level),), wrong_form=P)


def unit(left, right, **options):
    """An assumption that a matrix has a column as an eigenvector."""
    return Let(N, x * I, "a matrix", rule=(left, right), hypothesis=True, **options)


USES = {
    "an imaginary number": ((ge(s**2 + y, title="A"), ge(10**14 + y, r**2, uses=(Use("A", {s: sp.I * r}),))), {}),
    "an imaginary matrix": (
        (ge(tr(M * M.T) + y, title="A"), ge(10**14 + y, tr(N * N.T), uses=(Use("A", {M: sp.I * N}),))),
        {},
    ),
    "a factor that is not defined": (
        (
            ge(s**2 + y, title="A"),
            ge(
                (BIG + 1 - r) * (s**2 + y),
                uses=tuple(Use("A", times=(1 + sign * sp.sqrt(BIG - r)) ** 2 / 2) for sign in (1, -1)),
            ),
        ),
        {},
    ),
    "the variable of a polynomial": (
        (
            eq(y * PositiveRoots(x - a / 2, x), y, "A"),
            eq(b + VANISHING * c, b, uses=(Use("A", {a: x}, times=-VANISHING * c / y),)),
        ),
        {},
    ),
    "the variable of a degree": (
        (
            eq(y * Degree(a * x**2 + x, x), 2 * y, "A"),
            eq(b + VANISHING * c, b, uses=(Use("A", {a: 1 / x}, times=-VANISHING * c / y),)),
        ),
        {},
    ),
    "the variable of an integral": (
        (
            eq(y * OverAll(q(z) * r, z), y * r, "A"),
            ge(OverAll(q(z) * f(z), z) + 100, f(z), uses=(Use("A", {r: f(z), y: ONE}),)),
        ),
        {"functions": FUNCTIONS},
    ),
    "a letter with a rule": (
        (
            eq(tr(P * R), K - t * tr(R), "A", let=(resolvent(t),)),
            ge(tr(P * M) + 10**12, K - t * tr(M), uses=(Use("A", {R: M}),)),
        ),
        {"matrices": {P: "positive"}},
    ),
    "what a rule is about": (
        (
            eq(tr(P * R), K - t * tr(R), "A", let=(resolvent(t),)),
            ge(tr(Q * R) + 10**12, K - t * tr(R), uses=(Use("A", {P: Q}),)),
        ),
        OF_RESOLVENT,
    ),
    "what an assumption is about": (
        (
            eq(tr(T * N * M), x * tr(T * M), "A", let=(unit(N * M, x * M),)),
            eq(tr(T * N * Q), x * tr(T * Q), uses=(Use("A", {M: Q}),)),
        ),
        {},
    ),
    "a sum that runs backwards": ((TANGENT, ge((5 - k) * (x + 1 / x - 2), uses=(Use("A", over=(i, 1, 5 - k)),))), {}),
    "a sum up to no integer": ((TANGENT, ge((BIG - y) * (x + 1 / x - 2), uses=(Use("A", over=(i, 1, BIG - y)),))), {}),
    "a sum beyond a condition": (
        (
            ge(y * (100 - i), title="A", where=(sp.Le(i, 100),)),
            ge(100 * k - k * (k + 1) / 2, where=(sp.Le(i, 100),), uses=(Use("A", {y: ONE}, over=(i, 1, k)),)),
        ),
        {},
    ),
    "a sum over a size": (
        (
            ge(tr(P) + tr(P.I) - 2 * K + 1000, title="A", least_at=(P, I)),
            ge(n * (tr(P) + tr(P.I)) - n * (n + 1) + 1000 * n, uses=(Use("A", over=(K, 1, n)),)),
        ),
        {"matrices": {P: "positive"}},
    ),
    "an integral beyond a condition": (
        (
            ge(y * z + y, title="A", where=(z > 0,)),
            ge(OverAll(q(z) * z, z) + 1, where=(z > 0,), uses=(Use("A", {y: q(z)}, over=z),)),
        ),
        {"functions": {q: "density"}},
    ),
}
POSITIVE_POINT = sp.Symbol("z", positive=True)
INTEGRALS = {
    "a positive point": (ge(OverAll(q(POSITIVE_POINT) * POSITIVE_POINT, POSITIVE_POINT)),),
    "a condition on a point": (ge(OverAll(q(z) * z, z), where=(z > 0,)),),
    "an abbreviated integral of its variable": (
        eq(
            y * f(m(z)) + c * f(m(z)),
            (c + y) * OverAll(q(z) * m(z), z),
            let=(Let(f(a), OverAll(q(z) * a, z), "an integral"),),
        ),
    ),
    "an abbreviated number that depends on the variable": (
        eq(
            y * OverAll(q(z) * r, z) + c * OverAll(q(z) * r, z),
            (y + c) * OverAll(q(z) * m(z), z),
            let=(Let(r, m(z), "a number"),),
        ),
    ),
    "a matrix that depends on the variable": (
        about_resolvent(1 + z**2),
        eq(OverAll(q(z) * tr(R * Q), z), tr(R * Q)),
    ),
    "a determinant that depends on the variable": (
        ge(
            OverAll(p(z) * LogDet(P + (1 + z**2) * Q), z) + 1000,
            OverAll(q(z) * LogDet(P + (1 + z**2) * Q), z),
        ),
    ),
    "a function least at a value of the variable": (
        ge(1000 * (z - 1) ** 2 + y * OverAll(q(z) * (z - 1), z) / 10**4, least_at=(z, ONE)),
    ),
    "a function of the variable outside": (ge(OverAll(f(z) * q(z), z) + 100, f(z) * OverAll(q(z), z)),),
}
PROOFS = {
    "convexity on two intervals": (
        (
            ge(
                r**4 / 12 - b**2 * r**2 + 15 * b**3 * r / 8 - 63 * b**4 / 64 + 10**26,
                least_at=(r, 3 * b / 2),
                where=(r**2 > 2 * b**2,),
            ),
        ),
        {},
    ),
    "both orders of a determinant with a constant": (
        (
            ge(
                LogDet(sp.Identity(D) + Z * Z.T + Z * A * A.T * Z.T),
                n * sp.log(3) + 1000 * K - 999 * n,
                where=(sp.Ge(D, K), sp.Ge(K, n)),
            ),
        ),
        {"matrices": {Z: "orthogonal", A: "orthogonal"}},
    ),
    "blocks of a random vector": (
        (
            ge(
                Expectation(tr(P * sp.HadamardProduct(u * u.T, B))) + 10**9,
                Expectation(tr(u * u.T * sp.HadamardProduct(u * u.T, B))),
            ),
        ),
        {"matrices": {B: "partition", P: "positive"}, "moments": {u: P}},
    ),
    "the instance of an assumption": (
        (
            eq(
                N * P * M,
                M,
                let=(Let(N, P.I, "a matrix", rule=(P * N * u, u), hypothesis=True),),
                wrong_form=2 * M,
            ),
        ),
        {"matrices": {P: "positive"}},
    ),
    "a number inside an abbreviated matrix": (
        (about_resolvent(x), eq(sp.Subs(sp.Derivative(t * tr(R * Q), t), x, 1), tr(R * Q))),
        OF_RESOLVENT,
    ),
    "a number inside a matrix through an abbreviation": (
        (
            eq(
                tr(R * T * Z.T * Z * M) + y * (1 + b),
                tr(Z.T * Z * T * R * M) + x**2 + x**2 * b,
                "A",
                let=(
                    Let(y, x**2, "a square"),
                    Let(R, y * Z.T * Z, "a multiple", rule=(R * T * Z.T * Z, Z.T * Z * T * R)),
                ),
            ),
            eq(sp.Derivative(x * tr(R * Q), x), tr(R * Q)),
        ),
        {},
    ),
    "a kind that needs the condition of another step": (
        (
            eq(
                tr(R * P.I * M),
                (BIG - x) * tr(M),
                "A",
                let=(Let(R, (BIG - x) * P, "a multiple", rule=(R * P.I, (BIG - x) * I)),),
                where=(x < BIG,),
            ),
            Step("B", sp.Gt(tr(R * Q), 0, evaluate=False), "r"),
        ),
        OF_RESOLVENT,
    ),
    "a ratio to what may be zero": ((ge((r - s) * y, where=(h * (r - s) >= 0,)),), {}),
    "an index below its range": ((ge(sp.Sum(i * sp.exp(-(i**2)) * a**i, (i, -1, n)) ** 3 + 10**40),), {}),
    "an assumption that no large matrix satisfies": (
        (
            eq(
                tr(M.T * N * M),
                (1 - VANISHING.subs(k, K)) * tr(M.T * M),
                "A",
                let=(Let(N, I, "a matrix", rule=(N * M, (1 - VANISHING.subs(k, K)) * M), hypothesis=True),),
            ),
            ge(y * tr(M.T * P * M), title="C"),
            ge((1 - VANISHING.subs(k, K)) * tr(M.T * M), uses=(Use("C", {P: N, y: ONE}),)),
        ),
        {"matrices": {P: "positive", N: "positive"}},
    ),
}


def faults(steps, **fields):
    page = page_with(*steps, **fields)
    return [fault for step in steps if (fault := check.check_step(page, step).fault)]


@pytest.mark.parametrize("name", USES)
def test_uses(name):
    steps, fields = USES[name]
    assert faults(steps, **fields)


@pytest.mark.parametrize("name", INTEGRALS)
def test_integrals(name):
    steps = INTEGRALS[name]
    abbreviated = {let.symbol.func for step in steps for let in step.let if let.symbol.args and let.rule is None}
    functions = {one: kind for one, kind in FUNCTIONS.items() if one not in abbreviated}
    assert faults(steps, functions=functions, **OF_RESOLVENT)


@pytest.mark.parametrize("name", PROOFS)
def test_proofs(name):
    steps, fields = PROOFS[name]
    assert faults(steps, **fields)


def test_a_property_between_two_places_is_none_of_all_between():
    """An eigenvector at both ends is none between them, so the convexity of what it simplifies does not help."""

    def of(square, form):
        return form * square - x * square**2 / 2

    def slope(direction):
        return (
            2 * tr(direction.T * N * o) * tr(o.T * o)
            + 2 * tr(o.T * N * o) * tr(direction.T * o)
            - 2 * x * tr(o.T * o) * tr(direction.T * o)
        )

    difference = of(tr(v.T * v), tr(v.T * N * v)) - of(tr(o.T * o), tr(o.T * N * o)) - slope(v) + slope(o)
    assumed = eq(tr(M * N * v * v.T), x * tr(M * v * v.T), "A", let=(unit(N * v, x * v),))
    assert faults((assumed, ge(difference, least_at=(v, o))), matrices={N: "positive"})


TALL = sp.MatrixSymbol("Z", D, K)
SQUARE = sp.MatrixSymbol("M", D, D)
ODD = sp.MatrixSymbol("M", 5 - K, 5 - K)
OF_INDEX = sp.MatrixSymbol("N", i, i)
SECOND_REVIEW = {
    "a place that is not real": (
        (ge(r**2 + 5 * r**4 / 8 + r**6 / 12, sp.Rational(2, 3), least_at=(r, 2 * sp.I)),),
        {},
    ),
    "convexity over integers across a pole": (
        (
            ge(
                1 / (k - sp.Rational(101, 2)) ** 2 - k / sp.Integer(4) + sp.Rational(95, 8),
                least_at=(k, sp.Rational(97, 2)),
            ),
        ),
        {},
    ),
    "an assumption that no longer shows": (
        (
            ge(y * tr(u.T * P * u), title="C"),
            ge(
                (BIG - x) * tr(v.T * v),
                title="A",
                let=(Let(N, (BIG - x) * I, "a matrix", rule=(N * v, (BIG - x) * v), hypothesis=True),),
                uses=(Use("C", {P: N, u: v, y: ONE}),),
            ),
            ge((BIG - x - b) * tr(u.T * u), uses=(Use("A", {x: x + b, v: u}),)),
        ),
        {"matrices": {P: "positive", N: "positive"}},
    ),
    "a matrix with too many orthonormal columns": (
        (
            ge(tr(SQUARE * SQUARE.T), title="A"),
            ge(D + 1000, K, uses=(Use("A", {SQUARE: sp.Identity(D) - TALL * TALL.T}),)),
        ),
        {"matrices": {TALL: "orthogonal"}},
    ),
    "a size that may be negative": (
        (ge(tr(ODD * ODD.T), title="A"), ge(5, K, uses=(Use("A", {ODD: sp.Identity(5 - K)}),))),
        {},
    ),
    "a sum over the size of what is put": (
        (
            ge(tr(P) + tr(P.I) - 2 * K + 1000, title="A", least_at=(P, I)),
            ge(
                n * (tr(OF_INDEX) + tr(OF_INDEX.I)) - n * (n + 1) + 1000 * n,
                uses=(Use("A", {K: i, P: OF_INDEX}, over=(i, 1, n)),),
            ),
        ),
        {"matrices": {P: "positive", OF_INDEX: "positive"}},
    ),
    "an abbreviation captured by a polynomial": (
        (eq(y * f(x**2), 2 * y, let=(Let(f(a), Degree(x + a, x), "a degree"),)),),
        {},
    ),
    "an abbreviation that hides the variable of an integral": (
        (
            eq(
                y * f(r) + c * f(r),
                (c + y) * OverAll(q(z) * m(z), z),
                let=(Let(r, m(z), "a number"), Let(f(a), OverAll(q(z) * a, z), "an integral")),
            ),
        ),
        {"functions": {q: "density", m: "real"}},
    ),
    "a function that hides the variable of an integral": (
        (
            eq(
                y * OverAll(q(z) * f(a), z) + c * OverAll(q(z) * f(a), z),
                (y + c) * a * OverAll(q(z) * m(z), z),
                let=(Let(f(a), a * m(z), "a product"),),
            ),
        ),
        {"functions": {q: "density", m: "real"}},
    ),
    "a condition on a point behind a function": (
        (
            ge(
                OverAll(q(z) * f(z), z) + 1,
                title="A",
                let=(Let(f(r), r, "itself"),),
                where=(sp.Gt(f(z), 0, evaluate=False),),
            ),
            eq((f(s) + 1) ** 2, s**2 + 2 * s + 1),
        ),
        {"functions": {q: "density"}},
    ),
    "a number of factors with values put": (
        (
            eq(y * FactorCount(x**2 - a * b, x), y, "A"),
            eq(c + VANISHING * t, c, uses=(Use("A", {a: b}, times=VANISHING * t / y),)),
        ),
        {},
    ),
    "a limit whose leading coefficient may vanish": (
        (eq(y * sp.Limit((r - BIG) ** 2 * x / (1 + (r - BIG) ** 2 * x), x, sp.oo), y),),
        {},
    ),
    "a limit of a logarithm of negative numbers": (
        (eq(y + sp.Limit(x * sp.log((BIG - r) * x), x, 0), y, where=(sp.Ne(r, BIG),)),),
        {},
    ),
    "a number in the rule of an assumption": (
        (
            eq(
                x * tr(N * Q) + tr(Q),
                tr(N * N * Q) + tr(Q),
                "A",
                let=(Let(N, sp.ZeroMatrix(K, K), "a matrix", rule=(N * N, x * N), hypothesis=True),),
            ),
            eq(sp.Derivative(x * tr(N * Q) + x * tr(Q), x), tr(N * Q) + tr(Q)),
        ),
        {},
    ),
}


@pytest.mark.parametrize("name", SECOND_REVIEW)
def test_second_review(name):
    steps, fields = SECOND_REVIEW[name]
    assert faults(steps, **fields)


# |r + BIG|, whose slope jumps where it is zero, as a root that nothing simplifies.
SHIFTED, ROOT = r + BIG, sp.sqrt(y + b)
KINKED = SHIFTED**2 - sp.sqrt(SHIFTED**2 * y + SHIFTED**2 * b) + SHIFTED * ROOT / 2 + (y + b) / 16
SUM_OF_DIAGONAL = tr(M) + BIG
KINKED_IN_MATRIX = (
    SUM_OF_DIAGONAL**2
    - sp.sqrt(SUM_OF_DIAGONAL**2 * y + SUM_OF_DIAGONAL**2 * b)
    + SUM_OF_DIAGONAL * ROOT / 2
    + (y + b) / 16
)
ROOT_OF_NEGATIVE = Let(R, sp.sqrt(BIG - r) * P, "a root", rule=(R * R * N, (BIG - r) * P * P * N))
SQUARES_OF_IT = eq(tr(R * R * N * T), (BIG - r) * tr(P * P * N * T), "A", let=(ROOT_OF_NEGATIVE,))
POLE = Let(R, P / (BIG - r), "a matrix", rule=(P, (BIG - r) * R))
UNLIKE = {"where": (sp.Ne(r, BIG),)}
THIRD_REVIEW = {
    "a kink": ((ge(KINKED, title="A", least_at=(r, ROOT / 4 - BIG)),), {}),
    "a kink, strictly": (
        (Step("A", sp.Gt(KINKED + 1, 0, evaluate=False), "r", least_at=(r, ROOT / 4 - BIG)),),
        {},
    ),
    "a kink in a matrix": (
        (ge(KINKED_IN_MATRIX, title="A", least_at=(M, (ROOT / 4 - BIG) / K * I)),),
        {},
    ),
    "a number of roots with a value put for a parameter": (
        (eq(b + VANISHING * c * sp.Subs(PositiveRoots(x - a / 2, x), a, x), b, wrong_form=2 * b),),
        {},
    ),
    "a number of roots in a limit": (
        (eq(b + VANISHING * c * sp.Limit(PositiveRoots(x - a, x), a, 0), b, wrong_form=2 * b),),
        {},
    ),
    "an abbreviation that is not real everywhere": (
        (SQUARES_OF_IT, ge(y + tr(M.T * R * R * M))),
        {"matrices": {P: "positive", R: "symmetric"}},
    ),
    "a denominator that cancels in a trace": ((eq(y * (1 + tr(M * N / (BIG - r) - N * M / (BIG - r))), y),), {}),
    "a logarithm that cancels in a trace": (
        (eq(y * (1 + tr(M * N * sp.log(BIG - r) - N * M * sp.log(BIG - r))), y),),
        {},
    ),
    "a denominator that cancels in a trace of an inequality": (
        (ge(y + y * tr(M * N / (BIG - r) - N * M / (BIG - r)), y / 2),),
        {},
    ),
    "an abbreviation with a pole": ((eq(tr(M * P * N), (BIG - r) * tr(M * R * N), "A", let=(POLE,)),), {}),
    "a limit at infinity of a logarithm of negative numbers": (
        (eq(y + sp.Limit(sp.log((BIG - r) * x + 1) / x, x, sp.oo), y),),
        UNLIKE,
    ),
    "a limit at minus infinity of a logarithm of negative numbers": (
        (eq(y + sp.Limit(sp.log((r - BIG) * s + 1) / s, s, -sp.oo), y),),
        UNLIKE,
    ),
    "a limit of a logarithm of a product": ((eq(y + sp.Limit(sp.log((BIG - r) * x) / x, x, sp.oo), y),), UNLIKE),
    "an integral up to a pole": ((eq(h * sp.Integral(1 / s**2, (s, h, 1)), 1 - h),), {"where": (sp.Le(h, 1),)}),
    "an inequality of an integral up to a pole": (
        (ge(h * sp.Integral(1 / s**2, (s, h, 1)) + h, 1),),
        {"where": (sp.Le(h, 1),)},
    ),
    "an integral whose ends have no order": (
        (eq(sp.Integral(1 / s, (s, a, b)), sp.log(b) - sp.log(a)),),
        {},
    ),
}


@pytest.mark.parametrize("name", THIRD_REVIEW)
def test_third_review(name):
    steps, fields = THIRD_REVIEW[name]
    assert faults(steps, **fields)


TRUE = {
    "a convex function that has a root": (ge(1 / sp.sqrt(x) + x / 2, sp.Rational(3, 2), least_at=(x, ONE)),),
    "a limit of a logarithm of positive numbers": (eq(y + sp.Limit(sp.log(a * x + 1) / x, x, sp.oo), y),),
    "a limit at minus infinity": (eq(y + sp.Limit(sp.log(1 - a * s) / s, s, -sp.oo), y),),
    "an integral between ends in their order": (eq(sp.Integral(s**2, (s, -a, a)), 2 * a**3 / 3),),
    "a number of roots": (eq(y * PositiveRoots(x - a, x), y),),
}


@pytest.mark.parametrize("name", TRUE)
def test_true_neighbours(name):
    assert faults(TRUE[name]) == []


NEGATIVE_SIDE = sp.Limit(sp.sqrt(x**2 * y + x**2 * b) / x, x, 0, "-")  # of a positive symbol
LENGTH = sp.Trace(u.T * u)
FOURTH_REVIEW = {
    "a fourth moment as a factor in a trace": (
        (
            ge(
                Expectation(tr(sp.MatMul(LENGTH, P))) + 10**9,
                Expectation(tr(sp.MatMul(LENGTH, u * u.T))),
                title="A",
            ),
        ),
        {"moments": {u: P}, "matrices": {P: "positive"}},
    ),
    "a random vector of a kind": (
        (eq(tr(P) * x + Expectation(tr(u.T * u)), 1 + tr(P) * x, "A"),),
        {"moments": {u: P}, "matrices": {P: "positive", u: "orthogonal"}},
    ),
    "a limit from the side where a symbol has not its sign": (
        (eq(VANISHING * NEGATIVE_SIDE + c * y + c * b, VANISHING * ROOT + c * y + c * b, "A"),),
        {},
    ),
    "an inequality of such a limit": ((ge(b + VANISHING**2 * NEGATIVE_SIDE, title="A"),), {}),
    "a degree with a value put for a parameter": (
        (eq(y * sp.Subs(Degree(a * x**2 + x, x), a, h), 2 * y, "A"),),
        {},
    ),
    "a number of factors with a value put for a parameter": (
        (eq(y * sp.Subs(FactorCount(x**2 - a, x), a, b**2), y, "A"),),
        {},
    ),
    "a sum of numbers of factors": (
        (Step("A", sp.Le(sp.Sum(FactorCount(x**2 - i, x), (i, 1, k)), k + 3, evaluate=False), "r"),),
        {},
    ),
}


@pytest.mark.parametrize("name", FOURTH_REVIEW)
def test_fourth_review(name):
    steps, fields = FOURTH_REVIEW[name]
    assert faults(steps, **fields)


def test_the_kind_of_a_second_moment_is_printed():
    page = page_with(eq(Expectation(tr(u * u.T)), tr(P), "A"), moments={u: P}, matrices={P: "positive"})
    assert any("P" in text and "positive definite" in text for text in page_assumptions(page))
    page = page_with(ge(Expectation(tr(u * u.T)), title="A"), moments={u: P}, matrices={P: "positive"})
    assert any("P" in text and "positive definite" in text for text in page_assumptions(page))


HUGE = sp.prod(k - j for j in range(1, 8)) ** 2
MULTIPLE = Let(N, x * R, "a multiple", rule=(N.T * N * M, x**2 * M))
ANY = eq(tr(R * Q) * y + tr(R * Q) * b, (y + b) * tr(Q * T), "A", let=(Let(R, T, "any matrix"),))
NUMBER = eq(y * t + b * t, (y + b) * r, "A", let=(Let(t, r, "a number"),))
OF_NUMBER = Let(N, (1 - HUGE * t) * I, "a multiple", rule=(N * M, (1 - HUGE * t) * M))
NEGATIVE = eq(tr(R * Q * T), -tr(T * P * Q), "A", let=(Let(R, -P, "a matrix"),))
OF_NEGATIVE = Let(N, I - HUGE * R, "a matrix", rule=(N * M, M - HUGE * R * M))
NO_LARGER = sp.Le(tr(M.T * N * M), tr(M.T * M), evaluate=False)
PLACE = (r - BIG) ** 2
FIFTH_REVIEW = {
    "an abbreviation of a kind that its value has not": (
        (ANY, eq(tr(N.T * N * M), x**2 * tr(M), let=(MULTIPLE,))),
        {"matrices": {R: "orthogonal"}},
    ),
    "a number of a sign that its value has not": ((NUMBER, Step("B", NO_LARGER, "r", let=(OF_NUMBER,))), {}),
    "a definite abbreviation of a negative matrix": (
        (NEGATIVE, Step("B", NO_LARGER, "r", let=(OF_NEGATIVE,))),
        {"matrices": {P: "positive", R: "positive"}},
    ),
    "a denominator that cancels in a trace at the place of a derivative": (
        (eq(y * sp.Subs(sp.Derivative(x * (1 + tr(M * N / x - N * M / x)), x), x, PLACE), y),),
        {},
    ),
    "a logarithm that cancels there": (
        (eq(y * sp.Subs(sp.Derivative(x + tr(M * N * sp.log(x) - N * M * sp.log(x)), x), x, PLACE), y),),
        {},
    ),
}


@pytest.mark.parametrize("name", FIFTH_REVIEW)
def test_fifth_review(name):
    steps, fields = FIFTH_REVIEW[name]
    assert faults(steps, **fields)


ASSUMED = Let(N, I, "a matrix", rule=(N * N, N), hypothesis=True)
IDEMPOTENT = eq(y * tr(N * N * M) + b * tr(N * N * M), (y + b) * tr(N * M), "A", let=(ASSUMED,))
N_2, M_2 = sp.MatrixSymbol("N", 2, 2), sp.MatrixSymbol("M", 2, 2)
ASSUMED_2 = Let(N_2, sp.ImmutableMatrix([[1, 0], [0, 0]]), "a matrix", rule=(N_2 * N_2, N_2), hypothesis=True)
IDEMPOTENT_2 = eq(y * tr(N_2 * N_2 * M_2) + b * tr(N_2 * N_2 * M_2), (y + b) * tr(N_2 * M_2), "A", let=(ASSUMED_2,))
SCALED = Let(N, I, "a matrix", rule=(t * N * N, t * N), hypothesis=True)
SIXTH_REVIEW = {
    "the sample of an assumed matrix behind an abbreviation": (
        (IDEMPOTENT, eq(y * t + b * t, (y + b) * K, let=(Let(t, tr(N), "a trace"),), sizes=({K: 1}, {K: 2}))),
        {},
    ),
    "the same at a fixed size": (
        (IDEMPOTENT_2, eq(y * t + b * t, y + b, let=(Let(t, tr(N_2), "a trace"),), sizes=({K: 1},))),
        {},
    ),
    "a kind that only the sample has": (
        (
            IDEMPOTENT,
            Step("B", sp.Gt(tr(R) + tr(R * R), 0, evaluate=False), "r", let=(Let(R, N, "it", rule=(R * M, N * M)),)),
            eq(y * tr(R * M) + b * tr(R * M), (y + b) * tr(N * M), "C"),
        ),
        {"matrices": {R: "positive"}},
    ),
    "a condition on an assumed matrix": (
        (
            IDEMPOTENT_2,
            Step("B", sp.Le(r, 3, evaluate=False), "r", where=(sp.Ge(N_2[0, 0], r, evaluate=False),)),
        ),
        {},
    ),
    "a rule about a number that is abbreviated later": (
        (
            eq(
                y * tr(N * N * M) + b * tr(N * N * M),
                (y + b) * tr(N * M),
                "A",
                let=(SCALED, Let(t, r - 3, "a number")),
            ),
            eq(y * t + b * t, (y + b) * (r - 3)),
        ),
        {},
    ),
    "a limit of an inverse whose rank falls": (
        (eq(y + sp.Limit(x * tr((x * P + (r - 3) ** 2 * I).I), x, 0), y, "A", sizes=({K: 1}, {K: 2})),),
        {"matrices": {P: "positive"}},
    ),
}


@pytest.mark.parametrize("name", SIXTH_REVIEW)
def test_sixth_review(name):
    steps, fields = SIXTH_REVIEW[name]
    assert faults(steps, **fields)


def at_kink(expression):
    """What has its least value at a place where a root of a square has no derivative."""
    return SHIFTED**2 - expression + SHIFTED * sp.sqrt(y + b) / 2 + (y + b) / 16


SHIFTED = r + 10**7
KINK = sp.sqrt(SHIFTED**2 * y + SHIFTED**2 * b)
AT_KINK = {"least_at": (r, sp.sqrt(y + b) / 4 - 10**7)}
family = sp.IndexedBase(sp.Symbol("l", real=True))
TOTAL = sp.Sum(family[i], (i, 1, n))
euler = sp.Symbol("e", positive=True)
u_1, M_1, P_1 = (sp.MatrixSymbol(name, 1, 1) for name in "uMP")
ROOTS = eq(y * f(b) + t * f(b), (y + t) * sp.sqrt(b), "A", let=(Let(f(a), sp.sqrt(a), "a root"),))
RENAMED = eq(y * x + b * x, (y + b) * a, "A", let=(Let(x, a, "a name"),))


def abbreviated(value, *later):
    """Relations about an abbreviation that is made where its value is positive, and is undefined elsewhere."""
    first = eq(y * z + b * z, (y + b) * value, "A", let=(Let(z, value, "it"),), where=(sp.Gt(r, 0, evaluate=False),))
    return (first, *later)


SEVENTH_REVIEW = {
    "an inverse that cancels": ((eq(y * (z * r + b), y + y * b, let=(Let(z, 1 / r, "an inverse"),)),), {}),
    "a logarithm that cancels": (abbreviated(sp.log(r), eq(y * (sp.exp(z) + b), y * r + y * b)), {}),
    "a root that cancels": (abbreviated(sp.sqrt(r), eq(y * (z**2 + b), y * r + y * b)), {}),
    "an inverse of an inverse": (
        (
            eq(y * f(b) + t * f(b), (y + t) / b, "A", let=(Let(f(a), 1 / a, "an inverse"),)),
            eq(y * (f(f(r)) + b), y * r + y * b),
        ),
        {},
    ),
    "a kink in a sum": ((ge(at_kink(sp.Sum(KINK / k, (i, 1, k))), **AT_KINK),), {}),
    "a kink in an integral": ((ge(at_kink(sp.Integral(KINK, (s, 0, 1))), **AT_KINK),), {}),
    "a derivative of a sum at a kink": (
        (eq(sp.Derivative(sp.Sum(KINK * i * 2, (i, 1, k)) / (k * (k + 1)), r) * SHIFTED, KINK),),
        {},
    ),
    "a derivative of a root of a square": (
        (ROOTS, eq(y + sp.Subs(sp.Derivative(f(r**2), r), r, 0), y)),
        {},
    ),
    "a random vector in place of a number": (
        (
            eq(y * tr(M_1**4) + b * tr(M_1**4), (y + b) * tr(M_1**2) ** 2, "A", sizes=({K: 1},)),
            ge(
                Expectation(tr(u_1 * u_1)) ** 2 * y + 10**20,
                y * Expectation(tr(u_1 * u_1 * u_1 * u_1)),
                uses=(Use("A", {M_1: u_1, y: y / 2, b: y / 2}, times=sp.Integer(-1)),),
            ),
        ),
        {"moments": {u_1: P_1}, "matrices": {P_1: "positive"}},
    ),
    "an entry of a family that is put": (
        (Step("B", sp.Le(sp.Subs(TOTAL, family[1], t), TOTAL + 10**12, evaluate=False), "r"),),
        {},
    ),
    "factors of two entries that may be one": ((eq(y * FactorCount(x**2 - family[1] * family[k], x), y),), {}),
    "factors over the irrational numbers": ((eq(y * FactorCount(x**2 - 2 * sp.sqrt(2) * x + 2, x), y),), {}),
    "roots in an abbreviation": ((RENAMED, eq(y * PositiveRoots(x - a / 2, x) + y + b, y + b)), {}),
    "a degree in an abbreviation": ((RENAMED, eq(y * Degree(x**2 * a + x, x), 3 * y)), {}),
    "a limit in an abbreviation": ((RENAMED, eq(y + sp.Limit(a + x, x, 0), y)), {}),
    "a symbol that is printed as Euler's number": (
        (
            eq(euler * (y + b), euler * y + euler * b, "A"),
            Step("B", sp.Gt(y * sp.E + b * sp.E**2, y + b, evaluate=False), "r"),
        ),
        {},
    ),
}


@pytest.mark.parametrize("name", SEVENTH_REVIEW)
def test_seventh_review(name):
    steps, fields = SEVENTH_REVIEW[name]
    assert faults(steps, **fields)


x_i, x_k, l_1 = sp.Symbol("x_i", positive=True), sp.Symbol("x_k", real=True), sp.Symbol("l_1", real=True)
M_i, Gamma = sp.MatrixSymbol("M_i", 2, 2), sp.Symbol("Gamma", positive=True)
INVERSE, LOG_DET = Let(R, M.I, "an inverse"), Let(z, LogDet(M), "a log determinant")
COUNT = eq(y * f(a), y, "A", let=(Let(f(a), FactorCount(x**2 - a, x), "a number"),))
ROOT_SCALED = (Let(z, sp.sqrt(r), "a root"), Let(R, z**2 * P, "a matrix", rule=(R * N, r * P * N)))
EIGHTH_REVIEW = {
    "a symbol that reads as the term of a sum": ((eq(sp.Sum(x_i, (i, 1, n)), n * x_i),), {}),
    "one that a sum of a relation runs over": (
        (TANGENT, ge(n * (x_i + 1 / x_i), 2 * n, uses=(Use("A", {x: x_i}, over=(i, 1, n)),))),
        {},
    ),
    "one that a limit runs over": ((eq(y + sp.Limit(x_k * k / (k + 1), k, sp.oo), y + x_k),), {}),
    "a matrix that reads as the term of a sum": (
        (eq(y * sp.Sum(i * tr(M_i), (i, 1, 3)), 6 * y * tr(M_i), sizes=({K: 1},)),),
        {},
    ),
    "a symbol that reads as an entry of a family": ((eq(sp.Derivative(l_1 * TOTAL, l_1), TOTAL),), {}),
    "the inverse of any matrix that cancels": (
        (eq(y * (1 + b + tr(R * N) - tr(M.I * N)), y + y * b, let=(INVERSE,)),),
        {},
    ),
    "the same in an inequality": (
        (Step("B", sp.Gt(y * (1 + tr(R * N) - tr(M.I * N)) + b, b, evaluate=False), "r", let=(INVERSE,)),),
        {},
    ),
    "a log determinant that cancels": ((eq(y * (z + b + t - LogDet(M)), b * y + y * t, let=(LOG_DET,)),), {}),
    "a factor of two matrices that cancels": (
        (
            eq(
                y * (1 + b + tr(R * N) - tr(T * N)),
                y + y * b,
                let=(Let(R, P * sp.log(r), "a matrix"), Let(T, P * sp.log(r), "the same")),
            ),
        ),
        {"matrices": {P: "positive"}},
    ),
    "a root in a matrix with a rule": (
        (eq(tr(R * N * M) * y + b, y * r * tr(P * N * M) + b, let=ROOT_SCALED),),
        {"matrices": {P: "positive"}},
    ),
    "a count as a function": ((COUNT, eq(y * f(b**2), 2 * y)), {}),
    "a symbol that is printed as the gamma function": (
        (
            eq(Gamma * (x + 1), Gamma * x + Gamma, "A"),
            Step("B", sp.Gt(y * sp.gamma(x + 1) + b, b, evaluate=False), "r"),
        ),
        {},
    ),
}


@pytest.mark.parametrize("name", EIGHTH_REVIEW)
def test_eighth_review(name):
    steps, fields = EIGHTH_REVIEW[name]
    assert faults(steps, **fields)


SLOPE = Let(z, sp.Derivative(a * t, t), "the slope of a line")
OF_SLOPE = eq(y * f(r) + b * f(r), (y + b) * r, "A", let=(SLOPE, Let(f(a), z, "the slope")))
OF_COUNT = eq(y * f(a), y, "A", let=(Let(t, FactorCount(x**2 - a, x), "a number"), Let(f(a), t, "a number of factors")))
x_ij, x_ii = sp.symbols("x_ij x_ii", positive=True)
beta, of_beta = sp.Symbol("beta", positive=True), sp.Function("beta", real=True)
SQUARE = Let(f(a), a**2, "a square")


def same_twice(value):
    """A relation in which two abbreviations of one value cancel."""
    return eq(y * (1 + b + z - w), y + y * b, let=(Let(z, value, "it"), Let(w, value, "the same")))


NINTH_REVIEW = {
    "an argument whose logarithm cancels": (
        (eq(f(sp.log(r)) * y + b * f(sp.log(r)), (y + b) * r, let=(Let(f(s), sp.exp(s), "a power of e"),)),),
        {},
    ),
    "an argument whose inverse cancels": (
        (Step("B", sp.Gt(y * f(1 / r) + b, y * r, evaluate=False), "r", let=(Let(f(a), 1 / a, "an inverse"),)),),
        {},
    ),
    "an argument whose root cancels": (
        (Step("B", sp.Gt(f(sp.sqrt(r)) + b, r, evaluate=False), "r", let=(SQUARE,)),),
        {},
    ),
    "an argument in a matrix": (
        (
            eq(
                tr(R * N * M) * y + b,
                y * r * tr(P * N * M) + b,
                let=(SQUARE, Let(R, f(sp.sqrt(r)) * P, "a matrix", rule=(R * N, r * P * N))),
            ),
        ),
        {"matrices": {P: "positive"}},
    ),
    "a derivative behind an abbreviation": ((OF_SLOPE, eq(y * f(t) + b * f(t), (y + b) * 2 * t)), {}),
    "a count behind an abbreviation": ((OF_COUNT, eq(y * f(b**2), 2 * y)), {}),
    "one of two letters of an index runs": ((eq(sp.Sum(x_ij, (i, 1, n)), n * x_ij),), {}),
    "a trace of entries that are one symbol": (
        (eq(y * sp.Sum(x_ii, (i, 1, K)) + y * tr(M), y * (K * x_ii + tr(M))),),
        {},
    ),
    "two abbreviations of an inverse": ((same_twice(1 / r),), {}),
    "two abbreviations of a logarithm": ((same_twice(sp.log(r)),), {}),
    "two abbreviations of a log determinant": ((same_twice(LogDet(M)),), {}),
    "two abbreviations of a trace": ((same_twice(tr(M.I * N)),), {}),
    "a coefficient that cancels": (
        (eq(y * Degree(x * (r**2 - 1) / (r - 1) - a, x), y, where=(sp.Gt(r, 0, evaluate=False),)),),
        {},
    ),
    "a function that is printed as a symbol": (
        (
            eq(beta * (x + 1), beta * x + beta, "A"),
            eq(y * of_beta(b) + t * of_beta(b), (y + t) * b, let=(Let(of_beta(a), a, "it"),)),
        ),
        {},
    ),
}


@pytest.mark.parametrize("name", NINTH_REVIEW)
def test_ninth_review(name):
    steps, fields = NINTH_REVIEW[name]
    assert faults(steps, **fields)


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("water-filling", "Distortion of an active mode"),
        ("water-filling", "Rate of an active mode"),
        ("global-optimum", "What an active mode gains"),
    ],
)
def test_a_condition_that_only_an_argument_needs_cannot_be_dropped(page, title):
    whole = next(one for one in derivations() if one.name == page)
    steps = tuple(replace(step, where=()) if step.title == title else step for step in whole.steps)
    changed = replace(whole, steps=steps)
    assert check.check_step(changed, next(step for step in changed.steps if step.title == title)).fault


LEFT_OVER = Let(z, c - t, "what is left")
PRECISION = Let(P, I + Z.T * Z / t, "a precision", rule=(P * I, I + Z.T * Z / t))
TENTH_REVIEW = {
    "a value put where an abbreviation hides the symbol": (
        (eq(sp.Subs(z * y + t * y + b * t, t, 1), c * y + b, let=(LEFT_OVER,)),),
        {},
    ),
    "a derivative around an abbreviation of its variable": (
        (eq(sp.Derivative(z * t * y + b * z * t, t), (y + b) * (c - 2 * t), let=(LEFT_OVER,)),),
        {},
    ),
    "a derivative around a matrix that depends on its variable": (
        (eq(sp.Derivative(t * tr(P * Q) + b * t, t), tr(Q) + b, let=(PRECISION,)),),
        {"matrices": {Q: "positive"}},
    ),
}


@pytest.mark.parametrize("name", TENTH_REVIEW)
def test_tenth_review(name):
    steps, fields = TENTH_REVIEW[name]
    assert "which is bound around it" in faults(steps, **fields)[0]

"""Page: two factors of equal norm, and weak coherence."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K, beta
from theory.derivations.engine.operators import Degree, FactorCount
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    a = sp.Symbol("a", positive=True)
    r = sp.Symbol("r", real=True)
    R = sp.MatrixSymbol("R", 2, 2)
    gram = sp.ImmutableMatrix([[a, a * r], [a * r, a]])
    g, h = sp.symbols("g h", positive=True)
    E, J, p = sp.Function("E")(beta, r), sp.Function("J")(beta, r), sp.Function("p")(beta, r)
    polynomial = (
        a * beta * (beta + g) ** 3 * (beta + h) ** 3
        + beta * (beta + a) ** 2 * (beta - 1) * (g * (beta + h) ** 3 + h * (beta + g) ** 3)
        - a * (beta + a) * (beta**2 + g) * (beta + g) * (beta + h) ** 3 / 2
        - a * (beta + a) * (beta**2 + h) * (beta + h) * (beta + g) ** 3 / 2
    )

    def at_start(expression):
        return sp.Subs(expression, (beta, r), (1, 0))

    return Derivation(
        name="two-factors",
        title="Two factors of equal norm",
        statement=(
            Claim(
                "For $G/\\sigma^2$ with diagonal $a$ and off-diagonal $a r$ the forward divergence per "
                "factor is, up to a constant, $J = (\\log d + E/d)/2$ with $d = \\beta/(a + \\beta)$ and the "
                "mean squared error per factor $E$.",
                by=("Error per factor",),
                argued=True,
            ),
            Claim(
                "$J$ is stationary at the positive roots of a polynomial in $\\beta$.",
                by=("The stationarity polynomial",),
            ),
            Claim(
                "The polynomial is of degree 7.",
                by=("Its degree",),
            ),
            Claim(
                "It is irreducible over the rationals in $a$ and $r$.",
                by=("It is irreducible",),
            ),
            Claim(
                "For small coherence $\\beta^* = 1 + r^2 a^2/((1+a)(2+a)) + O(r^4)$.",
                by=(
                    "It is even in the coherence",
                    "Orthogonal columns",
                    "The root is simple",
                    "Effect of coherence",
                    "Small coherence",
                ),
                argued=True,
            ),
        ),
        assumptions=("$W = A$, $\\sigma^2 = \\tau^2 = 1$ (the unit of signal to noise), $\\Gamma = I$, diagonal $Q$.",),
        scope="For all $a > 0$ and $r$; the expansion is the implicit function theorem at $(\\beta, r) = (1, 0)$.",
        matrices={R: "symmetric"},
        where=(r > -1, r < 1),
        steps=(
            Step(
                "Error per factor",
                sp.Eq((sp.Trace(R) + beta * (beta - 1) * sp.Trace(R * R)) / 2, E, evaluate=False),
                "The error matrix of the best encoder at $t = \\beta$; by symmetry its two diagonal entries are "
                "equal, half the trace.",
                let=(
                    Let(R, (gram + beta * sp.Identity(2)).I, "the resolvent of the Gram matrix"),
                    Let(g, a * (1 + r), "the larger eigenvalue of the Gram matrix (if $r > 0$)"),
                    Let(h, a * (1 - r), "the smaller eigenvalue"),
                    Let(E, ((beta**2 + g) / (beta + g) ** 2 + (beta**2 + h) / (beta + h) ** 2) / 2, "the error"),
                ),
                sizes=({K: 2},),
            ),
            Step(
                "The stationarity polynomial",
                sp.Eq(
                    sp.Derivative(J, beta),
                    p / (2 * beta**2 * (beta + a) * (beta + g) ** 3 * (beta + h) ** 3),
                    evaluate=False,
                ),
                "Differentiate and reduce to the common denominator, which is positive.",
                let=(
                    Let(
                        J,
                        (sp.log(beta / (beta + a)) + E * (beta + a) / beta) / 2,
                        "the forward divergence per factor, up to a constant",
                    ),
                    Let(p, polynomial, "the polynomial"),
                ),
            ),
            Step(
                "Its degree",
                sp.Eq(Degree(p, beta), 7, evaluate=False),
                "The terms of higher degree cancel.",
            ),
            Step(
                "It is irreducible",
                sp.Eq(FactorCount(p, beta), 1, evaluate=False),
                "The polynomial has no factor over the rationals in $a$ and $r$, so there is no simpler equation for "
                "generic values.",
            ),
            Step(
                "It is even in the coherence",
                sp.Eq(sp.Subs(p, r, -r), p, evaluate=False),
                "A change of sign of $r$ exchanges $g$ and $h$, so $\\beta^*$ is a function of $r^2$.",
            ),
            Step(
                "Orthogonal columns",
                sp.Eq(at_start(p), 0, evaluate=False),
                "Without coherence $\\beta = 1$ is stationary.",
                wrong_form=a,
            ),
            Step(
                "The root is simple",
                sp.Eq(at_start(sp.Derivative(p, beta)), a * (1 + a) ** 5 * (2 + a), evaluate=False),
                "The slope is positive: the root is a minimum and depends smoothly on $r$.",
            ),
            Step(
                "Effect of coherence",
                sp.Eq(at_start(sp.Derivative(p, (r, 2))), -2 * a**3 * (1 + a) ** 4, evaluate=False),
                "The second derivative in $r$; the first is zero because the polynomial is even.",
            ),
            Step(
                "Small coherence",
                sp.Eq(
                    -at_start(sp.Derivative(p, (r, 2))) / (2 * at_start(sp.Derivative(p, beta))),
                    a**2 / ((1 + a) * (2 + a)),
                    evaluate=False,
                ),
                "In $p(1 + b r^2, r) = O(r^4)$ the coefficient of $r^2$ gives $b$: the best $\\beta$ is $1 + b r^2 + "
                "O(r^4)$.",
            ),
        ),
        results=("The stationarity polynomial", "Small coherence"),
        sources=(Source("sikka2019", "in its setting"),),
        builds_on=("inference-error", "slope-at-one"),
    )

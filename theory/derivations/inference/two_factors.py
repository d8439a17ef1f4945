"""Page: two factors of equal norm, and weak coherence."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K, beta
from theory.derivations.engine.operators import Degree, FactorCount, LogDet, PositiveRoots
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use


def derivation() -> Derivation:
    a, q = sp.Symbol("a", positive=True), sp.Symbol("q", nonnegative=True)
    r, c = sp.symbols("r c", real=True)
    R, identity = sp.MatrixSymbol("R", 2, 2), sp.Identity(2)
    gram = sp.ImmutableMatrix([[a, a * r], [a * r, a]])
    g, h, d, s, m = sp.symbols("g h d s m", positive=True)
    first, second = sp.Symbol("b", positive=True), sp.Symbol("c_o", real=True)
    e, J, p = sp.Function("e")(beta, r), sp.Function("J")(beta, r), sp.Function("p")(beta, r)
    polynomial = (
        a * beta * m**3
        + 2 * beta * (beta - 1) * s**2 * (m * (2 * s**2 - m) - beta * s * (4 * s**2 - 3 * m))
        - a * s * m * (beta * (beta - 1) * (2 * s**2 - m) + s * m)
    )
    squared, product = sp.Function("f")(beta, q), sp.Function("w")(beta, q)  # of r^2 = q
    expansion = squared.func(1 + first * q + c * q**2, q)
    error = R + beta * (beta - 1) * R * R
    sizes = ({K: 2},)

    def example(level):
        return sp.Subs(p, (a, beta, r), (100, level, sp.Rational(19, 20)))

    return Derivation(
        name="two-factors",
        title="Two factors of equal norm",
        statement=(
            Claim(
                "For $G/\\sigma^2$ with diagonal $a$ and off-diagonal $a r$ the forward divergence per "
                "factor is, up to a constant, $J = (\\log d + e/d)/2$ with $d = \\beta/(a + \\beta)$ and the "
                "mean squared error per factor $e$.",
                by=(
                    "inference-error: Log score",
                    "inference-error: Forward divergence",
                    "inference-error: Error matrix of the best encoder",
                    "Posterior variance",
                    "Error per factor",
                    "Divergence per factor",
                ),
            ),
            Claim(
                "$J$ is stationary at the positive roots of a polynomial $p$ in $\\beta$, which has the sign of the "
                "slope of $J$.",
                by=("The stationarity polynomial",),
            ),
            Claim("The polynomial is of degree 7.", by=("Its degree",)),
            Claim("It is irreducible over the rationals in $a$ and $r$.", by=("It is irreducible",)),
            Claim(
                "$J$ falls at every $\\beta < 1$, and at $\\beta = 1$ unless $r = 0$; it rises if $\\beta$ is large: "
                "with coherent factors every minimum lies above 1.",
                by=("The slope below one", "The slope at one", "The leading term"),
            ),
            Claim(
                "For $r^2 < 3/4$ it is stationary at one $\\beta$ only, which is then its global minimum.",
                by=(
                    "It is even in the coherence",
                    "One positive root",
                    "The slope below one",
                    "The leading term",
                ),
            ),
            Claim(
                "For larger coherence there can be two minima: for $a = 100$ and $r = 19/20$ the slope is negative at "
                "$\\beta = 1$, positive at 6, negative at 20, and positive at large $\\beta$.",
                by=("The slope at one", "An example at 6", "An example at 20", "The leading term"),
            ),
            Claim(
                "For small coherence $\\beta^* = 1 + r^2 a^2/((1+a)(2+a)) + O(r^4)$: with this coefficient $b$ the "
                "polynomial at $1 + b r^2 + c r^4$ has no term below $r^4$, and its term of order $r^4$ changes its "
                "sign at $c = c_o$, where $c_o = a^3 (a^3 - 2 a^2 + 12)/[(1 + a)(2 + a)]^3$.",
                by=("Orthogonal columns", "Small coherence", "The next order", "One positive root"),
            ),
        ),
        assumptions=("$W = A$, $\\sigma^2 = \\tau^2 = 1$ (the unit of signal to noise), $\\Gamma = I$, diagonal $Q$.",),
        scope="For all $a > 0$ and $-1 < r < 1$.",
        matrices={R: "symmetric"},
        where=(r > -1, r < 1),
        steps=(
            Step(
                "Posterior variance",
                sp.Eq(sp.HadamardProduct(identity + gram / beta, identity).I, d * identity, evaluate=False),
                "The best diagonal covariance is the inverse of the diagonal of the precision $I + G/t$ with $t = "
                "\\beta$.",
                let=(Let(d, beta / (beta + a), "the posterior variance of each factor"),),
                sizes=sizes,
            ),
            Step(
                "Error per factor",
                sp.Eq(sp.Trace(error) / 2, e, evaluate=False),
                "Half the trace of the error matrix of the best encoder, $R + t (t - 1) R^2$ with $t = \\beta$.",
                let=(
                    Let(R, (gram + beta * identity).I, "the resolvent of the Gram matrix"),
                    Let(g, a * (1 + r), "the larger eigenvalue of the Gram matrix (if $r > 0$)"),
                    Let(h, a * (1 - r), "the smaller eigenvalue"),
                    Let(
                        e,
                        ((beta**2 + g) / (beta + g) ** 2 + (beta**2 + h) / (beta + h) ** 2) / 2,
                        "the mean squared error per factor",
                    ),
                ),
                sizes=sizes,
            ),
            Step(
                "Divergence per factor",
                sp.Eq(
                    (LogDet(d * identity) + sp.Trace(error) / d) / 4,
                    J,
                    evaluate=False,
                ),
                "Half of the part of the forward divergence that depends on the encoder, $(\\log\\det Q + tr(Q^{-1} "
                "E))/2$ with the error matrix $E = R + t (t - 1) R^2$ and $Q = d I$.",
                let=(Let(J, (sp.log(d) + e / d) / 2, "the forward divergence per factor, up to a constant"),),
                wrong_form=(e / d - sp.log(d)) / 2,
                sizes=sizes,
                uses=(Use("Error per factor", times=1 / (2 * d)),),
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
                    Let(s, beta + a, "the sum of $\\beta$ and $a$"),
                    Let(m, s**2 - a**2 * r**2, "the product of $\\beta + g$ and $\\beta + h$"),
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
                "A change of sign of $r$ exchanges $g$ and $h$, so everything depends on $r^2$ only.",
            ),
            Step(
                "In the squared coherence",
                sp.Eq(p, squared.func(beta, r**2), evaluate=False),
                "With $q$ in place of $r^2$ in the product of $\\beta + g$ and $\\beta + h$.",
                let=(
                    Let(product, beta**2 + 2 * a * beta + a**2 * (1 - q), "the product"),
                    Let(squared, polynomial.xreplace({m: product}), "the polynomial for $r^2 = q$"),
                ),
            ),
            Step(
                "The slope below one",
                sp.Lt(squared, 0, evaluate=False),
                "With $r^2 = q = w/(1 + w)$ and $\\beta = u/(1 + u)$ every coefficient in $a$, $u$, $w$ is negative.",
                where=(beta < 1, q < 1),
            ),
            Step(
                "The slope at one",
                sp.Lt(squared.func(1, q), 0, evaluate=False),
                "It is $-a^3 q [(1 + a)^2 - a^2 q]^2$ with $q = r^2$.",
                where=(q > 0, q < 1),
            ),
            Step(
                "The leading term",
                sp.Eq(sp.Limit(p / beta**7, beta, sp.oo), 2 * a, evaluate=False),
                "The coefficient of $\\beta^7$ is positive, and with it the slope of $J$ where $\\beta$ is large.",
            ),
            Step(
                "One positive root",
                sp.Eq(PositiveRoots(squared, beta), 1, evaluate=False),
                "With $r^2 = q$ the coefficients change their sign once, wherever that may be.",
                where=(q < sp.Rational(3, 4),),
            ),
            Step(
                "An example at 6",
                sp.Gt(example(6), 0, evaluate=False),
                "For $a = 100$ and $r = 19/20$, where the slope is negative at 1.",
            ),
            Step(
                "An example at 20",
                sp.Lt(example(20), 0, evaluate=False),
                "So there is a minimum between 1 and 6, a maximum between 6 and 20, and a minimum above 20.",
            ),
            Step(
                "Orthogonal columns",
                sp.Eq(sp.Subs(p, (beta, r), (1, 0)), 0, evaluate=False),
                "Without coherence $\\beta = 1$ is stationary.",
                wrong_form=a,
            ),
            Step(
                "Small coherence",
                sp.Eq(
                    sp.Subs(sp.Derivative(expansion, q), q, 0),
                    0,
                    evaluate=False,
                ),
                "At $1 + b q + c q^2$ with $q = r^2$ the polynomial has no term of order $q$: this determines $b$.",
                let=(Let(first, a**2 / ((1 + a) * (2 + a)), "the coefficient of $r^2$"),),
                wrong_form=a,
            ),
            Step(
                "The next order",
                sp.Eq(
                    sp.Subs(sp.Derivative(expansion, (q, 2)), q, 0) / 2,
                    a * (1 + a) ** 5 * (2 + a) * (c - second),
                    evaluate=False,
                ),
                "The term of order $q^2 = r^4$ has the sign of $c - c_o$: for small $r$ a root lies between the levels "
                "of any two numbers $c$ below and above $c_o$.",
                let=(
                    Let(
                        second,
                        a**3 * (a**3 - 2 * a**2 + 12) / ((1 + a) * (2 + a)) ** 3,
                        "the coefficient of $r^4$",
                    ),
                ),
            ),
        ),
        results=("The stationarity polynomial", "One positive root", "Small coherence"),
        sources=(Source("sikka2019", "in its setting"),),
        builds_on=("inference-error", "slope-at-one"),
    )

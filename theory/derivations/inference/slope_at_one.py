"""Page: why the forward KL divergence is minimised at a beta above 1."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import beta, n, sigma
from theory.derivations.engine.operators import SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    p, q, c, g, h, y = sp.symbols("p q c g h y", positive=True)
    s = sp.Symbol("s", nonnegative=True)
    curvature, variance = sp.Symbol("k", real=True), sp.Symbol("v", positive=True)
    M, b, w = sp.MatrixSymbol("M", n, n), sp.MatrixSymbol("b", n, 1), sp.MatrixSymbol("w", n, 1)
    d, J, e = sp.Function("d")(beta), sp.Function("J")(beta), sp.Function("e")(beta)
    level = beta * sigma**2
    at_one = sp.Symbol("d_1", positive=True)
    slope = -(c - at_one) * sigma**2 * h / (2 * at_one**2 * (h + sigma**2) ** 2)
    term = sp.log(variance) + c / variance
    seen = SquaredNorm(b, M.I)
    return Derivation(
        name="slope-at-one",
        title="Why the forward divergence is minimised at a beta above one",
        statement=(
            Claim(
                "With the true decoder, noise and independent factors the forward divergence of the "
                "diagonal family falls through $\\beta = 1$ unless the columns of $A$ are orthogonal.",
                by=(
                    "The error is stationary at one",
                    "The variance rises",
                    "Slope at one",
                    "First column of an inverse: below the diagonal",
                    "First column of an inverse: the diagonal",
                    "The posterior variance is too small",
                ),
                argued=True,
            ),
            Claim(
                "Unless $A = 0$ its minimisers are all $\\ge 1$.",
                by=(
                    "The error is stationary at one",
                    "The variance rises",
                    "The posterior variance is too small",
                    "No minimum below one: the error",
                    "No minimum below one: the variance",
                ),
                argued=True,
            ),
            Claim(
                "Unless $A = 0$ they are finite.",
                by=("No minimum at infinity",),
                argued=True,
            ),
            Claim(
                "For $A = 0$ the divergence does not depend on $\\beta$.",
                by=(
                    "The error is stationary at one",
                    "The variance rises",
                ),
                argued=True,
            ),
        ),
        assumptions=(
            "$W = A$, $\\sigma^2 = \\tau^2$, $\\Gamma = I$, diagonal $Q$; up to a constant the forward divergence is "
            "the sum over factors of $J = (\\log d + c/d)/2$ with $d$ the posterior variance and $c$ the mean squared "
            "error.",
        ),
        scope=(
            "For every $K$: one factor at a time, with $h = G_{jj}$; the comparison of $c$ and $d$ is general block "
            "matrix algebra."
        ),
        matrices={M: "positive"},
        steps=(
            Step(
                "The error is stationary at one",
                sp.Eq(sp.Subs(sp.Derivative(e, beta), beta, 1), 0, evaluate=False),
                "Each mode of the error matrix is least at the true water level, so each diagonal entry, a sum of "
                "modes with weights that are squares, has $c'(1) = 0$ and $c(\\beta) \\ge c(1)$.",
                let=(
                    Let(
                        e,
                        (level**2 + sigma**2 * g) / (g + level) ** 2,
                        "one mode of the error matrix, at $\\tau^2 = \\sigma^2$",
                    ),
                ),
                wrong_form=g,
            ),
            Step(
                "The variance rises",
                sp.Eq(sp.Subs(sp.Derivative(d, beta), beta, 1), sigma**2 * h / (h + sigma**2) ** 2, evaluate=False),
                "The best diagonal variance is one over the diagonal of the precision $I + G/(\\beta\\sigma^2)$; it "
                "rises at every $\\beta$; this is its slope at 1.",
                let=(Let(d, level / (h + level), "the posterior variance"),),
            ),
            Step(
                "Slope at one",
                sp.Eq(sp.Subs(sp.Derivative(J, beta), beta, 1), slope, evaluate=False),
                "Any error of value $c$ and slope zero at 1 gives this; $k$ is its curvature and drops out. Sum over "
                "the factors.",
                let=(
                    Let(at_one, sigma**2 / (h + sigma**2), "the posterior variance at 1"),
                    Let(J, (sp.log(d) + (c + curvature * (beta - 1) ** 2 / 2) / d) / 2, "one factor's share"),
                ),
            ),
            Step(
                "First column of an inverse: below the diagonal",
                sp.Eq(b * y + M * w, sp.ZeroMatrix(n, 1), evaluate=False),
                "The precision is $p$ for this factor, $M$ for the others, $b$ between them; $P$ is positive "
                "definite, so "
                "$q = p - b^T M^{-1} b > 0$. $P P^{-1} = I$ means that this is zero and that the next relation is one.",
                let=(
                    Let(p, q + seen, "the precision of this factor"),
                    Let(y, 1 / q, "the first entry of the first column of $P^{-1}$"),
                    Let(w, -M.I * b * y, "the rest of that column"),
                ),
                wrong_form=b * y,
            ),
            Step(
                "First column of an inverse: the diagonal",
                sp.Eq(p * y + sp.Trace(b.T * w), 1, evaluate=False),
                "So $c(1) = (P^{-1})_{jj} = 1/q$ and $d(1) = 1/p = 1/(q + s)$ with $s = b^T M^{-1} b \\ge 0$, zero "
                "only if "
                "$b = 0$.",
                wrong_form=p * y,
            ),
            Step(
                "The posterior variance is too small",
                sp.Ge(1 / q - 1 / (q + s), 0, evaluate=False),
                "This is $c(1) - d(1)$: at $\\beta = 1$ the variance of the diagonal family is "
                "$1/P_{jj}$, the true one is $(P^{-1})_{jj}$, which is larger unless the column is orthogonal to the "
                "others. Hence the slope is $\\le 0$.",
            ),
            Step(
                "No minimum below one: the error",
                sp.Eq(sp.Derivative(term, c), 1 / variance, evaluate=False),
                "$2 J$ rises with the error $c$, and $c(\\beta) \\ge c(1)$.",
            ),
            Step(
                "No minimum below one: the variance",
                sp.Eq(sp.Derivative(term, variance), (variance - c) / variance**2, evaluate=False),
                "$2 J$ falls with the variance as long as the variance is below the error; for $\\beta < 1$ we have "
                "$d(\\beta) < d(1) \\le c(1)$, so both changes make $J(\\beta) > J(1)$.",
            ),
            Step(
                "No minimum at infinity",
                sp.Eq(
                    sp.Limit(beta * sigma**2 * (sp.log(d) + e.func(beta) / d - 1), beta, sp.oo),
                    -2 * g,
                    evaluate=False,
                ),
                "For an error of one mode and every $h$; an error of several modes with weights $v_k^2$ gives $-2 "
                "\\sum_k v_k^2 g_k = -2 G_{jj}$. So $J = 1/2 - G_{jj}/(\\beta\\sigma^2)$ plus smaller terms: the limit "
                "is approached from below, and the best $\\beta$ is finite.",
            ),
        ),
        results=("Slope at one",),
        sources=(Source("sikka2019", "in its setting: a finite best beta because the posterior does not factorise"),),
        builds_on=("inference-error", "posterior-families"),
    )

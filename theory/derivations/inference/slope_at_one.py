"""Page: why the forward KL divergence is minimised at a beta above 1."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import A, D, K, P, V, beta, sigma
from theory.derivations.engine.operators import SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use
from theory.derivations.foundations.gibbs_inequality import use_log_tangent
from theory.derivations.foundations.matrix_inequalities import use_trace
from theory.derivations.inference.inference_error import IDENTITY


def derivation() -> Derivation:
    b, a = sp.Symbol("b", positive=True), sp.Symbol("a", nonnegative=True)
    s = sp.Symbol("s", real=True)
    u, z, w = sp.MatrixSymbol("u", K, 1), sp.MatrixSymbol("z", D, 1), sp.MatrixSymbol("w", K, 1)
    one, rest = sp.MatrixSymbol("P_1", K, K), sp.MatrixSymbol("X", D, K)
    c, d, J = sp.Function("c")(b), sp.Function("d")(b), sp.Function("J")(b)
    precision = IDENTITY + A.T * A / (b * sigma**2)
    resolvent = (IDENTITY + s * A.T * A / sigma**2).I
    variance_of_s = 1 / (1 + s * SquaredNorm(A * u) / sigma**2)
    error_of_s = SquaredNorm(resolvent * u) + s**2 * SquaredNorm(A * resolvent * u) / sigma**2
    of_inverse = sp.Function("h")(s)
    any_error, any_share = sp.Symbol("c_V", real=True), sp.Symbol("J_V", real=True)
    length = SquaredNorm(A * u)
    too_small = c.func(1) - d.func(1)
    bound = length * too_small * (1 / beta - 1) / (2 * sigma**2)
    slope_at_one = sp.Subs(sp.Derivative(J, b), b, 1)
    slope = -length * too_small / (2 * sigma**2)
    at_infinity = -length / sigma**2
    compared, of_share = "The share compared with that at one", "A bound for every gain"
    everywhere, smaller = "Slope at every beta", "The variance is not too large"
    missed, data = sigma**2 * V.T * u - A * one.I * u, A * A.T + sigma**2 * sp.Identity(D)
    # d(1) / d(beta) of a column of length a.
    ratio = (a**2 + beta * sigma**2) / (beta * (a**2 + sigma**2))
    error = Use("No encoder makes a smaller error", times=1 / (2 * d.func(beta)))

    def error_of(answer):
        """Of a gain V, by V^T u."""
        return SquaredNorm(A.T * answer - u) + sigma**2 * SquaredNorm(answer)

    def logarithm(strict):
        return use_log_tangent(ratio, times=sp.Rational(1, 2), strict=strict)

    return Derivation(
        name="slope-at-one",
        title="Why the forward divergence is minimised at a beta above one",
        statement=(
            Claim(
                "With the true decoder and noise, and independent factors of variance 1, the forward divergence of the "
                "best encoder with a diagonal covariance is, up to a constant, the sum over factors of $J(\\beta) = "
                "(\\log d + c/d)/2$, where $d = 1/P_{jj}$ is the variance that the encoder reports for the factor and "
                "$c = E_{jj}$ the squared error that it makes.",
                by=(
                    "inference-error: Forward divergence",
                    "posterior-families: No encoder of the family is better",
                    "The reported variance",
                    "The error of the best gain",
                ),
            ),
            Claim(
                "No encoder makes a smaller error than $c(1)$, the diagonal entry of $P_1^{-1}$.",
                by=("The error of the best gain", "No encoder makes a smaller error"),
            ),
            Claim("At $\\beta = 1$ the reported variance is at most this error: $d(1) \\le c(1)$.", by=(smaller,)),
            Claim(
                "It is smaller unless the column of $A$ is orthogonal to all others; then it is equal.",
                by=("What is missing from the variance", "The variance is too small"),
            ),
            Claim(
                "Therefore the forward divergence has at $\\beta = 1$ the slope $-\\sum_j G_{jj} [c_j(1) - "
                "d_j(1)]/(2\\sigma^2)$, which is negative unless the columns of $A$ are orthogonal; then it is zero.",
                by=("Slope at one", smaller, "Slope at one is negative", "What is missing from the variance"),
            ),
            Claim(
                "At each $\\beta < 1$ it is larger than at $\\beta = 1$ unless $A = 0$, so that its minimisers are all "
                "$\\ge 1$.",
                by=("The error of the best gain", "No smaller weight is better", "A smaller weight is worse"),
            ),
            Claim(
                "If the columns of $A$ are orthogonal it is least at $\\beta = 1$, and only there unless $A = 0$.",
                by=("The error of the best gain", "What is missing from the variance", of_share, "A strict bound"),
            ),
            Claim(
                "As a function of $1/\\beta$ the forward divergence has the slope $-tr(G)/\\sigma^2$ at $1/\\beta = "
                "0$, which is negative unless $A = 0$: it comes near its limit for large $\\beta$ from below, and its "
                "minimisers are finite.",
                by=(
                    "In terms of one over beta",
                    "Slope at an infinite beta",
                    "matrix-inequalities: A trace is positive",
                ),
            ),
            Claim(
                "For $A = 0$ the slope is zero at each $\\beta$: the forward divergence does not depend on $\\beta$.",
                by=(everywhere,),
            ),
        ),
        assumptions=(
            "$W = A$, $\\sigma^2 = \\tau^2$, $\\Gamma = I$, diagonal $Q$; $G = A^T A$.",
            "One factor at a time: $u$ is its unit vector, so that $A u$ is its column of $A$, $G_{jj} = ||A u||^2$ "
            "and $u^T P u = P_{jj}$. The forward divergence is the sum over all factors.",
        ),
        scope=(
            "For every $K$ and $D$ and every loading; the steps on one factor hold for each unit vector $u$. Steps 1 "
            "to 4: the share of a factor. Steps 5 to 9: its error and its variance at $\\beta = 1$. Steps 10 and 11: "
            "the slopes at one and at infinity. Steps 12 to 18: the share at any $\\beta$ compared with that at one."
        ),
        matrices=dict.fromkeys((P, one), "positive") | dict.fromkeys((u, z), "orthogonal"),
        steps=(
            Step(
                "The reported variance",
                sp.Eq(1 / SquaredNorm(u, P), d.func(beta), evaluate=False),
                "The best variance of the diagonal family is one over the diagonal entry of the precision.",
                let=(
                    Let(
                        P,
                        IDENTITY + A.T * A / (beta * sigma**2),
                        "the precision at the weight $\\beta$",
                        rule=(A.T * A, beta * sigma**2 * (P - IDENTITY)),
                    ),
                    Let(
                        d, 1 / (1 + length / (b * sigma**2)), "the variance that the encoder reports at the weight $b$"
                    ),
                ),
            ),
            Step(
                "The error of the best gain",
                sp.Eq(error_of(A * P.I * u / (beta * sigma**2)), c.func(beta), evaluate=False),
                "By the page on the four errors a gain $V$ has $u^T E u = ||A^T V^T u - u||^2 + \\sigma^2 ||V^T "
                "u||^2$, and the best gain is $V = P^{-1} A^T/(\\beta\\sigma^2)$.",
                let=(
                    Let(
                        c,
                        sp.Trace(u.T * precision.I * u) / b + (1 - 1 / b) * SquaredNorm(precision.I * u),
                        "the squared error that it makes",
                    ),
                ),
            ),
            Step(
                everywhere,
                sp.Eq(
                    sp.Subs(sp.Derivative(J, b), b, beta),
                    (
                        length * (d.func(beta) - c.func(beta))
                        + 2 * (beta - 1) / (beta * d.func(beta)) * sp.Trace(u.T * P.I**2 * A.T * A * P.I * u)
                    )
                    / (2 * beta**2 * sigma**2),
                    evaluate=False,
                ),
                "The first term is from the slope of $d$, the second from that of $c$, which is zero at $\\beta = 1$.",
                let=(Let(J, (sp.log(d) + c / d) / 2, "the share of the factor in the forward divergence"),),
            ),
            Step(
                "In terms of one over beta",
                sp.Eq(J.func(beta), of_inverse.func(1 / beta), evaluate=False),
                "The error is written as bias and variance; with $s = 1/\\beta$ all is defined at $s = 0$, too.",
                let=(Let(of_inverse, (sp.log(variance_of_s) + error_of_s / variance_of_s) / 2, "the share at $1/s$"),),
            ),
            Step(
                "What another gain costs",
                sp.Eq(any_error - c.func(1), SquaredNorm(missed, data) / sigma**4, evaluate=False),
                "The true posterior mean is $P_1^{-1} A^T x/\\sigma^2$; on the right is the variance of what another "
                "gain infers beyond it, as $A A^T + \\sigma^2 I$ is the covariance of the data.",
                let=(
                    Let(
                        one,
                        IDENTITY + A.T * A / sigma**2,
                        "the precision at the weight 1, that of the true posterior",
                        rule=(P, IDENTITY + (one - IDENTITY) / beta),
                    ),
                    Let(any_error, error_of(V.T * u), "the squared error with any gain $V$"),
                ),
                wrong_form=SquaredNorm(missed, data) / sigma**2,
            ),
            Step(
                "No encoder makes a smaller error",
                sp.Ge(any_error, c.func(1), evaluate=False),
                "This variance is not negative. At $\\beta = 1$ the best gain is that of the true posterior, and $c(1) "
                "= u^T P_1^{-1} u$.",
                uses=(Use("What another gain costs"), use_trace(data, missed, sp.Identity(1), times=1 / sigma**4)),
            ),
            Step(
                "What is missing from the variance",
                sp.Eq(too_small, d.func(1) ** 2 * SquaredNorm(w, one.I) / sigma**4, evaluate=False),
                "The encoder reports one over the diagonal entry of $P_1$, and its error is the diagonal entry of "
                "$P_1^{-1}$; they differ by the inner products $w$ of the column with the others.",
                let=(Let(w, A.T * A * u - length * u, "the inner products of the column with the others"),),
            ),
            Step(
                smaller,
                sp.Ge(c.func(1), d.func(1), evaluate=False),
                "The diagonal entry of an inverse is at least one over that of the matrix.",
                uses=(
                    Use("What is missing from the variance"),
                    use_trace(one.I, w, sp.Identity(1), times=d.func(1) ** 2 / sigma**4),
                ),
            ),
            Step(
                "The variance is too small",
                sp.Gt(c.func(1), d.func(1), evaluate=False),
                "$P_1^{-1}$ is positive definite, so the difference is positive unless $w = 0$.",
                where=(sp.Ne(w, sp.ZeroMatrix(K, 1), evaluate=False),),
                uses=(
                    Use("What is missing from the variance"),
                    use_trace(one.I, w, sp.Identity(1), times=d.func(1) ** 2 / sigma**4, strict=True),
                ),
            ),
            Step(
                "Slope at one",
                sp.Eq(slope_at_one, slope, evaluate=False),
                "The error is stationary at $\\beta = 1$; the variance rises there, and it is too small, so that the "
                "share falls.",
            ),
            Step(
                "Slope at an infinite beta",
                sp.Eq(sp.Subs(sp.Derivative(of_inverse, s), s, 0), at_infinity, evaluate=False),
                "With $s = 1/\\beta$: near $s = 0$ the variance is $1 - s G_{jj}/\\sigma^2$ and the error $1 - 2 s "
                "G_{jj}/\\sigma^2$, up to the order $s^2$.",
            ),
            Step(
                "The variance from the length of the column",
                sp.Eq(d.func(beta), beta * sigma**2 / (a**2 + beta * sigma**2), evaluate=False),
                "From here on the column of the factor has the length $a \\ge 0$ and the direction $z$, which is no "
                "restriction: $A$ is $a z u^T + X (I - u u^T)$ with any $X$ for the other columns.",
                let=(
                    Let(
                        A,
                        a * z * u.T + rest * (IDENTITY - u * u.T),
                        "the column of the factor",
                        rule=(A * u, a * z),
                        hypothesis=True,
                    ),
                ),
            ),
            Step(
                compared,
                sp.Eq(
                    any_share - J.func(1),
                    bound
                    + (any_error - c.func(1)) / (2 * d.func(beta))
                    + (d.func(1) / d.func(beta) - 1 - sp.log(d.func(1) / d.func(beta))) / 2,
                    evaluate=False,
                ),
                "The last terms are $(y - 1 - \\log y)/2$ with $y = d(1)/d(\\beta)$, and $1/d$ is $1 + "
                "G_{jj}/(\\beta\\sigma^2)$.",
                let=(
                    Let(
                        any_share,
                        (sp.log(d.func(beta)) + any_error / d.func(beta)) / 2,
                        "the share with any gain $V$ and the variance $d(\\beta)$",
                    ),
                ),
            ),
            Step(
                "Slope at one is negative",
                sp.Lt(slope_at_one, 0, evaluate=False),
                "A column that is not orthogonal to the others is not zero.",
                where=(a > 0, sp.Ne(w, sp.ZeroMatrix(K, 1), evaluate=False)),
                uses=(Use("Slope at one"), Use("The variance is too small", times=a**2 / (2 * sigma**2))),
            ),
            Step(
                of_share,
                sp.Ge(any_share - J.func(1), bound, evaluate=False),
                "Neither the excess of the error nor $y - 1 - \\log y$ is negative.",
                uses=(Use(compared), error, logarithm(strict=False)),
            ),
            Step(
                "A strict bound",
                sp.Gt(any_share - J.func(1), bound, evaluate=False),
                "As $d(\\beta)$ differs from $d(1)$, the logarithm lies strictly below its tangent.",
                where=(a > 0, sp.Ne(beta, 1)),
                uses=(Use(compared), error, logarithm(strict=True)),
            ),
            Step(
                "No smaller weight is better",
                sp.Ge(any_share, J.func(1), evaluate=False),
                "For $\\beta < 1$ the bound is not negative, since $c(1) \\ge d(1)$.",
                where=(beta < 1,),
                uses=(
                    Use(of_share),
                    Use(smaller, times=a**2 * (1 / beta - 1) / (2 * sigma**2)),
                ),
            ),
            Step(
                "A smaller weight is worse",
                sp.Gt(any_share, J.func(1), evaluate=False),
                "As before, but strictly.",
                where=(beta < 1, a > 0),
                uses=(
                    Use("A strict bound"),
                    Use(smaller, times=a**2 * (1 / beta - 1) / (2 * sigma**2)),
                ),
            ),
        ),
        results=("Slope at one",),
        sources=(Source("sikka2019", "in its setting: a finite best beta because the posterior does not factorise"),),
        builds_on=("inference-error", "posterior-families", "gibbs-inequality", "matrix-inequalities"),
    )

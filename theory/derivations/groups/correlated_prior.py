"""Page: a correlated prior shifts the optimal value of the grouped objective."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, D, K, Q, S, V
from theory.derivations.engine.operators import Expectation, LogDet, PositiveRoots, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use
from theory.derivations.foundations.elbo_parts import AGGREGATE
from theory.derivations.foundations.gibbs_inequality import use_log_tangent


def derivation() -> Derivation:
    c, d, u, w = sp.symbols("c d u w", positive=True)
    r, a = sp.symbols("r a", real=True)
    x = sp.MatrixSymbol("x", D, 1)
    Pi = sp.MatrixSymbol("Pi", K, K)
    code, prior = sp.MatrixSymbol("C_2", 2, 2), sp.MatrixSymbol("Pi_2", 2, 2)
    of_code = sp.ImmutableMatrix([[c**2, r * c * d], [r * c * d, d**2]])
    of_prior = sp.ImmutableMatrix([[1, a], [a, 1]])
    f, least, quadratic = sp.Function("f")(c, d, r), sp.Function("phi")(r), sp.Function("h")(r)
    divergence = (sp.Trace(prior.I * code) - 2 + LogDet(prior) - LogDet(code)) / 2
    dependence = (sp.log(c**2 * d**2) - LogDet(code)) / 2
    value = (
        (c**2 + d**2 - 2 * a * r * c * d) / (2 * (1 - a**2))
        - 1
        + sp.log(1 - a**2) / 2
        - sp.log(c)
        - sp.log(d)
        - w * sp.log(1 - r**2) / 2
    )
    shift = sp.log(1 - a * r) - sp.log(1 - a**2) / 2 - w * sp.log(1 - r**2) / 2
    scale = (1 - a * r) / (1 - a**2)
    inside = (r > -1, r < 1)
    no_weight = sp.Subs(least, w, 1)
    excess = (r - a) ** 2 / ((1 - a**2) * (1 - r**2))
    polynomial = w * (1 - a) * u**2 + (2 * w - 4) * a * u - w * (1 + a)
    below_tangent = use_log_tangent(1 - r**2, times=(w - 1) / 2)
    positive = "It is at least $w - 1$ times the total correlation of the code, and this is at least $r^2/2$."
    return Derivation(
        name="correlated-prior",
        title="A correlated prior shifts the optimal value",
        statement=(
            Claim(
                "With a prior $N(0, \\Pi)$ the rate of a Gaussian code is the mutual information plus the divergence "
                "of the code from the prior.",
                by=("The rate as information plus divergence",),
            ),
            Claim(
                "Let two latents of standard deviations $c$, $d$ and correlation $r$ have the prior of $\\Pi = [[1, "
                "a], [a, 1]]$, and let total correlation have the weight $w$. Beyond distortion and information such a "
                "code costs $f(c, d, r)$.",
                by=("Cost of a code",),
            ),
            Claim(
                "This is at least $\\phi(r) = \\log(1 - a r) - \\log(1-a^2)/2 - w \\log(1-r^2)/2$, and equal to it if "
                "$c = d$ and $y = c^2 (1-a r)/(1-a^2) = 1$.",
                by=("No scale costs less", "Equal scales"),
            ),
            Claim(
                "A learned decoder leaves the covariance of the code free: a change of code keeps distortion and "
                "information. So the least value of the objective is the least sum of reconstruction and information "
                "plus the least value of $\\phi$.",
                by=(
                    "total-correlation: Distortion under a change of code",
                    "total-correlation: Mutual information under a change of code",
                    "No scale costs less",
                    "Equal scales",
                ),
            ),
            Claim(
                "The least sum of reconstruction and information is the least value of the plain VAE with prior $N(0, "
                "I)$ and $\\beta = 1$.",
                by=(
                    "total-correlation: No weight lowers the objective",
                    "total-correlation: The value without the weights is reached",
                ),
            ),
            Claim(
                "Between $-1$ and $1$ the slope of $\\phi$ is zero exactly at the roots of $h(r) = w r (1 - a r) - a "
                "(1 - r^2)$.",
                by=("Best correlation",),
            ),
            Claim("There is exactly one root.", by=("The correlations between -1 and 1", "One root")),
            Claim(
                "At the root $\\phi$ is least: its slope times $1 - a r$ rises strictly with $r$, so that $\\phi$ "
                "falls before the root and rises after it.",
                by=("Best correlation", "One root", "The slope rises"),
            ),
            Claim(
                "At $w = 1$ the root is $r = a$, at $a = 0$ it is $r = 0$, and $\\phi$ is zero there.",
                by=(
                    "The root at weight one",
                    "The root without correlation",
                    "No shift at weight one",
                    "No shift without correlation",
                ),
            ),
            Claim(
                "For $w > 1$ and $a \\ne 0$ every value of $\\phi$ is positive.",
                by=(
                    "A positive shift at positive correlation",
                    "A positive shift at negative correlation",
                    "A positive shift without correlation",
                ),
            ),
            Claim("For $w < 1$ and $a \\ne 0$ the value at $r = a$ is negative.", by=("A negative shift",)),
            Claim(
                "So the least value of $\\phi$, by which the prior shifts the optimal value, is zero only for $w = 1$ "
                "or $a = 0$.",
                by=(
                    "A positive shift at positive correlation",
                    "A positive shift at negative correlation",
                    "A positive shift without correlation",
                    "A negative shift",
                    "One root",
                    "The slope rises",
                    "No shift at weight one",
                    "No shift without correlation",
                ),
            ),
        ),
        assumptions=(
            "Two latents, learned decoder, full posterior covariance; all weights other than that of total correlation "
            "are 1.",
        ),
        scope="For every $w > 0$; the first step for every number of latents.",
        where=(a > -1, a < 1),
        matrices=dict.fromkeys((C, Q, S, Pi), "positive"),
        moments={x: S},
        steps=(
            Step(
                "The rate as information plus divergence",
                sp.Eq(
                    Expectation(sp.Trace(Pi.I * Q) + SquaredNorm(V * x, Pi.I) - K + LogDet(Pi) - LogDet(Q)) / 2,
                    (LogDet(C) - LogDet(Q)) / 2 + (sp.Trace(Pi.I * C) - K + LogDet(Pi) - LogDet(C)) / 2,
                    evaluate=False,
                ),
                "The left side is the mean of $KL(N(V x, Q) || N(0, \\Pi))$; the last term is $KL(N(0, C) || N(0, "
                "\\Pi))$.",
                let=(AGGREGATE,),
                wrong_form=(LogDet(C) - LogDet(Q)) / 2 - (sp.Trace(Pi.I * C) - K + LogDet(Pi) - LogDet(C)) / 2,
            ),
            Step(
                "Cost of a code",
                sp.Eq(divergence + (w - 1) * dependence, f, evaluate=False),
                "The divergence of the code from the prior, and $w - 1$ times its total correlation.",
                let=(
                    Let(code, of_code, "the covariance of the code of two latents"),
                    Let(prior, of_prior, "that of their prior"),
                    Let(f, value, "the cost of a code"),
                ),
                where=inside,
            ),
            Step(
                "No scale costs less",
                sp.Ge(f, least, evaluate=False),
                "Two equal standard deviations are best, as $c^2 + d^2 \\ge 2 c d$; then the logarithm of $c d (1-a "
                "r)/(1-a^2)$ lies below its tangent.",
                let=(Let(least, shift, "the cost at the best scale"),),
                where=inside,
                uses=(use_log_tangent(c * d * scale),),
            ),
            Step(
                "Equal scales",
                sp.Eq(sp.Subs(f, d, c) - least, c**2 * scale - 1 - sp.log(c**2 * scale), evaluate=False),
                "The right side is $y - 1 - \\log y$, which is zero at $y = 1$.",
                where=inside,
            ),
            Step(
                "Best correlation",
                sp.Eq(sp.Derivative(least, r) * (1 - r**2) * (1 - a * r), quadratic, evaluate=False),
                "Both factors are positive.",
                let=(Let(quadratic, w * r * (1 - a * r) - a * (1 - r**2), "what has the sign of the slope"),),
                where=inside,
            ),
            Step(
                "The correlations between -1 and 1",
                sp.Eq((1 + u) ** 2 * quadratic.func((u - 1) / (1 + u)), polynomial, evaluate=False),
                "With $r = (u - 1)/(u + 1)$ the values $u > 0$ are the correlations between $-1$ and $1$.",
            ),
            Step(
                "One root",
                sp.Eq(PositiveRoots(polynomial, u), 1, evaluate=False),
                "The first coefficient is positive and the last is negative: they change their sign once.",
                wrong_form=sp.Integer(2),
            ),
            Step(
                "The slope rises",
                sp.Gt(sp.Derivative(sp.Derivative(least, r) * (1 - a * r), r), 0, evaluate=False),
                "It is $w (1 - 2 a r + r^2)/(1 - r^2)^2$.",
                where=inside,
            ),
            Step(
                "The root at weight one",
                sp.Eq(sp.Subs(sp.Subs(quadratic, w, 1), r, a), 0, evaluate=False),
                "The code takes the prior's covariance.",
                wrong_form=a**2,
            ),
            Step(
                "The root without correlation",
                sp.Eq(sp.Subs(sp.Subs(quadratic, a, 0), r, 0), 0, evaluate=False),
                "The code takes the prior's covariance, whatever the weight is.",
                wrong_form=w,
            ),
            Step(
                "No shift at weight one",
                sp.Eq(sp.Subs(no_weight, r, a), 0, evaluate=False),
                "The three logarithms cancel.",
                wrong_form=sp.log(1 - a**2),
            ),
            Step(
                "No shift without correlation",
                sp.Eq(sp.Subs(sp.Subs(least, a, 0), r, 0), 0, evaluate=False),
                "Each logarithm is that of 1.",
                wrong_form=w,
            ),
            Step(
                "A shift at every other weight",
                sp.Eq(least - no_weight, -(w - 1) * sp.log(1 - r**2) / 2, evaluate=False),
                "The right side is $w - 1$ times the total correlation of the code.",
                where=inside,
            ),
            Step(
                "The value at weight one",
                sp.Eq(2 * no_weight, sp.log(1 + excess), evaluate=False),
                "As $(1 - a r)^2 = (1 - a^2) (1 - r^2) + (r - a)^2$.",
                where=inside,
            ),
            Step(
                "No value at weight one is negative",
                sp.Ge(2 * no_weight, 0, evaluate=False),
                "The logarithm of a number that is not less than 1.",
                where=inside,
                uses=(Use("The value at weight one"),),
            ),
            Step(
                "A positive shift at positive correlation",
                sp.Gt(least, 0, evaluate=False),
                positive,
                where=(w > 1, r > 0, r < 1),
                uses=(Use("No value at weight one is negative", times=sp.Rational(1, 2)), below_tangent),
            ),
            Step(
                "A positive shift at negative correlation",
                sp.Gt(least, 0, evaluate=False),
                positive,
                where=(w > 1, r > -1, r < 0),
                uses=(Use("No value at weight one is negative", times=sp.Rational(1, 2)), below_tangent),
            ),
            Step(
                "A positive shift without correlation",
                sp.Gt(sp.Subs(least, r, 0), 0, evaluate=False),
                "An uncorrelated code costs the total correlation of the prior.",
                where=(sp.Ne(a, 0),),
                least_at=(a, sp.Integer(0)),
            ),
            Step(
                "A negative shift",
                sp.Lt(sp.Subs(least, r, a), 0, evaluate=False),
                "At the correlation of the prior it is $w - 1$ times the total correlation of the prior.",
                where=(w < 1, sp.Ne(a, 0)),
                least_at=(a, sp.Integer(0)),
            ),
        ),
        results=("No scale costs less", "Best correlation"),
        sources=(
            Source("chen2022", "the subject; the result is this project's"),
            Source("chen2025", "the subject; the result is this project's"),
        ),
        builds_on=("total-correlation", "gibbs-inequality"),
    )

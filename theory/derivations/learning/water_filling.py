"""Page: rate, distortion and reverse water-filling."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import t
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use
from theory.derivations.foundations.gibbs_inequality import use_log_tangent
from theory.derivations.learning.global_optimum import ABOVE, l, w


def derivation() -> Derivation:
    delta, rest = sp.symbols("delta u_m", positive=True)
    m, i = sp.symbols("m i", integer=True, positive=True)
    spectrum = sp.IndexedBase(sp.Symbol("l", positive=True))
    cost = sp.Function("c")(delta)
    distortion, rate = sp.Function("d")(w), sp.Function("rho")(w)
    gain, variance = w / (t + w**2), t / (t + w**2)
    best = sp.sqrt(l - t)
    total_rate, total_distortion = sp.Function("rho_S")(t), sp.Function("d_S")(t)
    half = sp.Rational(1, 2)
    return Derivation(
        name="water-filling",
        title="Rate, distortion and reverse water-filling",
        statement=(
            Claim(
                "An active mode, with the decoder column $\\sqrt{l - t}$, has the distortion $t$ and the rate "
                "$\\log(l/t)/2$.",
                by=("Distortion of an active mode", "Rate of an active mode"),
            ),
            Claim(
                "At the optimum an active mode has this column, with the gain $\\sqrt{l - t}/l$ and the variance "
                "$t/l$.",
                by=(
                    "global-optimum: Other lengths are worse above the water level",
                    "global-optimum: All modes together",
                    "global-optimum: Encoder gain",
                    "global-optimum: Posterior variance",
                ),
            ),
            Claim(
                "A collapsed mode has the distortion $l$ and the rate zero.",
                by=("Distortion of a collapsed mode", "Rate of a collapsed mode"),
            ),
            Claim(
                "A Gaussian mode of variance $l$ needs the rate $\\log(l/\\delta)/2$ for the distortion $\\delta \\le "
                "l$ (Shannon); if a unit of distortion costs $1/(2t)$ of rate, $\\delta = t$ is best for $l \\ge t$, "
                "and only that.",
                by=("The best distortion", "Other distortions cost more"),
                cites="shannon1959",
            ),
            Claim(
                "For a mode of a variance $l \\le t$ the best is $\\delta = l$, and only that.",
                by=("The best distortion of a small mode", "Other distortions of a small mode cost more"),
                cites="shannon1959",
            ),
            Claim(
                "So the distortions and rates of the optimum are those of reverse water-filling at level $t = "
                "\\beta\\sigma^2$, a point of Shannon's curve of a Gaussian source, if there is a latent for every "
                "$l_i > t$. With no latent at all it is the end of the curve (rate zero, level $l_1$).",
                by=(
                    "Distortion of an active mode",
                    "Rate of an active mode",
                    "Distortion of a collapsed mode",
                    "Rate of a collapsed mode",
                    "The best distortion",
                    "The best distortion of a small mode",
                ),
                cites="shannon1959",
            ),
            Claim(
                "In every other case it does not: a mode without a latent has $l > t$ in place of $t$, and costs more.",
                by=(
                    "Other distortions cost more",
                    "Other distortions of a small mode cost more",
                    "What a missing latent costs",
                ),
                cites="shannon1959",
            ),
            Claim("The slope of the curve is $-1/(2t)$.", by=("Slope of the curve",)),
        ),
        assumptions=(
            "The global optimum at fixed noise; the source is Gaussian with independent modes of variance $l_i$.",
        ),
        scope="One mode at a time; the slope for any number $m$ of active modes. Shannon's formula is cited.",
        steps=(
            Step(
                "Distortion of an active mode",
                sp.Eq(distortion.func(best), t, evaluate=False),
                "The error of the mean, $(1 - w g)^2 l$ for a gain $g$, plus the variance that the posterior adds.",
                where=ABOVE,
                let=(
                    Let(
                        distortion,
                        (1 - w * gain) ** 2 * l + w**2 * variance,
                        "the distortion of a mode with a column of length $w$ and its best encoder, of gain $w/(t + "
                        "w^2)$ and variance $t/(t + w^2)$",
                    ),
                ),
            ),
            Step(
                "Rate of an active mode",
                sp.Eq(rate.func(best), sp.log(l / t) / 2, evaluate=False),
                "The divergence of the posterior from $N(0, 1)$, averaged over the data.",
                where=ABOVE,
                let=(Let(rate, (gain**2 * l + variance - 1 - sp.log(variance)) / 2, "the rate of this mode"),),
            ),
            Step(
                "Distortion of a collapsed mode",
                sp.Eq(sp.Subs(distortion, w, 0), l, evaluate=False),
                "Nothing of the mode is decoded.",
            ),
            Step(
                "Rate of a collapsed mode",
                sp.Eq(sp.Subs(rate, w, 0), 0, evaluate=False),
                "The posterior is the prior.",
                wrong_form=half,
            ),
            Step(
                "Slope of the cost",
                sp.Eq(sp.Derivative(cost, delta), (delta - t) / (2 * t * delta), evaluate=False),
                "It vanishes at $\\delta = t$.",
                let=(Let(cost, sp.log(l / delta) / 2 + delta / (2 * t), "rate plus distortion times its price"),),
            ),
            Step(
                "The cost of the level",
                sp.Eq(cost.func(t), (sp.log(l) - sp.log(t) + 1) / 2, evaluate=False),
                "The rate $\\log(l/t)/2$, and the distortion $t$ at its price.",
            ),
            Step(
                "The best distortion",
                sp.Ge(cost, cost.func(t), evaluate=False),
                "The cost is convex in $\\delta$.",
                least_at=(delta, t),
            ),
            Step(
                "Other distortions cost more",
                sp.Gt(cost, cost.func(t), evaluate=False),
                "It is strictly convex.",
                where=(sp.Ne(delta, t),),
                least_at=(delta, t),
            ),
            Step(
                "The best distortion of a small mode",
                sp.Ge(cost, cost.func(l), evaluate=False),
                "By $\\log(l/\\delta) \\ge 1 - \\delta/l$ twice the difference is at least $(l - \\delta)(1/l - 1/t)$.",
                where=(l <= t, delta <= l),
                uses=(use_log_tangent(delta / l, times=half),),
            ),
            Step(
                "Other distortions of a small mode cost more",
                sp.Gt(cost, cost.func(l), evaluate=False),
                "Strictly, as $\\delta/l$ is not one.",
                where=(l <= t, delta < l),
                uses=(use_log_tangent(delta / l, times=half, strict=True),),
            ),
            Step(
                "What a missing latent costs",
                sp.Gt(cost.func(l), cost.func(t), evaluate=False),
                "A point of the curve has the distortion $\\min(l_i, t')$ in each mode, for one level $t'$. A mode "
                "with a latent has $t' = t$; one with $l > t$ and no latent has $l$, which costs more.",
                where=ABOVE,
                uses=(Use("Other distortions cost more", {delta: l}),),
            ),
            Step(
                "Slope of the curve",
                sp.Eq(
                    sp.Derivative(total_rate, t) / sp.Derivative(total_distortion, t),
                    -1 / (2 * t),
                    evaluate=False,
                ),
                "With $m$ modes above the water level and $u_m$ the variance of the others: the price of distortion in "
                "nats is $1/(2t)$, which is $1/(2\\beta\\sigma^2)$.",
                let=(
                    Let(total_rate, sp.Sum(sp.log(spectrum[i] / t), (i, 1, m)) / 2, "the rate of all modes"),
                    Let(total_distortion, m * t + rest, "the distortion of all modes"),
                ),
            ),
            Step(
                "The rate of the curve",
                sp.Eq(total_rate, sp.Sum((sp.log(spectrum[i]) - sp.log(t)) / 2, (i, 1, m)), evaluate=False),
                "That of all active modes.",
            ),
            Step(
                "Where the curve ends",
                sp.Eq(total_distortion.func(rest), (m + 1) * rest, evaluate=False),
                "With one mode below the water level, and the level at it, each mode has this distortion.",
            ),
        ),
        results=("Distortion of an active mode", "Rate of an active mode"),
        sources=(Source("shannon1959", "the rate-distortion function of a Gaussian source, cited"),),
        builds_on=("global-optimum", "aggregate-posterior", "gibbs-inequality"),
    )

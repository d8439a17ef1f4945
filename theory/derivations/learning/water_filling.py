"""Page: rate, distortion and reverse water-filling."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import t
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.learning.global_optimum import ABOVE, l


def derivation() -> Derivation:
    delta, rest = sp.symbols("delta u_m", positive=True)
    m, i = sp.symbols("m i", integer=True, positive=True)
    spectrum = sp.IndexedBase(sp.Symbol("l", positive=True))
    cost = sp.Function("c")(delta)
    w2 = sp.Symbol("omega", positive=True)
    rate, squares = sp.Function("R")(t), sp.Function("d")(t)
    return Derivation(
        name="water-filling",
        title="Rate, distortion and reverse water-filling",
        statement=(
            Claim(
                "One mode at a time, the decoder weight $\\sqrt{l - t}$, the gain $\\sqrt{l - t}/l$ and the "
                "posterior variance $t/l$ give the distortion $t$ and the rate $\\log(l/t)/2$.",
                by=(
                    "Distortion of an active mode",
                    "Rate of an active mode",
                ),
            ),
            Claim(
                "At the optimum an active mode has these values.",
                argued=True,
            ),
            Claim(
                "A collapsed mode has the distortion $l$ and the rate zero.",
                argued=True,
            ),
            Claim(
                "This is reverse water-filling at level $t = \\beta\\sigma^2$.",
                by=(
                    "Shannon's trade-off for one mode: slope",
                    "Shannon's trade-off for one mode: least",
                ),
                cites="shannon1959",
                argued=True,
            ),
            Claim(
                "The model lies on Shannon's curve of a Gaussian source if there is a latent for every "
                "$l_i > t$, or no latent at all (rate zero, the end of the curve).",
                by=(
                    "Distortion of an active mode",
                    "Rate of an active mode",
                    "Shannon's trade-off for one mode: slope",
                    "Shannon's trade-off for one mode: least",
                ),
                cites="shannon1959",
                argued=True,
            ),
            Claim(
                "In every other case it does not.",
                by=(
                    "Shannon's trade-off for one mode: slope",
                    "Shannon's trade-off for one mode: least",
                    "What a missing latent costs",
                ),
                cites="shannon1959",
                argued=True,
            ),
        ),
        assumptions=(
            "The global optimum at fixed noise; the source is Gaussian with independent modes of variance $l_i$.",
        ),
        scope="One mode at a time; the slope for any number $m$ of active modes. Shannon's formula is cited.",
        steps=(
            Step(
                "Distortion of an active mode",
                sp.Eq((1 - w2 / l) ** 2 * l + w2 * t / l, t, evaluate=False),
                "The error of the mean plus the variance that the posterior adds, for decoder weight $\\sqrt{l - t}$ "
                "and gain $\\sqrt{l - t}/l$.",
                where=ABOVE,
                let=(Let(w2, l - t, "the squared decoder weight"),),
            ),
            Step(
                "Rate of an active mode",
                sp.Eq(
                    (w2 / l + t / l - 1 - sp.log(t / l)) / 2,
                    sp.log(l / t) / 2,
                    evaluate=False,
                ),
                "The divergence of $N(\\mu, t/l)$ from $N(0, 1)$ with $\\mathrm{E}[\\mu^2] = \\omega/l$.",
                where=ABOVE,
            ),
            Step(
                "Shannon's trade-off for one mode: slope",
                sp.Eq(sp.Derivative(cost, delta), (delta - t) / (2 * t * delta), evaluate=False),
                "A Gaussian mode of variance $l$ needs the rate $\\log(l/\\delta)/2$ for distortion $\\delta \\le "
                "l$; at price $1/(2t)$ of distortion the best is $\\delta = t$, or $\\delta = l$ if $l < t$, since "
                "the slope is then negative all the way.",
                let=(Let(cost, sp.log(l / delta) / 2 + delta / (2 * t), "rate plus distortion times its price"),),
            ),
            Step(
                "Shannon's trade-off for one mode: least",
                sp.Ge(cost, cost.func(t), evaluate=False),
                "The trade-off is strictly convex: no other distortion costs as little as $t$.",
                least_at=(delta, t),
            ),
            Step(
                "Slope of the curve",
                sp.Eq(
                    sp.Derivative(rate, t) / sp.Derivative(squares, t),
                    -1 / (2 * t),
                    evaluate=False,
                ),
                "With $m$ modes above the water level and $u_m$ the variance of the others: the price of distortion in "
                "nats is $1/(2t)$, which is $1/(2\\beta\\sigma^2)$.",
                let=(
                    Let(rate, sp.Sum(sp.log(spectrum[i] / t), (i, 1, m)) / 2, "the rate"),
                    Let(squares, m * t + rest, "the distortion"),
                ),
            ),
            Step(
                "What a missing latent costs",
                sp.Gt(sp.Derivative(cost.func(l) - cost.func(t), l), 0, evaluate=False),
                "A mode without a latent has the distortion $l$; what it costs more than at the distortion $t$ is zero "
                "for $l = t$ and rises from there on. A point of Shannon's curve is the only minimum for one price: "
                "each mode has the distortion "
                "$\\min(l_i, t')$ for one level $t'$. An active mode has $t' = t$, which is below the distortion of "
                "the mode without a latent: with too few latents, but at least one, the model is strictly above the "
                "curve.",
                where=ABOVE,
            ),
        ),
        results=("Distortion of an active mode", "Rate of an active mode"),
        sources=(Source("shannon1959", "the rate-distortion function of a Gaussian source, cited"),),
        builds_on=("global-optimum", "aggregate-posterior"),
    )

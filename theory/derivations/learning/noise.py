"""Page: the noise that a beta-VAE learns."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import D, beta
from theory.derivations.engine.page import Derivation, Let, Source, Step


def derivation() -> Derivation:
    v, r, last, best = sp.symbols("v r l_q v_o", positive=True)
    q, i = sp.symbols("q i", integer=True, positive=True)
    spectrum = sp.IndexedBase(sp.Symbol("l", positive=True))
    F, before, slope = sp.Function("F")(v), sp.Function("F_o")(v), sp.Function("h")(v)
    logs_above = sp.Symbol("s", real=True)  # the sum of the logarithms over the modes above mode q; it cancels

    def profile(active, remaining, logs):
        return (active * beta * v + remaining) / (2 * v) + D * sp.log(2 * sp.pi * v) / 2 + beta * logs / 2

    logs = sp.Sum(sp.log(spectrum[i] / (beta * v)), (i, 1, q))
    learned = r / (D - q * beta)
    domain = {beta: (0, 2)}
    return Derivation(
        name="learned-noise",
        title="The noise that a beta-VAE learns",
        statement=(
            "With $q$ active modes and the variance $r = \\sum_{i>q} l_i$ beyond them the best noise is $\\sigma^2 = "
            "r/(D - q\\beta)$; mode $q$ is active iff $\\beta < D l_q/(q l_q + r)$. The loss is convex in "
            "$\\log\\sigma^2$, so there is one best noise, except where every mode has a latent: with $n$ modes the "
            "noise goes to zero for $\\beta < D/n$ and is undetermined at $\\beta = D/n$."
        ),
        assumptions=("Decoder and encoder are at their optimum for each noise $v = \\sigma^2$.",),
        scope="For every $D$, $q$, $\\beta$ and spectrum.",
        point_sizes=({q: 1, D: 3}, {q: 2, D: 4}, {q: 3, D: 7}),
        steps=(
            Step(
                "Slope of the loss in the noise",
                sp.Eq(sp.Derivative(F, v), ((D - q * beta) * v - r) / (2 * v**2), evaluate=False),
                "The distortion is $\\beta v$ per active mode plus $r$, the rate $\\log(l_i/(\\beta v))/2$ per active "
                "mode.",
                let=(Let(F, profile(q, r, logs), "the loss with $q$ active modes, as a function of the noise"),),
                domain=domain,
            ),
            Step(
                "The learned noise",
                sp.Eq(sp.Subs(sp.Derivative(F, v), v, best), 0, evaluate=False),
                "There the slope vanishes, provided $q \\beta < D$.",
                let=(Let(best, learned, "the learned noise"),),
                wrong_form=beta,
                domain=domain,
            ),
            Step(
                "Convex in the logarithm of the noise",
                sp.Eq(v * sp.Derivative(slope, v), r / (2 * v), evaluate=False),
                "$h = v F'$ is the slope in $\\log v$, and this is the slope of $h$: $\\ge 0$ on each piece.",
                let=(Let(slope, v * ((D - q * beta) * v - r) / (2 * v**2), "the slope in $\\log v$"),),
                domain=domain,
            ),
            Step(
                "No jump where a mode becomes inactive",
                sp.Eq(
                    sp.Subs(profile(q, r, logs_above + sp.log(last / (beta * v))) - before, v, last / beta),
                    0,
                    evaluate=False,
                ),
                "At $\\beta v = l_q$ mode $q$ joins the inactive modes: the loss is continuous there.",
                let=(Let(before, profile(q - 1, r + last, logs_above), "the loss with one mode fewer"),),
                wrong_form=beta,
            ),
            Step(
                "No kink where a mode becomes inactive",
                sp.Eq(
                    sp.Subs(
                        sp.Derivative(profile(q, r, logs_above + sp.log(last / (beta * v))) - before, v),
                        v,
                        last / beta,
                    ),
                    0,
                    evaluate=False,
                ),
                "The slope is continuous there, too. Hence the loss is convex in $\\log v$ as a whole, and has one "
                "minimiser, or none if it falls without bound.",
                wrong_form=beta,
            ),
            Step(
                "When a mode is active",
                sp.Eq(
                    last - beta * best,
                    (D * last - beta * (q * last + r)) / (D - q * beta),
                    evaluate=False,
                ),
                "Mode $q$ is above the water level iff the numerator is positive: $\\beta < D l_q/(q l_q + r)$. For $q "
                "= 1$ this is total collapse at $\\beta = D l_1/tr(S)$.",
                domain=domain,
            ),
            Step(
                "A latent for every mode",
                sp.Eq(
                    v * sp.Subs(sp.Derivative(F, v), r, 0),
                    (D - q * beta) / 2,
                    evaluate=False,
                ),
                "If every mode has a latent ($r = 0$, $q$ is the rank), the slope in $\\log v$ is constant for small "
                "$v$: the noise goes to zero for $\\beta < D/q$, every small noise is as good at $\\beta = D/q$, and "
                "above it the noise is finite.",
                domain=domain,
            ),
            Step(
                "Beta one",
                sp.Eq(sp.Subs(learned, beta, 1), r / (D - q), evaluate=False),
                "The mean of the eigenvalues beyond the latents: the maximum likelihood noise of probabilistic PCA.",
            ),
        ),
        results=("The learned noise", "When a mode is active"),
        sources=(
            Source("tipping1999", "the case beta = 1"),
            Source("wang2022", "in its setting"),
        ),
        builds_on=("water-filling", "ppca-equivalence"),
    )

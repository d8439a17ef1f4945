"""Page: the noise that a beta-VAE learns."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import D, beta
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    v, beyond, last, best = sp.symbols("v u_q l_q v_o", positive=True)
    following, after = sp.symbols("l_q+1 u_q+1", positive=True)
    fall = sp.Symbol("c", nonnegative=True)
    q, i = sp.symbols("q i", integer=True, positive=True)
    spectrum = sp.IndexedBase(sp.Symbol("l", positive=True))
    F, before, slope = sp.Function("F")(v), sp.Function("F_o")(v), sp.Function("h")(v)
    logs_above = sp.Symbol("s", real=True)  # the sum of the logarithms over the modes above mode q; it cancels

    def profile(active, remaining, logs):
        return (active * beta * v + remaining) / (2 * v) + D * sp.log(2 * sp.pi * v) / 2 + beta * logs / 2

    logs = sp.Sum(sp.log(spectrum[i] / (beta * v)), (i, 1, q))
    learned = beyond / (D - q * beta)
    return Derivation(
        name="learned-noise",
        title="The noise that a beta-VAE learns",
        statement=(
            Claim(
                "With $q$ active modes, each of the distortion $\\beta\\sigma^2$ and the rate "
                "$\\log(l_i/(\\beta\\sigma^2))/2$, and the variance $u_q = \\sum_{i>q} l_i$ beyond them the "
                "loss is stationary at the noise $\\sigma^2 = u_q/(D - q\\beta)$, if $q\\beta < D$.",
                by=("The learned noise",),
            ),
            Claim(
                "It is the best noise.",
                by=(
                    "Slope of the loss in the noise",
                    "The learned noise",
                    "Convex in the logarithm of the noise",
                    "No jump where a mode becomes inactive",
                    "No kink where a mode becomes inactive",
                ),
                argued=True,
            ),
            Claim(
                "Latent $q \\le K$ is active iff $\\beta$ is below its critical value $\\beta_q = D l_q/(q "
                "l_q + u_q)$.",
                by=("When a mode is active",),
                argued=True,
            ),
            Claim(
                "The critical values descend: $\\beta_{q+1} \\le \\beta_q$.",
                by=("Critical values descend",),
            ),
            Claim(
                "So a latent stays collapsed beyond its own.",
                by=(
                    "When a mode is active",
                    "Critical values descend",
                ),
                argued=True,
            ),
            Claim(
                "The loss is convex in $\\log\\sigma^2$.",
                by=(
                    "Convex in the logarithm of the noise",
                    "No jump where a mode becomes inactive",
                    "No kink where a mode becomes inactive",
                ),
                argued=True,
            ),
            Claim(
                "So there is one best noise, except where every mode has a latent.",
                by=(
                    "Convex in the logarithm of the noise",
                    "No jump where a mode becomes inactive",
                    "No kink where a mode becomes inactive",
                ),
                argued=True,
            ),
            Claim(
                "There, with $r$ the rank of $S$ and $K \\ge r$, the noise goes to zero for $\\beta < D/r$ "
                "and is undetermined at $\\beta = D/r$.",
                by=("A latent for every mode",),
                argued=True,
            ),
        ),
        assumptions=("Decoder and encoder are at their optimum for each noise $v = \\sigma^2$.",),
        scope="For every $D$, $q$, $\\beta$ and spectrum.",
        steps=(
            Step(
                "Slope of the loss in the noise",
                sp.Eq(sp.Derivative(F, v), ((D - q * beta) * v - beyond) / (2 * v**2), evaluate=False),
                "The distortion is $\\beta v$ per active mode plus $u_q$, the rate $\\log(l_i/(\\beta v))/2$ per "
                "active mode.",
                let=(Let(F, profile(q, beyond, logs), "the loss with $q$ active modes, as a function of the noise"),),
            ),
            Step(
                "The learned noise",
                sp.Eq(sp.Subs(sp.Derivative(F, v), v, best), 0, evaluate=False),
                "There the slope vanishes, provided $q \\beta < D$. Otherwise it is negative at every noise with $q$ "
                "active modes, and the best noise is larger, with fewer of them.",
                let=(Let(best, learned, "the learned noise"),),
                wrong_form=beta,
                where=(beta < D / q,),
            ),
            Step(
                "Convex in the logarithm of the noise",
                sp.Eq(v * sp.Derivative(slope, v), beyond / (2 * v), evaluate=False),
                "$h = v F'$ is the slope in $\\log v$, and this is the slope of $h$: $\\ge 0$ on each piece.",
                let=(Let(slope, v * ((D - q * beta) * v - beyond) / (2 * v**2), "the slope in $\\log v$"),),
            ),
            Step(
                "No jump where a mode becomes inactive",
                sp.Eq(
                    sp.Subs(profile(q, beyond, logs_above + sp.log(last / (beta * v))) - before, v, last / beta),
                    0,
                    evaluate=False,
                ),
                "At $\\beta v = l_q$ mode $q$ joins the inactive modes: the loss is continuous there.",
                let=(Let(before, profile(q - 1, beyond + last, logs_above), "the loss with one mode fewer"),),
                wrong_form=beta,
            ),
            Step(
                "No kink where a mode becomes inactive",
                sp.Eq(
                    sp.Subs(
                        sp.Derivative(profile(q, beyond, logs_above + sp.log(last / (beta * v))) - before, v),
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
                    slope.func(last / beta),
                    (D * last - beta * (q * last + beyond)) / (2 * last),
                    evaluate=False,
                ),
                "The slope where the water level $\\beta v$ is $l_q$. As the loss is convex, the best noise (or the "
                "limit zero) is smaller, and mode $q$ above the water level, iff it is positive: $\\beta < D l_q/(q "
                "l_q + u_q)$. For $q = 1$ this is total collapse at $\\beta = D l_1/tr(S)$.",
            ),
            Step(
                "Critical values descend",
                sp.Ge((q + 1 + after / following) - (q + (following + after) / (following + fall)), 0, evaluate=False),
                "$D/\\beta_q = q + u_q/l_q$ with $\\beta_q$ the critical value of latent $q$, $l_q = l_{q+1} + c$, $c "
                "\\ge 0$, and $u_q = l_{q+1} + u_{q+1}$: so $\\beta_{q+1} \\le \\beta_q$, with equality for a tie.",
            ),
            Step(
                "A latent for every mode",
                sp.Eq(
                    v * sp.Subs(sp.Derivative(F, v), beyond, 0),
                    (D - q * beta) / 2,
                    evaluate=False,
                ),
                "If every mode has a latent ($u_q = 0$, $q$ is the rank), the slope in $\\log v$ is constant for small "
                "$v$: the noise goes to zero for $\\beta < D/q$, every small noise is as good at $\\beta = D/q$, and "
                "above it the noise is finite.",
            ),
            Step(
                "Beta one",
                sp.Eq(sp.Subs(learned, beta, 1), beyond / (D - q), evaluate=False),
                "The mean of the eigenvalues beyond the latents: the maximum likelihood noise of probabilistic PCA.",
                where=(q < D,),
            ),
        ),
        results=("The learned noise", "When a mode is active"),
        sources=(
            Source("tipping1999", "the case beta = 1"),
            Source("lucas2019", "collapse of the linear VAE with beta = 1"),
            Source("wang2022", "in its setting"),
        ),
        builds_on=("water-filling", "ppca-equivalence"),
    )

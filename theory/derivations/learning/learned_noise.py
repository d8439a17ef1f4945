"""Page: the noise that a beta-VAE learns."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import D, beta
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use
from theory.derivations.foundations.gibbs_inequality import use_log_tangent
from theory.derivations.learning.global_optimum import l


def derivation() -> Derivation:
    v, beyond, last, best = sp.symbols("v u_q l_q v_o", positive=True)
    following, after = sp.symbols("l_q+1 u_q+1", positive=True)
    fall, there = sp.Symbol("c", nonnegative=True), sp.Symbol("v_1", positive=True)
    q, i = sp.symbols("q i", integer=True, positive=True)
    spectrum = sp.IndexedBase(sp.Symbol("l", positive=True))
    F, slope = sp.Function("F")(v), sp.Function("h")(v)
    active, inactive = sp.Function("f_a")(v), sp.Function("f_c")(v)
    learned = beyond / (D - q * beta)
    rise = sp.log(v / there)
    is_active, was_active = v < l / beta, there < l / beta
    is_inactive, was_inactive = v >= l / beta, there >= l / beta
    tangents = (
        "Active modes lie on their tangent",
        "A mode that falls asleep lies above its tangent",
        "Inactive modes lie above their tangent",
        "A mode that wakes lies above its tangent",
    )
    critical = D * last / (q * last + beyond)
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
                "The loss of the best decoder is convex in $\\log\\sigma^2$: it is $D (\\log 2\\pi\\sigma^2)/2$ plus "
                "the shares of the modes, each of which lies above its tangent in $\\log\\sigma^2$ at every noise.",
                by=tangents,
            ),
            Claim(
                "So a noise where the loss is stationary is the best noise.",
                by=("Slope of the loss in the noise", "The learned noise", *tangents),
            ),
            Claim(
                "There is no other, if a mode with $0 < l < \\beta\\sigma^2$, or one with $l > 0$ that has no latent, "
                "is inactive there.",
                by=(*tangents, "Inactive modes lie strictly above their tangent"),
            ),
            Claim(
                "Latent $q \\le K$ with $l_q, u_q > 0$ is active iff $\\beta$ is below its critical value $\\beta_q = "
                "D l_q/(q l_q + u_q)$: then, and only then, the loss rises where the water level $\\beta\\sigma^2$ is "
                "$l_q$, so that the best noise, or the limit zero, lies below.",
                by=(
                    "When a mode is active",
                    "Below the critical weight",
                    "At and above the critical weight",
                    *tangents,
                ),
            ),
            Claim(
                "The critical values descend: $\\beta_{q+1} \\le \\beta_q$.",
                by=("Critical values descend",),
            ),
            Claim(
                "So a latent stays collapsed beyond its own.",
                by=("At and above the critical weight", "Critical values descend"),
            ),
            Claim(
                "Where every mode has a latent, with $r$ the rank of $S$ and $K \\ge r$, a small noise $v$ has the "
                "loss $(D - r\\beta)(\\log v)/2$ plus a constant: the noise goes to zero for $\\beta < D/r$ and is "
                "undetermined at $\\beta = D/r$.",
                by=("A latent for every mode", *tangents),
            ),
            Claim(
                "At $\\beta = 1$ and $K < D$ the noise is the mean of the eigenvalues beyond the active latents, that "
                "of probabilistic PCA.",
                by=("Beta one",),
            ),
        ),
        assumptions=(
            "Decoder and encoder are at their optimum for each noise $v = \\sigma^2$; $D$ dimensions, $K$ latents. "
            "The share of a mode is its distortion over $2 v$ plus $\\beta$ times its rate.",
        ),
        scope="For every $D$, $q$, $\\beta$ and spectrum; convexity one mode at a time, which suffices for the sum.",
        steps=(
            Step(
                "Slope of the loss in the noise",
                sp.Eq(sp.Derivative(F, v), ((D - q * beta) * v - beyond) / (2 * v**2), evaluate=False),
                "The distortion is $\\beta v$ per active mode plus $u_q$, the rate $\\log(l_i/(\\beta v))/2$ per "
                "active mode.",
                let=(
                    Let(
                        F,
                        (q * beta * v + beyond) / (2 * v)
                        + D * sp.log(2 * sp.pi * v) / 2
                        + beta * sp.Sum(sp.log(spectrum[i] / (beta * v)), (i, 1, q)) / 2,
                        "the loss with $q$ active modes, as a function of the noise",
                    ),
                ),
            ),
            Step(
                "The loss in its parts",
                sp.Eq(
                    F,
                    (D * sp.log(2 * sp.pi * v) + (q * beta * v + beyond) / v) / 2
                    + beta * sp.Sum((sp.log(spectrum[i]) - sp.log(beta) - sp.log(v)) / 2, (i, 1, q)),
                    evaluate=False,
                ),
                "The reconstruction of the distortion $q \\beta v + u_q$, and $\\beta$ times the rate.",
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
                tangents[0],
                sp.Eq(active - active.func(there), -beta * rise / 2, evaluate=False),
                "The share of a mode that is active at the noises $v$ and $v_1$ is linear in $\\log v$, with the slope "
                "$-\\beta/2$.",
                let=(
                    Let(
                        active,
                        beta / 2 + beta * sp.log(l / (beta * v)) / 2,
                        "distortion over $2v$ plus $\\beta$ times rate of an active mode",
                    ),
                ),
            ),
            Step(
                tangents[1],
                sp.Ge(inactive - active.func(there), -beta * rise / 2, evaluate=False),
                "A mode that is active at the noise $v_1$ and not at $v$: the difference is $\\beta/2$ times $a - 1 - "
                "\\log a$ with $a = l/(\\beta v)$.",
                let=(Let(inactive, l / (2 * v), "the same of an inactive mode"),),
                where=(was_active, is_inactive),
                uses=(use_log_tangent(l / (beta * v), times=beta / 2),),
            ),
            Step(
                tangents[2],
                sp.Ge(inactive - inactive.func(there), -l * rise / (2 * there), evaluate=False),
                "A mode that is active at neither noise has at $v_1$ the slope $-l/(2v_1)$ in $\\log v$; with $a = "
                "v_1/v$.",
                uses=(use_log_tangent(there / v, times=l / (2 * there)),),
            ),
            Step(
                "Inactive modes lie strictly above their tangent",
                sp.Gt(inactive - inactive.func(there), -l * rise / (2 * there), evaluate=False),
                "Strictly, as $a$ is not one.",
                where=(sp.Ne(v, there),),
                uses=(use_log_tangent(there / v, times=l / (2 * there), strict=True),),
            ),
            Step(
                tangents[3],
                sp.Ge(active - inactive.func(there), -l * rise / (2 * there), evaluate=False),
                "A mode that is active at $v$ and not at $v_1$. With $x = l/(\\beta v_1) \\le 1$ the difference is "
                "$\\beta/2$ times $1 - x + x \\log x + (1 - x) \\log(l/(\\beta v))$.",
                where=(is_active, was_inactive),
                uses=(use_log_tangent(beta * there / l, times=l / (2 * there)),),
            ),
            Step(
                "When a mode is active",
                sp.Eq(
                    slope.func(last / beta),
                    (D * last - beta * (q * last + beyond)) / (2 * last),
                    evaluate=False,
                ),
                "The slope where the water level $\\beta v$ is $l_q$. For $q = 1$ it vanishes at $\\beta = D "
                "l_1/tr(S)$: total collapse.",
                let=(
                    Let(
                        slope,
                        v * ((D - q * beta) * v - beyond) / (2 * v**2),
                        "the slope of the loss in $\\log v$, which is $v F'$",
                    ),
                ),
            ),
            Step(
                "Below the critical weight",
                sp.Gt(slope.func(last / beta), 0, evaluate=False),
                "As the loss is convex, the best noise is smaller, and mode $q$ above the water level.",
                where=(beta < critical,),
                uses=(Use("When a mode is active"),),
            ),
            Step(
                "At and above the critical weight",
                sp.Le(slope.func(last / beta), 0, evaluate=False),
                "Then the loss does not rise there: the best noise is not smaller, and mode $q$ inactive at it.",
                where=(beta >= critical,),
                uses=(Use("When a mode is active"),),
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
                    sp.Subs(F - F.func(there), beyond, 0),
                    (D - q * beta) * rise / 2,
                    evaluate=False,
                ),
                "If every mode has a latent, $u_q = 0$ and $q = r$; this holds for all noises $v$ and $v_1$ below "
                "$l_r/\\beta$.",
                wrong_form=(D + q * beta) * rise / 2,
            ),
            Step(
                "Beta one",
                sp.Eq(sp.Subs(learned, beta, 1), beyond / (D - q), evaluate=False),
                "There are $D - q$ eigenvalues beyond the $q$ active latents.",
                where=(q < D,),
            ),
        ),
        results=("The learned noise", "When a mode is active"),
        sources=(
            Source("tipping1999", "the case beta = 1"),
            Source("lucas2019", "collapse of the linear VAE with beta = 1"),
            Source("wang2022", "in its setting"),
        ),
        builds_on=("water-filling", "ppca-equivalence", "gibbs-inequality"),
    )

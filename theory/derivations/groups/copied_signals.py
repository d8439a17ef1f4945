"""Page: when negative weights leave the grouped objective without a lower bound, because latents copy one signal."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, K, Q
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Source, Step


def derivation() -> Derivation:
    blocks, diagonal = sp.MatrixSymbol("C_b", K, K), sp.MatrixSymbol("C_d", K, K)
    info = sp.Symbol("w_I", positive=True)
    across, inside = sp.symbols("w_B w_W", real=True)
    e, whole, u, v = sp.symbols("e I u v", positive=True)
    together, groups, singles = ((LogDet(part) - LogDet(Q)) / 2 for part in (C, blocks, diagonal))

    parts = (
        info * (LogDet(C) - LogDet(Q))
        + across * (LogDet(blocks) - LogDet(C))
        + inside * (LogDet(diagonal) - LogDet(blocks))
    ) / 2
    linear = (info - across) * together + (across - inside) * groups + inside * singles
    copied = (1 - e) * sp.ones(3, 3) + e * sp.eye(3)
    pair = copied[:2, :2]
    cost = (
        info * (sp.log(copied.det()) - 3 * sp.log(e))
        + across * (sp.log(pair.det()) - sp.log(copied.det()))
        - inside * sp.log(pair.det())
    ) / 2
    rest = ((info - across) * sp.log(3 - 2 * e) + (across - inside) * sp.log(2 - e)) / 2
    return Derivation(
        name="copied-signals",
        title="Negative weights: copies of one signal",
        statement=(
            Claim(
                "With a fixed noise and a diagonal posterior the grouped objective of a learned decoder "
                "has no lower bound if $w_D < 0$ or $w_I - w_B + \\sum_g \\min(0, b_g) < 0$, $b_g = w_B + "
                "\\min(0, w_W) (|g| - 1)$, with the least $b_g$ in place of the sum if none is negative.",
                by=(
                    "Linear in the information",
                    "One signal in three latents",
                ),
                argued=True,
            ),
            Claim(
                "In every other case it has a lower bound.",
                by=(
                    "Linear in the information",
                    "No other case, between two groups",
                    "No other case, within a group of two",
                ),
                argued=True,
            ),
            Claim(
                "In the second case the objective of one signal that is copied to the groups of negative "
                "$b_g$ (to that of the least $b_g$ if none is negative), and to all their latents if $w_W "
                "< 0$, goes to minus infinity.",
                by=(
                    "Linear in the information",
                    "One signal in three latents",
                ),
                argued=True,
            ),
        ),
        assumptions=(
            "The data vary. If $w_D < 0$ it is enough to scale one latent; otherwise each latent is scaled to $C_{jj} "
            "= 1$, where its divergence from the prior vanishes, at no cost.",
            "$I$, $I_g$ and $I_j$ are the information that is carried by all latents, by those of group $g$ and by "
            "latent $j$. More latents carry more information: $I \\ge I_g \\ge I_j \\ge 0$.",
        ),
        scope=(
            "The first identity for every partition, the copies for the groups {1, 2} and {3}; the "
            "last two steps for two groups and for a group of two. The linear programme below is for every partition; "
            "the tests compare its answer with searches over all codes."
        ),
        matrices=dict.fromkeys((C, Q, blocks, diagonal), "positive"),
        steps=(
            Step(
                "Linear in the information",
                sp.Eq(parts, linear, evaluate=False),
                "As $Q$ is diagonal, $\\log\\det Q_J$ is a sum over the latents in $J$, so that with $I_J = "
                "(\\log\\det C_J - \\log\\det Q_J)/2$ total correlation between groups is $\\sum_g I_g - I$, and that "
                "within groups $\\sum_j I_j - \\sum_g I_g$. Neither is negative, so $I \\le \\sum_g I_g$ and $I_g \\le "
                "\\sum_j I_j$.",
                wrong_form=linear + 2 * across * together,
            ),
            Step(
                "One signal in three latents",
                sp.Eq(cost, -(info + across + inside) * sp.log(e) / 2 + rest, evaluate=False),
                "Let every latent be $\\sqrt{1-e}$ times one signal plus noise of variance $e$. As $e$ falls to zero "
                "the cost goes to minus infinity if $w_I + w_B + w_W < 0$: for $G$ groups and $n$ latents in all the "
                "sum is $w_I + w_B (G-1) + w_W (n-G)$, and the distortion is bounded.",
                wrong_form=-(info - across - inside) * sp.log(e) / 2 + rest,
                where=(e < 1,),
            ),
            Step(
                "No other case, between two groups",
                sp.Eq(
                    info * whole + across * ((whole - u) + (whole - v) - whole),
                    (info + across) * whole - across * (u + v),
                    evaluate=False,
                ),
                "With $I_1 = I - u$ and $I_2 = I - v$. If $w_B < 0 \\le w_I + w_B$ no term is negative: the objective "
                "is bounded. In general a linear function is to be minimised over $I_g \\le I \\le \\sum_g I_g$ and "
                "$I_g \\le \\sum_j I_j \\le |g| I_g$. At $I = 1$ its minimum is $w_I - w_B$ plus the minimum of "
                "$\\sum_g b_g I_g$ over $0 \\le I_g \\le 1 \\le \\sum_g I_g$, which the statement gives.",
                wrong_form=(info + across) * whole + across * (u + v),
            ),
            Step(
                "No other case, within a group of two",
                sp.Eq(
                    info * whole + inside * ((whole - u) + (whole - v) - whole),
                    (info + inside) * whole - inside * (u + v),
                    evaluate=False,
                ),
                "The same with two latents in place of two groups.",
                wrong_form=(info + inside) * whole + inside * (u + v),
            ),
        ),
        results=("One signal in three latents",),
        sources=(Source("chen2022", "the subject; the result is this project's"),),
        builds_on=("total-correlation",),
    )

"""Page: when negative weights leave the grouped objective without a lower bound, because latents copy one signal."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Derivation, Let, Source, Step
from theory.derivations.foundations.hadamard_gap import ALONE, PAIRED


def derivation() -> Derivation:
    C = sp.MatrixSymbol("C", 3, 3)
    B1, B2 = sp.MatrixSymbol("B_1", 3, 3), sp.MatrixSymbol("B_2", 3, 3)
    q1, q2, q3, info = sp.symbols("q_1 q_2 q_3 w_I", positive=True)
    across, inside = sp.symbols("w_B w_W", real=True)
    e, whole, u, v = sp.symbols("e I u v", positive=True)
    alone, paired = sp.HadamardProduct(C, B1), sp.HadamardProduct(C, B2)
    logs = sp.log(q1) + sp.log(q2) + sp.log(q3)
    together, groups, singles = ((LogDet(part) - logs) / 2 for part in (C, paired, alone))

    parts = (
        info * (LogDet(C) - logs) + across * (LogDet(paired) - LogDet(C)) + inside * (LogDet(alone) - LogDet(paired))
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
            "With a fixed noise and a diagonal posterior the grouped objective of a learned decoder has no lower bound "
            "if and only if $w_D < 0$ or $w_I - w_B + \\sum_g \\min(0, b_g) < 0$, $b_g = w_B + \\min(0, w_W) (|g| - "
            "1)$, with the least $b_g$ in place of the sum if none is negative. The objective of one signal that is "
            "copied to the groups of negative $b_g$, and to all their latents if $w_W < 0$, then goes to minus "
            "infinity."
        ),
        assumptions=(
            "The data vary. If $w_D < 0$ it is enough to scale one latent; otherwise each latent is scaled to $C_{jj} "
            "= 1$, where its divergence from the prior vanishes, at no cost.",
            "$I$, $I_g$ and $I_j$ are the information that is carried by all latents, by those of group $g$ and by "
            "latent $j$. More latents carry more information: $I \\ge I_g \\ge I_j \\ge 0$.",
        ),
        scope=(
            "The first identity entry by entry for the groups {1, 2} and {3}, and the copies for the same groups; the "
            "last two steps for two groups and for a group of two. The linear programme below is for every partition; "
            "the tests compare its answer with searches over all codes."
        ),
        matrices={C: "positive"},
        steps=(
            Step(
                "Linear in the information",
                sp.Eq(parts, linear, evaluate=False),
                "As $Q$ is diagonal, $\\log\\det Q_J$ is a sum over the latents in $J$, so that with $I_J = "
                "(\\log\\det C_J - \\log\\det Q_J)/2$ total correlation between groups is $\\sum_g I_g - I$, and that "
                "within groups $\\sum_j I_j - \\sum_g I_g$. Neither is negative, so $I \\le \\sum_g I_g$ and $I_g \\le "
                "\\sum_j I_j$.",
                let=(Let(B1, ALONE, "single latents"), Let(B2, PAIRED, "the groups {1, 2} and {3}")),
                sizes=({K: 3},),
                wrong_form=linear + 2 * across * together,
            ),
            Step(
                "One signal in three latents",
                sp.Eq(cost, -(info + across + inside) * sp.log(e) / 2 + rest, evaluate=False),
                "Let every latent be $\\sqrt{1-e}$ times one signal plus noise of variance $e$. As $e$ falls to zero "
                "the cost goes to minus infinity if $w_I + w_B + w_W < 0$: for $G$ groups and $n$ latents in all the "
                "sum is $w_I + w_B (G-1) + w_W (n-G)$, and the distortion is bounded.",
                domain={e: (sp.Rational(1, 10), 1)},
                wrong_form=-(info - across - inside) * sp.log(e) / 2 + rest,
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

"""Page: diagonal and block-diagonal posteriors, and their price in the loss."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K, beta
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.foundations.hadamard_gap import ALONE, PAIRED


def derivation() -> Derivation:
    P, Q = sp.MatrixSymbol("P", 3, 3), sp.MatrixSymbol("Q", 3, 3)
    B, G = sp.MatrixSymbol("B", 3, 3), sp.MatrixSymbol("B_2", 3, 3)
    p, d = sp.symbols("p d", positive=True)

    def cost(precision, covariance):
        return sp.Trace(precision * covariance) - 3 - LogDet(precision) - LogDet(covariance)

    def split(mask):
        kept, blocks = sp.HadamardProduct(P, mask), sp.HadamardProduct(Q, mask)
        return sp.Eq(cost(P, blocks), cost(kept, blocks) + LogDet(kept) - LogDet(P), evaluate=False)

    kept = sp.HadamardProduct(P, G)
    return Derivation(
        name="posterior-families",
        title="Diagonal and block-diagonal posteriors, and their price",
        statement=(
            Claim(
                "If the posterior covariance is block-diagonal, the best mean is that of the full posterior.",
                by=(
                    "Mean field: what depends on the covariance",
                    "Blocks: what depends on the covariance",
                ),
                argued=True,
            ),
            Claim(
                "The best blocks are the inverses of the blocks of $P$.",
                by=(
                    "Mean field: what depends on the covariance",
                    "Blocks: what depends on the covariance",
                    "One latent",
                ),
                argued=True,
            ),
            Claim(
                "The price is $(\\beta/2) [\\log\\det(P \\circ B) - \\log\\det P]$.",
                by=(
                    "Mean field: what depends on the covariance",
                    "Blocks: what depends on the covariance",
                    "The price of a family",
                ),
                argued=True,
            ),
        ),
        assumptions=(
            "As for the best encoder; $B$ is one inside the blocks of the family and zero outside, $P \\circ B$ "
            "contains the blocks of $P$.",
        ),
        scope=(
            "Entry by entry for three latents with general $P$ and $Q$: single latents (mean field), and the groups "
            "{1, 2} and {3}. The only fact that is used, $tr(P Q) = tr((P \\circ B) Q)$ for a $Q$ without entries "
            "outside the blocks, holds for every partition."
        ),
        matrices={P: "positive", Q: "positive"},
        steps=(
            Step(
                "Mean field: what depends on the covariance",
                split(B),
                "By the page on the best encoder the loss depends on $Q$ through $\\beta/2$ times the left side, in a "
                "term without $V$; with a diagonal $Q$ only the diagonal of $P$ enters.",
                let=(Let(B, ALONE, "mean field"),),
                sizes=({K: 3},),
                wrong_form=cost(sp.HadamardProduct(P, B), sp.HadamardProduct(Q, B))
                - LogDet(sp.HadamardProduct(P, B))
                + LogDet(P),
            ),
            Step(
                "Blocks: what depends on the covariance",
                split(G),
                "The same for groups: if $\\log\\det(P \\circ B_2)$ is added and subtracted, the right side is twice "
                "the divergence of the blocks from the best ones, plus a constant, the gap.",
                let=(Let(G, PAIRED, "the groups {1, 2} and {3}"),),
                sizes=({K: 3},),
                wrong_form=cost(kept, sp.HadamardProduct(Q, G)) - LogDet(kept) + LogDet(P),
            ),
            Step(
                "One latent",
                sp.Eq(sp.Derivative(p * d - 1 - sp.log(p * d), d), (p * d - 1) / d, evaluate=False),
                "For mean field the divergence is a sum over latents, each minimal at variance $d = 1/p$ with $p = "
                "P_{jj}$: the inverse of the precision's diagonal, not the diagonal of its inverse.",
            ),
            Step(
                "The price of a family",
                sp.Eq(
                    beta * cost(P, kept.I) / 2,
                    beta * (LogDet(kept) - LogDet(P)) / 2,
                    evaluate=False,
                ),
                "At the best blocks the divergence vanishes and the gap remains; it is $\\ge 0$, with equality only if "
                "the columns of the decoder are orthogonal across blocks.",
                sizes=({K: 3},),
                wrong_form=(LogDet(kept) - LogDet(P)) / 2,
            ),
        ),
        results=("The price of a family",),
        sources=(
            Source("sikka2019", "in its setting: conditional independence against dependence of the true posterior"),
            Source("rolinek2019", "the exact linear form of the preference for orthogonal columns"),
        ),
        builds_on=("optimal-encoder", "hadamard-gap"),
    )

"""Page: diagonal and block-diagonal posteriors, and their price in the loss."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import D, K, P, Q, S, V, beta
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use
from theory.derivations.foundations.matrix_inequalities import use_product, use_tangent, use_trace
from theory.derivations.inference.optimal_encoder import BEST_GAIN, PRECISION, loss_at_level


def derivation() -> Derivation:
    B = sp.MatrixSymbol("B", K, K)
    best = BEST_GAIN.symbol
    kept, blocks = sp.HadamardProduct(P, B), sp.HadamardProduct(Q, B)
    any_loss, family_loss, full_loss = sp.symbols("L L_B L_o", real=True)

    def cost(precision, covariance):
        return sp.Trace(precision * covariance) - K - LogDet(precision) - LogDet(covariance)

    parts = (use_trace(P, V - best, S, times=beta / 2), use_product(kept, blocks, times=beta / 2))
    missed = beta * sp.Trace(S * (V - best).T * P * (V - best)) / 2
    square = "The loss as a completed square"
    gap = LogDet(kept) - LogDet(P)
    return Derivation(
        name="posterior-families",
        title="Diagonal and block-diagonal posteriors, and their price",
        statement=(
            Claim(
                "Among the encoders with a block-diagonal posterior covariance the best one has the mean of the best "
                "full posterior, and its blocks are the inverses of the blocks of $P$.",
                by=(square, "No encoder of the family is better"),
            ),
            Claim("None with other blocks is as good.", by=("Other blocks are worse",)),
            Claim(
                "If the data vary in every direction, none with another gain is as good.", by=("Another gain is worse",)
            ),
            Claim(
                "The family costs $(\\beta/2) [\\log\\det(P \\circ B) - \\log\\det P]$ more than a full covariance.",
                by=("The price of a family",),
            ),
            Claim(
                "This is positive unless $P$ is block-diagonal: unless the columns of the decoder are orthogonal "
                "across blocks.",
                by=("The price is positive",),
            ),
        ),
        assumptions=(
            "As for the best encoder; $B$ is one inside the blocks of the family and zero outside, $P \\circ B$ "
            "contains the blocks of $P$. Any block-diagonal covariance is $Q \\circ B$ for some $Q$; mean field is "
            "$B = I$.",
        ),
        scope="For every $K$ and $D$, and every partition of the latents into blocks.",
        matrices={P: "positive", Q: "positive", S: "positive", B: "partition"},
        steps=(
            Step(
                "What depends on the covariance",
                sp.Eq(cost(P, blocks), cost(kept, blocks) + gap, evaluate=False),
                "By the page on the best encoder the loss depends on the covariance through $\\beta/2$ times the left "
                "side; the trace sees only the blocks of $P$.",
                let=(PRECISION,),
                wrong_form=cost(kept, blocks) - gap,
            ),
            Step(
                square,
                sp.Eq(any_loss - family_loss, missed + beta * cost(kept, blocks) / 2, evaluate=False),
                "A general encoder of the family compared with the proposed one.",
                let=(
                    BEST_GAIN,
                    Let(any_loss, loss_at_level(V, blocks), "the loss of any encoder of the family"),
                    Let(family_loss, loss_at_level(best, kept.I), "the loss of the proposed one"),
                ),
                wrong_form=missed - beta * cost(kept, blocks) / 2,
            ),
            Step(
                "No encoder of the family is better",
                sp.Ge(any_loss, family_loss, evaluate=False),
                "Neither term is negative.",
                uses=(Use(square), *parts),
            ),
            Step(
                "Other blocks are worse",
                sp.Gt(any_loss, family_loss, evaluate=False),
                "The term of the covariance is then positive.",
                where=(sp.Ne(blocks, kept.I, evaluate=False),),
                uses=(Use(square), parts[0], use_product(kept, blocks, times=beta / 2, strict=True)),
            ),
            Step(
                "Another gain is worse",
                sp.Gt(any_loss, family_loss, evaluate=False),
                "The term of the gain is then positive, as $S$ is positive definite.",
                where=(sp.Ne(V - best, sp.ZeroMatrix(K, D), evaluate=False),),
                uses=(Use(square), use_trace(P, V - best, S, times=beta / 2, strict=True), parts[1]),
            ),
            Step(
                "The price of a family",
                sp.Eq(family_loss - full_loss, beta * gap / 2, evaluate=False),
                "The best blocks are $(P \\circ B)^{-1}$: for mean field the inverse of the diagonal of the precision, "
                "not the diagonal of its inverse.",
                let=(Let(full_loss, loss_at_level(best, P.I), "the loss of the best full posterior"),),
                wrong_form=gap / 2,
            ),
            Step(
                "The price is positive",
                sp.Gt(family_loss, full_loss, evaluate=False),
                "It is $\\beta/2$ times the Hadamard gap.",
                where=(sp.Ne(P, kept, evaluate=False),),
                uses=(use_tangent(P, kept, times=beta / 2, strict=True),),
            ),
        ),
        results=("No encoder of the family is better", "The price of a family"),
        sources=(
            Source("sikka2019", "in its setting: conditional independence against dependence of the true posterior"),
            Source("rolinek2019", "the exact linear form of the preference for orthogonal columns"),
        ),
        builds_on=("optimal-encoder", "hadamard-gap", "matrix-inequalities"),
    )

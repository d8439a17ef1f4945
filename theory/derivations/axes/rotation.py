"""Page: rotations of the latents, and their price under a block-diagonal posterior."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import D, K, P, Q, S, V, W, beta, t
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use
from theory.derivations.foundations.elbo_parts import distortion, rate
from theory.derivations.foundations.gibbs_inequality import use_log_tangent
from theory.derivations.foundations.matrix_inequalities import use_product, use_tangent, use_trace
from theory.derivations.inference.optimal_encoder import PRECISION, loss_at_level


def derivation() -> Derivation:
    O, P1, B = (sp.MatrixSymbol(name, K, K) for name in ("O", "P_1", "B"))  # noqa: E741
    gain = sp.MatrixSymbol("V_1", K, D)
    any_loss, family_loss, full_loss, trial_loss = sp.symbols("L L_B L_o L_Q", real=True)
    rotated = (O * V, O * Q * O.T, W * O.T)
    kept, blocks = sp.HadamardProduct(P1, B), sp.HadamardProduct(Q, B)

    def cost(precision, covariance, size=K):
        return sp.Trace(precision * covariance) - size - LogDet(precision) - LogDet(covariance)

    missed = beta * sp.Trace(S * (V - gain).T * P1 * (V - gain)) / 2
    determinant = "The determinant does not change"
    square = "The loss of a rotated decoder as a completed square"
    # Two modes.
    turn, P2 = sp.MatrixSymbol("O_1", 2, 2), sp.MatrixSymbol("P_2", 2, 2)
    p1, p2 = sp.symbols("p_1 p_2", positive=True)
    s, theta = sp.symbols("s theta", real=True)
    x = sp.Function("x")(theta)
    rotation_matrix = sp.ImmutableMatrix([[sp.cos(theta), -sp.sin(theta)], [sp.sin(theta), sp.cos(theta)]])
    modes = sp.ImmutableMatrix([[p1, 0], [0, p2]])
    mixing = (p1 - p2) ** 2 * sp.sin(2 * theta) ** 2 / (4 * p1 * p2)
    diagonal, dropped = (sp.HadamardProduct(matrix, sp.Identity(2)) for matrix in (P2, P2.I))
    again = beta * sp.log(1 + x) / 2
    after_dropping = beta * (2 * x - sp.log(1 + x)) / 2
    return Derivation(
        name="rotation",
        title="Rotations of the latents, and the energy that fixes the axes",
        statement=(
            Claim(
                "With prior $N(0, I)$ the loss does not change under $z \\to O z$, which makes the decoder $W O^T$ and "
                "the encoder $O V, O Q O^T$, if the family of $q$ is closed under it.",
                by=("Distortion does not change", "Rate does not change", "Loss does not change"),
            ),
            Claim(
                "Otherwise the rotated decoder costs $\\beta/2$ times the Hadamard gap of its precision $P_1 = O P "
                "O^T$: by so much the best encoder of a block-diagonal family is worse than a full covariance.",
                by=("The rotated precision", "No encoder of the family is better", "The price of a rotated decoder"),
            ),
            Claim("This price is positive unless $P_1$ is block-diagonal.", by=("The price is positive",)),
            Claim(
                "For a diagonal posterior at an angle $\\theta$ to two modes of precisions $p_1, p_2$ the "
                "gap is $\\log(1 + x)$ with $x = (p_1 - p_2)^2 \\sin^2(2\\theta)/(4 p_1 p_2)$.",
                by=("Two modes at an angle",),
            ),
            Claim(
                "So it costs $(\\beta/2) \\log(1 + x)$.",
                by=(
                    "The price of a rotated decoder",
                    "Two modes at an angle",
                    "Energy if the encoder is optimised again",
                ),
            ),
            Claim(
                "This is positive unless $p_1 = p_2$ or $\\sin(2\\theta) = 0$, at a multiple of 90 degrees.",
                by=("Mixing has a price",),
            ),
            Claim(
                "If only the off-diagonal entries of the covariance $P_1^{-1}$ are dropped, it costs $(\\beta/2) [2 x "
                "- \\log(1 + x)]$.",
                by=("The price of a covariance", "Energy if the off-diagonals are dropped"),
            ),
            Claim("This is at least as much.", by=("Dropping costs at least as much",)),
        ),
        assumptions=(
            "$W$ is the decoder, $V$ the gain and $Q$ the covariance of an encoder, $S$ the covariance of the data, "
            "$\\sigma^2$ the noise variance of the decoder, $t = \\beta \\sigma^2$ the water level, and $P$ the "
            "precision of the best full posterior.",
            "$O$ is orthogonal; the posterior mean is the best one; $B$ is one inside the blocks of the family and "
            "zero outside, with $B = I$ for a diagonal posterior.",
        ),
        scope="The invariance and the price for every $K$, $D$, rotation and partition; the energy for two modes and "
        "every angle.",
        matrices={O: "orthogonal", Q: "positive", S: "positive", P: "positive", P1: "positive", B: "partition"},
        steps=(
            Step(
                "Distortion does not change",
                sp.Eq(distortion(*rotated), distortion(), evaluate=False),
                "The decoder undoes what the encoder does: $W O^T O V = W V$.",
                wrong_form=distortion(V, 2 * Q),
            ),
            Step(
                "Rate does not change",
                sp.Eq(rate(*rotated[:2]), rate(), evaluate=False),
                "Trace and determinant do not change; with a full covariance the loss is flat along all rotations.",
                wrong_form=rate(V, 2 * Q),
            ),
            Step(
                "Loss does not change",
                sp.Eq(loss_at_level(*rotated), loss_at_level(), evaluate=False),
                "It is made of distortion and rate; the noise variance is $\\sigma^2 = t/\\beta$.",
                wrong_form=loss_at_level(V, 2 * Q),
            ),
            Step(
                determinant,
                sp.Eq(LogDet(O * P * O.T), LogDet(P), evaluate=False),
                "The determinant of a rotation is 1 or $-1$.",
                let=(PRECISION,),
                wrong_form=2 * LogDet(P),
            ),
            Step(
                "The rotated precision",
                sp.Eq(sp.Identity(K) + (W * O.T).T * (W * O.T) / t, P1, evaluate=False),
                "The precision of the best full posterior of the decoder $W O^T$.",
                let=(Let(P1, O * P * O.T, "the rotated precision", rule=(O * P * O.T, P1)),),
            ),
            Step(
                square,
                sp.Eq(any_loss - family_loss, missed + beta * cost(kept, blocks) / 2, evaluate=False),
                "As for a decoder that is not rotated: an encoder of the family, of any gain $V$ and covariance "
                "$Q \\circ B$, compared with the proposed one.",
                let=(
                    Let(gain, P1.I * (W * O.T).T / t, "the best gain of the rotated decoder"),
                    Let(any_loss, loss_at_level(V, blocks, W * O.T), "the loss of any encoder of the family"),
                    Let(family_loss, loss_at_level(gain, kept.I, W * O.T), "the loss of the proposed one"),
                ),
                wrong_form=missed - beta * cost(kept, blocks) / 2,
            ),
            Step(
                "No encoder of the family is better",
                sp.Ge(any_loss, family_loss, evaluate=False),
                "Neither term is negative.",
                uses=(
                    Use(square),
                    use_trace(P1, V - gain, S, times=beta / 2),
                    use_product(kept, blocks, times=beta / 2),
                ),
            ),
            Step(
                "The price of a covariance",
                sp.Eq(trial_loss - full_loss, beta * cost(P1, Q) / 2, evaluate=False),
                "For the best gain and any covariance $Q$. The full posterior of the rotated decoder is as good as that"
                " of $W$, by the third step.",
                let=(
                    Let(trial_loss, loss_at_level(gain, Q, W * O.T), "the loss with the covariance $Q$"),
                    Let(full_loss, loss_at_level(gain, O * P.I * O.T, W * O.T), "the loss of the best full posterior"),
                ),
                wrong_form=cost(P1, Q) / 2,
                uses=(Use(determinant, times=beta / 2),),
            ),
            Step(
                "The price of a rotated decoder",
                sp.Eq(family_loss - full_loss, beta * (LogDet(kept) - LogDet(P1)) / 2, evaluate=False),
                "With $Q = (P_1 \\circ B)^{-1}$, the best of the family, the trace is $K$.",
                wrong_form=(LogDet(kept) - LogDet(P1)) / 2,
                uses=(Use(determinant, times=beta / 2),),
            ),
            Step(
                "The price is positive",
                sp.Gt(family_loss, full_loss, evaluate=False),
                "The Hadamard gap is positive if $P_1$ has entries outside the blocks.",
                where=(sp.Ne(P1, kept, evaluate=False),),
                uses=(use_tangent(P1, kept, times=beta / 2, strict=True), Use(determinant, times=beta / 2)),
            ),
            Step(
                "Two modes at an angle",
                sp.Eq(LogDet(diagonal) - LogDet(P2), sp.log(1 + x), evaluate=False),
                "The Hadamard gap of the precision $P_2$ for $K = 2$; its two diagonal entries have the product $p_1 "
                "p_2 (1 + x)$.",
                let=(
                    Let(turn, rotation_matrix, "the rotation"),
                    Let(P2, turn * modes * turn.T, "the rotated precision of two modes"),
                    Let(x, mixing, "the mixing of the modes"),
                ),
                sizes=({K: 2},),
            ),
            Step(
                "Energy if the encoder is optimised again",
                sp.Eq(
                    beta * (sp.Trace(P2 * diagonal.I) - 2 - LogDet(P2) + LogDet(diagonal)) / 2, again, evaluate=False
                ),
                "The price of the covariance $Q = (P_2 \\circ I)^{-1}$.",
                sizes=({K: 2},),
            ),
            Step(
                "Mixing has a price",
                sp.Gt(sp.log(1 + (p1 - p2) ** 2 * s**2 / (4 * p1 * p2)), 0, evaluate=False),
                "The gap with $s = \\sin(2\\theta)$: then $x$ is positive.",
                where=(sp.Ne(p1, p2), sp.Ne(s, 0)),
            ),
            Step(
                "Energy if the off-diagonals are dropped",
                sp.Eq(beta * cost(P2, dropped, 2) / 2, after_dropping, evaluate=False),
                "Here $Q$ is the diagonal of $P_2^{-1}$ in place of the inverse of the diagonal of $P_2$: "
                "$tr(P_2 Q) = 2 (1 + x)$ and $\\log\\det Q = \\log(1 + x) - \\log\\det P_2$.",
                sizes=({K: 2},),
            ),
            Step(
                "Dropping costs at least as much",
                sp.Ge(after_dropping, again, evaluate=False),
                "The logarithm lies below its tangent: $\\log(1 + x) \\le x$.",
                uses=(use_log_tangent(1 + x, times=beta),),
            ),
        ),
        results=(
            "The price of a rotated decoder",
            "Energy if the encoder is optimised again",
            "Energy if the off-diagonals are dropped",
        ),
        sources=(
            Source("mathieu2019", "its Theorem 2, in the linear-Gaussian setting"),
            Source("rolinek2019", "the exact linear form of its argument"),
        ),
        builds_on=("posterior-families", "elbo-parts", "gibbs-inequality", "matrix-inequalities", "hadamard-gap"),
    )

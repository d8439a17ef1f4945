"""Page: rotations of the latents, and their energy under a diagonal posterior."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K, Q, S, V, W, beta
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.foundations.elbo_parts import distortion, rate


def derivation() -> Derivation:
    R = sp.MatrixSymbol("R", K, K)
    U, M, B = sp.MatrixSymbol("U", 2, 2), sp.MatrixSymbol("M", 2, 2), sp.MatrixSymbol("B", 2, 2)
    p1, p2, y = sp.symbols("p_1 p_2 y", positive=True)
    theta = sp.Symbol("theta", real=True)
    x = sp.Function("x")(theta)
    rotation_matrix = sp.ImmutableMatrix([[sp.cos(theta), -sp.sin(theta)], [sp.sin(theta), sp.cos(theta)]])
    modes = sp.ImmutableMatrix([[p1, 0], [0, p2]])
    kept, dropped = sp.HadamardProduct(M, B), sp.HadamardProduct(M.I, B)
    mixing = (p1 - p2) ** 2 * sp.sin(2 * theta) ** 2 / (4 * p1 * p2)
    rotated = (R * V, R * Q * R.T, W * R.T)
    return Derivation(
        name="rotation",
        title="Rotations of the latents, and the energy that fixes the axes",
        statement=(
            Claim(
                "With prior $N(0, I)$ the loss does not change under $z \\to R z$ if the family of $q$ is "
                "closed under it.",
                by=(
                    "Distortion does not change",
                    "Rate does not change",
                ),
            ),
            Claim(
                "Otherwise the rotated decoder costs $\\beta/2$ times the Hadamard gap of its precision.",
                by=(
                    "Two modes at an angle",
                    "Energy if the encoder is optimised again",
                ),
                argued=True,
            ),
            Claim(
                "For a diagonal posterior at an angle $\\theta$ to two modes of precisions $p_1, p_2$ the "
                "gap is $\\log(1 + x)$ with $x = (p_1 - p_2)^2 \\sin^2(2\\theta)/(4 p_1 p_2)$.",
                by=("Two modes at an angle",),
            ),
            Claim(
                "So it costs $(\\beta/2) \\log(1 + x)$.",
                by=("Energy if the encoder is optimised again",),
                argued=True,
            ),
            Claim(
                "If only the off-diagonal entries of the covariance are dropped, it costs $(\\beta/2) [2 x "
                "- \\log(1 + x)]$.",
                by=("Energy if the off-diagonals are dropped",),
                argued=True,
            ),
        ),
        assumptions=(
            "$R$ is orthogonal; for the energy the decoder is rotated and the posterior mean is the best one.",
        ),
        scope="The invariance for every $K$ and $D$; the energy for two modes and every angle.",
        matrices={R: "orthogonal", Q: "positive", S: "positive"},
        steps=(
            Step(
                "Distortion does not change",
                sp.Eq(distortion(*rotated), distortion(), evaluate=False),
                "The decoder undoes what the encoder does: $W R^T R V = W V$.",
                wrong_form=distortion(V, 2 * Q),
            ),
            Step(
                "Rate does not change",
                sp.Eq(rate(*rotated[:2]), rate(), evaluate=False),
                "Trace and determinant do not change; with a full covariance the loss is flat along all rotations.",
                wrong_form=rate(V, 2 * Q),
            ),
            Step(
                "Two modes at an angle",
                sp.Eq(LogDet(kept) - LogDet(M), sp.log(1 + x), evaluate=False),
                "The Hadamard gap of the rotated precision; $M_{11} M_{22} = p_1 p_2 (1 + x)$.",
                let=(
                    Let(U, rotation_matrix, "the rotation"),
                    Let(M, U * modes * U.T, "the rotated precision"),
                    Let(B, sp.ImmutableMatrix(sp.eye(2)), "the diagonal family"),
                    Let(x, mixing, "the mixing of the modes"),
                ),
                sizes=({K: 2},),
            ),
            Step(
                "Energy if the encoder is optimised again",
                sp.Eq(
                    beta * (sp.Trace(M * kept.I) - 2 - LogDet(M) + LogDet(kept)) / 2,
                    beta * sp.log(1 + x) / 2,
                    evaluate=False,
                ),
                "By the page on families the price is $\\beta/2$ times the gap: zero only at multiples of 90 degrees, "
                "or if $p_1 = p_2$.",
                sizes=({K: 2},),
            ),
            Step(
                "Energy if the off-diagonals are dropped",
                sp.Eq(
                    beta * (sp.Trace(M * dropped) - 2 - LogDet(M) - LogDet(dropped)) / 2,
                    beta * (2 * x - sp.log(1 + x)) / 2,
                    evaluate=False,
                ),
                "Here $Q$ is the diagonal of $M^{-1}$ in place of the inverse of the diagonal of $M$: "
                "$tr(M Q) = 2 (1 + x)$ and $\\log\\det Q = \\log(1 + x) - \\log\\det M$.",
                sizes=({K: 2},),
            ),
            Step(
                "Dropping costs at least as much",
                sp.Eq(
                    sp.Derivative(beta * (2 * y - sp.log(1 + y)) / 2 - beta * sp.log(1 + y) / 2, y),
                    beta * y / (1 + y),
                    evaluate=False,
                ),
                "The difference of the two energies is zero without mixing and rises with the mixing; $y$ stands for "
                "$x$.",
            ),
        ),
        results=("Energy if the encoder is optimised again", "Energy if the off-diagonals are dropped"),
        sources=(
            Source("mathieu2019", "its Theorem 2, in the linear-Gaussian setting"),
            Source("rolinek2019", "the exact linear form of its argument"),
        ),
        builds_on=("posterior-families", "elbo-parts"),
    )

"""Page: the grouped objective as a sum of log determinants, and its stationary points for a fixed decoder."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, K, Q, sigma
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    blocks, diagonal = sp.MatrixSymbol("C_b", K, K), sp.MatrixSymbol("C_d", K, K)
    info, across, inside, single = sp.symbols("w_I w_B w_W w_D", positive=True)
    parts = (
        info * (LogDet(C) - LogDet(Q)) / 2
        + across * (LogDet(blocks) - LogDet(C)) / 2
        + inside * (LogDet(diagonal) - LogDet(blocks)) / 2
        + single * (sp.Trace(C) - K - LogDet(diagonal)) / 2
    )
    collected = (
        (info - across) * LogDet(C)
        + (across - inside) * LogDet(blocks)
        + (inside - single) * LogDet(diagonal)
        + single * (sp.Trace(C) - K)
        - info * LogDet(Q)
    ) / 2
    # A direction in which the code of two latents changes, and one latent on its own.
    a, x, y, z = sp.symbols("a x y z", real=True)
    e = sp.Symbol("e", real=True)
    p, q = sp.symbols("p q", positive=True)
    base = sp.ImmutableMatrix([[p**2, p * a], [p * a, a**2 + q**2]])
    change = sp.ImmutableMatrix([[x, y], [y, z]])
    v, variance, weight = sp.symbols("v h u", positive=True)
    signal = sp.Symbol("s", positive=True)
    latent, H = sp.Function("L")(v, variance), sp.Function("H")(v, variance)
    code = v**2 * signal + variance
    total = (
        (weight**2 * code - 2 * weight * v * signal) / (2 * sigma**2)
        + (info - single) * sp.log(code) / 2
        + single * code / 2
        - info * sp.log(variance) / 2
    )
    c, u, noise = sp.symbols("c u h", positive=True)
    seen, unseen = sp.symbols("s r", positive=True)
    shared = c**2 * seen - u**2 * unseen
    own = c**2 * seen + u**2 * unseen + noise
    pair = sp.ImmutableMatrix([[own, shared], [shared, own]])
    return Derivation(
        name="grouped-objective",
        title="The grouped objective and its stationary points",
        statement=(
            Claim(
                "With weights $w_I$, $w_B$, $w_W$, $w_D$ on information, total correlation between and "
                "within groups and dimension-wise divergence, the objective apart from the reconstruction "
                "is a sum of log determinants of $C$, its blocks $C_b$, its diagonal $C_d$ and $Q$, and "
                "of the trace of $C$.",
                by=("Collected by determinants",),
            ),
            Claim(
                "For a fixed decoder it is stationary where $H V S = W^T S/\\sigma^2$ and $Q = w_I H^{-1}$ "
                "block by block, $H = W^T W/\\sigma^2 + (w_I - w_B) C^{-1} + (w_B - w_W) C_b^{-1} + (w_W - "
                "w_D) C_d^{-1} + w_D I$.",
                by=(
                    "Collected by determinants",
                    "Slope of a log determinant",
                    "Slope in the gain",
                    "Slope in the posterior variance",
                ),
                argued=True,
            ),
        ),
        assumptions=("Prior $N(0, I)$; Gaussian codes of covariance $C = V S V^T + Q$.",),
        scope=(
            "The collection for every partition; the slope of a log determinant for two "
            "latents; the two conditions for one latent of weight $u$ and gain $v$ on data of variance $s$. The tests "
            "check the implementation for all sizes by complex steps. Only the part of the data in the range of the "
            "decoder matters if $W^T S W$ is positive definite, as $V S$ is then determined by the first condition; "
            "the last step shows why this may fail otherwise."
        ),
        matrices=dict.fromkeys((C, Q, blocks, diagonal), "positive"),
        steps=(
            Step(
                "Collected by determinants",
                sp.Eq(parts, collected, evaluate=False),
                "Each log determinant occurs in two neighbouring parts, and its weight is the difference of their "
                "weights. Nothing else is used of the blocks $C_b$ and the diagonal $C_d$, so it holds for every "
                "partition.",
            ),
            Step(
                "Slope of a log determinant",
                sp.Eq(
                    sp.Subs(sp.Derivative(sp.log((base + e * change).det()), e), e, 0),
                    sp.Trace(base.inv() * change),
                    evaluate=False,
                ),
                "So $C^{-1}$, its counterparts of blocks and diagonal, and $I$ add up, each with its weight, to $H$.",
            ),
            Step(
                "Slope in the gain",
                sp.Eq(sp.Derivative(latent, v), (H * v - weight / sigma**2) * signal, evaluate=False),
                "Zero is the first condition.",
                let=(
                    Let(H, weight**2 / sigma**2 + (info - single) / code + single, "the matrix $H$ of one latent"),
                    Let(latent, total, "the part of the objective that depends on the encoder"),
                ),
            ),
            Step(
                "Slope in the posterior variance",
                sp.Eq(sp.Derivative(latent, variance), (H - info / variance) / 2, evaluate=False),
                "Zero is the second condition: the posterior precision is $H/w_I$.",
            ),
            Step(
                "Data outside the range of the decoder",
                sp.Eq(LogDet(pair), sp.log((2 * c**2 * seen + noise) * (2 * u**2 * unseen + noise)), evaluate=False),
                "Take a decoder with two equal columns, and latents with gain $c$ on a direction of the data of "
                "variance $s$ in its range and gains $u$ and $-u$ on one of variance $r$ outside. The decoder adds the "
                "two latents, so that $u$ changes no distortion; but with $u^2 r = c^2 s$ they are uncorrelated. A "
                "large weight on total correlation outweighs the cost of the additional information, $\\log(1 + 2 u^2 "
                "r/h)/2$.",
                wrong_form=sp.log((2 * c**2 * seen + noise) * (u**2 * unseen + noise)),
            ),
        ),
        results=("Collected by determinants",),
        sources=(
            Source(
                "chen2022",
                "groups of latents are its subject; its exact objective was not consulted, this one is this project's",
            ),
        ),
        builds_on=("elbo-parts", "total-correlation"),
    )

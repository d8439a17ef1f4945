"""Page: the grouped objective as a sum of log determinants, and its stationary points for a fixed decoder."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, D, K, Q, S, V, W, sigma
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.foundations.elbo_parts import AGGREGATE, distortion
from theory.derivations.foundations.matrix_inequalities import use_trace

__all__ = ["derivation"]

B = sp.MatrixSymbol("B", K, K)
info, across, inside, single = sp.Symbol("w_I", positive=True), *sp.symbols("w_B w_W w_D", real=True)


def grouped_parts(code=C, posterior=Q) -> sp.Expr:
    """The weighted sum of information, total correlation between and within groups, and divergences of latents."""
    blocks, diagonal = sp.HadamardProduct(code, B), sp.HadamardProduct(code, sp.Identity(K))
    return (
        info * (LogDet(code) - LogDet(posterior)) / 2
        + across * (LogDet(blocks) - LogDet(code)) / 2
        + inside * (LogDet(diagonal) - LogDet(blocks)) / 2
        + single * (sp.Trace(code) - K - LogDet(diagonal)) / 2
    )


def derivation() -> Derivation:
    family, H = sp.MatrixSymbol("B_Q", K, K), sp.MatrixSymbol("H", K, K)
    X, M, change, Y, Z = sp.MatrixSymbol("X", K, D), *(sp.MatrixSymbol(name, K, K) for name in ("M", "M_o", "Y", "Z"))
    e, F, stationary = sp.Symbol("e", real=True), sp.MatrixSymbol("F", K, K), sp.MatrixSymbol("V_1", K, D)
    blocks, diagonal = sp.HadamardProduct(C, B), sp.HadamardProduct(C, sp.Identity(K))
    collected = (
        (info - across) * LogDet(C)
        + (across - inside) * LogDet(blocks)
        + (inside - single) * LogDet(diagonal)
        + single * (sp.Trace(C) - K)
        - info * LogDet(Q)
    ) / 2
    mixed = (
        W.T * W / sigma**2
        + (info - across) * C.I
        + (across - inside) * blocks.I
        + (inside - single) * diagonal.I
        + single * sp.Identity(K)
    )

    def objective(encoder, posterior):
        return distortion(encoder, posterior) / (2 * sigma**2) + grouped_parts(
            encoder * S * encoder.T + posterior, posterior
        )

    by_gain, by_spread = sp.Function("L_V")(e), sp.Function("L_Q")(e)
    changed_gain = Let(by_gain, objective(V + e * X, Q), "what depends on the gain, changed by $e X$")
    changed_spread = Let(by_spread, objective(V, Q + e * Y - e * Z), "the same with a changed posterior covariance")

    def slope(function):
        return sp.Subs(sp.Derivative(function, e), e, 0)

    def in_family(matrix):
        return sp.HadamardProduct(matrix, family)

    gain_excess = H * V * S - W.T * S / sigma**2
    # Two latents with equal columns in the decoder: what they see in its range, and what they see outside.
    c, u, noise, seen, unseen = sp.symbols("c u h v_1 v_2", positive=True)
    shared, own = c**2 * seen - u**2 * unseen, c**2 * seen + u**2 * unseen + noise
    pair, sum_of_latents = sp.MatrixSymbol("C_2", 2, 2), sp.ImmutableMatrix([[1, 1]])
    of_pair = Let(pair, sp.ImmutableMatrix([[own, shared], [shared, own]]), "the covariance of the two latents")
    return Derivation(
        name="grouped-objective",
        title="The grouped objective and its stationary points",
        statement=(
            Claim(
                "With weights $w_I$, $w_B$, $w_W$, $w_D$ on information, total correlation between and within groups "
                "and dimension-wise divergence, the objective apart from the reconstruction is a sum of log "
                "determinants of $C$, its blocks $C \\circ B$, its diagonal $C \\circ I$ and $Q$, and of the trace of "
                "$C$.",
                by=("Collected by determinants",),
            ),
            Claim(
                "For a fixed decoder its slope along a change $X$ of the gain is $tr((H V S - W^T S/\\sigma^2) X^T)$, "
                "with $H = W^T W/\\sigma^2 + (w_I - w_B) C^{-1} + (w_B - w_W) (C \\circ B)^{-1} + (w_W - w_D) (C "
                "\\circ I)^{-1} + w_D I$.",
                by=("Slope in the gain",),
            ),
            Claim(
                "Along a symmetric change of the posterior covariance, $Y - Z$, the slope is $tr((H - w_I Q^{-1}) (Y "
                "- Z))/2$. With $M = H - w_I Q^{-1}$ and $B_Q$ the blocks of the family of posteriors, it is $tr((M "
                "\\circ B_Q) M_o)/2$ along a change $M_o \\circ B_Q$ inside the family.",
                by=("Slope in the posterior covariance", "A change inside the family"),
            ),
            Claim(
                "So the objective is stationary in the gain where $H V S = W^T S/\\sigma^2$, and nowhere else: the "
                "slope along $X = H V S - W^T S/\\sigma^2$ is $tr(X X^T)$, which is positive unless $X = 0$.",
                by=("Slope in the gain", "matrix-inequalities: A trace is positive"),
            ),
            Claim(
                "Inside the family it is stationary in the posterior covariance where $M \\circ B_Q = 0$, and nowhere "
                "else. As the inverse of a block-diagonal $Q$ is block-diagonal, this is $Q^{-1} = (H \\circ "
                "B_Q)/w_I$: each block of $Q$ is $w_I$ times the inverse of that of $H$.",
                by=(
                    "A change inside the family",
                    "Elsewhere the covariance is not stationary",
                    "The inverse of a block-diagonal matrix",
                ),
            ),
            Claim(
                "If $W^T S W$ is invertible so is $H$ at such a point, since $\\sigma^2 H V S W = W^T S W$. Then $V S "
                "= H^{-1} W^T S/\\sigma^2$ and $V S V^T = H^{-1} W^T S W H^{-1}/\\sigma^4$: only the data in the "
                "range of the decoder matter.",
                by=("Slope in the gain", "What the code sees of the data"),
            ),
            Claim(
                "Data outside the range of the decoder may matter otherwise. Let two latents of noise $h$ have equal "
                "columns in the decoder, equal gains $c$ on a direction of variance $v_1$ in its range, and gains $u$ "
                "and $-u$ on one of variance $v_2$ outside. Then $u$ does not change the variance of their sum, the "
                "only quantity that is decoded.",
                by=("The sum of two latents",),
            ),
            Claim(
                "But it adds the information $\\log(1 + 2 u^2 v_2/h)/2$, and at $u^2 v_2 = c^2 v_1$ it removes their "
                "total correlation.",
                by=("Data outside the range of the decoder", "Latents without correlation"),
            ),
            Claim(
                "Without $u$ their total correlation is $\\log(1 + c^4 v_1^2/[h (h + 2 c^2 v_1)])/2 > 0$, so that a "
                "large enough weight on it outweighs what $u$ adds to the other parts.",
                by=("Their total correlation without outer data", "Latents without correlation"),
            ),
        ),
        assumptions=(
            "Prior $N(0, I)$; Gaussian codes of covariance $C = V S V^T + Q$. The partition $B$ has the groups of the "
            "objective, the partition $B_Q$ the blocks of the posterior covariance.",
        ),
        scope=(
            "For every $K$ and $D$, every grouping and every family of block-diagonal posteriors; the last steps for "
            "two latents."
        ),
        matrices=dict.fromkeys((C, Q, S, Y, Z), "positive")
        | {B: "partition", family: "partition", M: "symmetric", change: "symmetric", F: "invertible"},
        steps=(
            Step(
                "Collected by determinants",
                sp.Eq(grouped_parts(), collected, evaluate=False),
                "Each log determinant occurs in two neighbouring parts, and its weight is the difference of their "
                "weights.",
                let=(AGGREGATE,),
            ),
            Step(
                "Slope in the gain",
                sp.Eq(slope(by_gain), sp.Trace(gain_excess * X.T), evaluate=False),
                "The slope of a log determinant is $tr(C^{-1} X S V^T)$ twice, and that of the blocks is the trace "
                "with $(C \\circ B)^{-1}$: the traces with $C^{-1}$, its counterparts and $I$ add up to one with $H$.",
                let=(changed_gain, Let(H, mixed, "the sum of the inverses with their weights")),
                wrong_form=sp.Trace((H * V * S + W.T * S / sigma**2) * X.T),
            ),
            Step(
                "What the code sees of the data",
                sp.Eq(stationary * S * stationary.T, F.I * W.T * S * W * F.T.I / sigma**4, evaluate=False),
                "Here $F$ stands for $H$, which is symmetric, and $V_1$ for the gain.",
                wrong_form=F.I * W.T * S * W * F.T.I / sigma**2,
                let=(
                    Let(
                        stationary,
                        F.I * W.T / sigma**2,
                        "a stationary gain",
                        rule=(stationary * S, F.I * W.T * S / sigma**2),
                        hypothesis=True,
                    ),
                ),
            ),
            Step(
                "Slope in the posterior covariance",
                sp.Eq(slope(by_spread), sp.Trace((H - info * Q.I) * (Y - Z)) / 2, evaluate=False),
                "The covariance of the code changes by $Y - Z$; every symmetric matrix is a difference of two "
                "positive definite ones.",
                let=(changed_spread,),
                wrong_form=sp.Trace((H + info * Q.I) * (Y - Z)) / 2,
            ),
            Step(
                "A change inside the family",
                sp.Eq(sp.Trace(M * in_family(change)), sp.Trace(in_family(M) * change), evaluate=False),
                "A trace with a block-diagonal matrix sees only the blocks of the other. Take $M = H - w_I Q^{-1}$.",
                wrong_form=sp.Trace(M * change),
            ),
            Step(
                "Elsewhere the covariance is not stationary",
                sp.Gt(sp.Trace(in_family(M) * in_family(M)), 0, evaluate=False),
                "For $M_o = M \\circ B_Q$ it is the sum of the squares of the entries of $M \\circ B_Q$.",
                where=(sp.Ne(in_family(M), sp.ZeroMatrix(K, K), evaluate=False),),
                uses=(use_trace(sp.Identity(K), in_family(M), sp.Identity(K), strict=True),),
            ),
            Step(
                "The inverse of a block-diagonal matrix",
                sp.Eq(in_family(in_family(Q).I), in_family(Q).I, evaluate=False),
                "The inverse of a block-diagonal matrix has the inverses of its blocks.",
                wrong_form=in_family(Q.I),
            ),
            Step(
                "The sum of two latents",
                sp.Eq(sp.Trace(sum_of_latents * pair * sum_of_latents.T), 4 * c**2 * seen + 2 * noise, evaluate=False),
                "The gains $u$ and $-u$ cancel in the variance of the sum.",
                let=(of_pair,),
                wrong_form=4 * c**2 * seen + 4 * u**2 * unseen + 2 * noise,
            ),
            Step(
                "Data outside the range of the decoder",
                sp.Eq(
                    (LogDet(pair) - 2 * sp.log(noise)) / 2,
                    sp.log(1 + 2 * c**2 * seen / noise) / 2 + sp.log(1 + 2 * u**2 * unseen / noise) / 2,
                    evaluate=False,
                ),
                "The information of the two latents, of which the term with $u$ is zero at $u = 0$.",
                wrong_form=sp.log(1 + 2 * c**2 * seen / noise) / 2 + sp.log(1 + u**2 * unseen / noise) / 2,
            ),
            Step(
                "Latents without correlation",
                sp.Eq(sp.Subs(shared, unseen, c**2 * seen / u**2), 0, evaluate=False),
                "Their covariance is $c^2 v_1 - u^2 v_2$.",
                wrong_form=c**2 * seen,
            ),
            Step(
                "Their total correlation without outer data",
                sp.Eq(
                    sp.log(own.subs(u, 0)) - LogDet(of_pair.value.subs(u, 0)) / 2,
                    sp.log(1 + c**4 * seen**2 / (noise * (noise + 2 * c**2 * seen))) / 2,
                    evaluate=False,
                ),
                "At $u = 0$ their variances are $c^2 v_1 + h$ and their covariance is $c^2 v_1$.",
            ),
        ),
        results=("Collected by determinants", "Slope in the gain", "Slope in the posterior covariance"),
        sources=(
            Source(
                "chen2022",
                "groups of latents are its subject; its exact objective was not consulted, this one is this project's",
            ),
            Source("chen2025", "the same subject; its exact objective was not consulted either"),
        ),
        builds_on=("elbo-parts", "total-correlation", "matrix-inequalities"),
    )

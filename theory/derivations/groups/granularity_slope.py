"""Page: whether a small penalty between groups improves the inference."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import A, C, D, K, P, S, V, W, sigma
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.foundations.matrix_inequalities import use_trace


def derivation() -> Derivation:
    L, factors = sp.MatrixSymbol("L", K, K), sp.MatrixSymbol("Gamma", K, K)
    B, error = sp.MatrixSymbol("B", K, K), sp.MatrixSymbol("F", K, D)
    penalised, other = sp.MatrixSymbol("V_w", K, D), sp.MatrixSymbol("X", K, D)
    bayes, right = sp.MatrixSymbol("V_o", K, D), sp.MatrixSymbol("P_o", K, K)
    e = sp.Symbol("e", real=True)
    blocks, one = sp.HadamardProduct(C, B), sp.Identity(K)
    penalty = blocks.I - C.I

    def squared_error(encoder):
        return sp.Trace(factors) - 2 * sp.Trace(encoder * A * factors) + sp.Trace(encoder * S * encoder.T)

    def true_error(encoder):
        return K - 2 * sp.Trace(encoder * A) + sp.Trace(encoder * true_data * encoder.T)

    def slope(encoder):
        return -2 * sp.Trace(P.I * L * encoder * error.T)

    true_data = A * A.T + sigma**2 * sp.Identity(D)
    bend = sp.Trace(P.I * L * penalised * S * penalised.T * L * P.I)
    return Derivation(
        name="granularity-slope",
        title="Whether a small penalty between groups improves the inference",
        statement=(
            Claim(
                "With weight $w = 1 + e$ on total correlation between groups and weight 1 on all other parts, the "
                "matrix $H$ of the page on the grouped objective is $H = P + e [(C \\circ B)^{-1} - C^{-1}]$, with $P "
                "= I + W^T W/\\sigma^2$.",
                by=("The penalty in the stationary condition",),
            ),
            Claim(
                "With a fixed decoder let $V_w$ be the stationary encoder at weight $w$, $V$ that at weight 1, and $L "
                "= (C \\circ B)^{-1} - C^{-1}$ at weight $w$. The mean squared error of the inferred factors at "
                "weight $w$ exceeds that at weight 1 by $(w - 1) [-2 tr(P^{-1} L V_w F^T) + (w - 1) tr(P^{-1} L V_w S "
                "V_w^T L P^{-1})]$, with $F = V S - \\Gamma A^T$.",
                by=("inference-error: The weighted error of any gain", "Change of the encoder", "Change of the error"),
            ),
            Claim(
                "So at $w = 1$, where $V_w$ and $L$ are continuous, its slope is $-2 tr(P^{-1} L V F^T)$, with $L$ at "
                "weight 1: that of the error as the encoder moves along $-P^{-1} L V$.",
                by=("Change of the error", "Slope"),
            ),
            Claim(
                "If decoder and noise are those of the truth and the factors are those of the prior, $F = 0$.",
                by=("No slope if the model is true",),
            ),
            Claim(
                "Then no encoder, so no grouping and no weight, has a smaller error than the one at weight 1.",
                by=("No encoder is better if the model is true",),
            ),
        ),
        assumptions=(
            "The truth is $x = A s + n$, $s \\sim N(0, \\Gamma)$, and $V x$ is the inference of the factors $s$.",
            "The encoder is stationary, $H V S = W^T S/\\sigma^2$, where $S$ is positive definite: $H V = "
            "W^T/\\sigma^2$. As $e$ tends to 0, $V_w$ and $L$ tend to their values at weight 1.",
        ),
        scope="For every $K$ and $D$, decoder, covariance of the factors, grouping, and family of $Q$.",
        matrices=dict.fromkeys((C, P, right, S, factors), "positive") | {L: "symmetric", B: "partition"},
        steps=(
            Step(
                "Slope",
                sp.Eq(sp.Subs(sp.Derivative(squared_error(V - e * P.I * L * V), e), e, 0), slope(V), evaluate=False),
                "The squared error is $tr \\Gamma - 2 tr(V A\\Gamma) + tr(V S V^T)$; $F$ is the covariance of the "
                "error with the data.",
                let=(
                    Let(V, P.I * W.T / sigma**2, "the encoder at weight 1"),
                    Let(error, V * S - factors * A.T, "the covariance of the error with the data"),
                ),
                wrong_form=2 * sp.Trace(P.I * L * V * error.T),
            ),
            Step(
                "The penalty in the stationary condition",
                sp.Eq(
                    W.T * W / sigma**2 + (1 - (1 + e)) * C.I + ((1 + e) - 1) * blocks.I + one,
                    one + W.T * W / sigma**2 + e * penalty,
                    evaluate=False,
                ),
                "The left side is $H$ with the weights $w_I = 1$, $w_B = 1 + e$, $w_W = 1$ and $w_D = 1$.",
                wrong_form=one + W.T * W / sigma**2 - e * penalty,
            ),
            Step(
                "Change of the encoder",
                sp.Eq(penalised - V, -e * P.I * L * penalised, evaluate=False),
                "Multiply the condition for $V_w$ by $P^{-1}$.",
                let=(
                    Let(
                        penalised,
                        (P + e * L).I * W.T / sigma**2,
                        "the encoder at weight $w$",
                        rule=(W.T, sigma**2 * (P + e * L) * penalised),
                        hypothesis=True,
                    ),
                ),
                wrong_form=e * P.I * L * penalised,
            ),
            Step(
                "Change of the error",
                sp.Eq(
                    squared_error(penalised) - squared_error(V),
                    e * (slope(penalised) + e * bend),
                    evaluate=False,
                ),
                "Insert the change of the encoder: twice its product with $F$, and its square.",
                wrong_form=e * (slope(penalised) - e * bend),
            ),
            Step(
                "No slope if the model is true",
                sp.Eq(bayes * true_data - A.T, sp.ZeroMatrix(K, D), evaluate=False),
                "With $W = A$, $\\Gamma = I$ and $S = A A^T + \\sigma^2 I$ the error of the inferred factors is "
                "uncorrelated with the data: they are the posterior mean.",
                let=(
                    Let(
                        right,
                        one + A.T * A / sigma**2,
                        "the precision of the true model",
                        rule=(A.T * A, sigma**2 * (right - one)),
                    ),
                    Let(bayes, right.I * A.T / sigma**2, "the encoder of the true model"),
                ),
                wrong_form=A.T,
            ),
            Step(
                "No encoder is better if the model is true",
                sp.Ge(true_error(other), true_error(bayes), evaluate=False),
                "For the gain $X$ of any encoder the errors with $\\Gamma = I$ differ by $tr((X - V_o) S (X - "
                "V_o)^T)$.",
                uses=(
                    use_trace(one, other - bayes, sp.Identity(D), times=sigma**2),
                    use_trace(one, (other - bayes) * A, one),
                ),
            ),
        ),
        results=("Slope", "Change of the error"),
        sources=(
            Source("chen2022", "the subject; the result is this project's"),
            Source("chen2025", "the subject; the result is this project's"),
        ),
        builds_on=("grouped-objective", "inference-error", "matrix-inequalities"),
    )

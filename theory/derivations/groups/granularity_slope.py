"""Page: whether a small penalty between groups improves the inference."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import A, D, K, P, S, V, W, sigma
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    N, factors = sp.MatrixSymbol("N", K, K), sp.MatrixSymbol("Gamma", K, K)
    moved, error = sp.MatrixSymbol("V_1", K, D), sp.MatrixSymbol("R", K, D)
    bayes, right = sp.MatrixSymbol("V_o", K, D), sp.MatrixSymbol("P_o", K, K)
    e = sp.Symbol("e", real=True)

    def squared_error(encoder):
        return sp.Trace(factors) - 2 * sp.Trace(encoder * A * factors) + sp.Trace(encoder * S * encoder.T)

    linear = 2 * e * sp.Trace(moved * error.T)
    return Derivation(
        name="granularity-slope",
        title="Whether a small penalty between groups improves the inference",
        statement=(
            Claim(
                "With the decoder fixed and weight $w$ on total correlation between groups the mean "
                "squared error of the inferred factors has at $w = 1$ the slope $-2 tr(P^{-1} N V R^T)$, "
                "$R = V S - \\Gamma A^T$, $N = blockdiag(C_{gg}^{-1}) - C^{-1}$.",
                by=(
                    "Change of the encoder",
                    "Change of the error",
                    "Slope",
                ),
                argued=True,
            ),
            Claim(
                "If the true model is fixed and the factors are those of the prior, $R = 0$.",
                by=("No slope if the model is true",),
            ),
            Claim(
                "No grouping then lowers the error.",
                by=("No slope if the model is true",),
                argued=True,
            ),
        ),
        assumptions=(
            "The weights of all other parts are 1; the encoder is the stationary one, $H V S = W^T S/\\sigma^2$ with "
            "$H = P + (w - 1) N$ and $P = I + W^T W/\\sigma^2$, as the page on the grouped objective has it.",
            "$e = w - 1$; $N$ is taken at $w = 1$, since its change is of the order $e$.",
        ),
        scope="For every $K$ and $D$, decoder, covariance of the factors, and family of $Q$.",
        matrices={P: "positive", right: "positive", S: "positive", N: "symmetric", factors: "positive"},
        steps=(
            Step(
                "Change of the encoder",
                sp.Eq(
                    (P + e * N) * (V + e * moved),
                    W.T / sigma**2 + e**2 * N * moved,
                    evaluate=False,
                ),
                "So $V + e V_1$ solves the stationarity condition up to the order $e^2$.",
                let=(
                    Let(V, P.I * W.T / sigma**2, "the plain VAE's encoder"),
                    Let(moved, -P.I * N * V, "the slope of the encoder"),
                ),
                wrong_form=W.T / sigma**2 - e**2 * N * moved,
            ),
            Step(
                "Change of the error",
                sp.Eq(
                    squared_error(V + e * moved) - squared_error(V),
                    linear + e**2 * sp.Trace(moved * S * moved.T),
                    evaluate=False,
                ),
                "The squared error of the inferred factors $V x$ is $tr \\Gamma - 2 tr(V A\\Gamma) + tr(V S V^T)$; "
                "$R$ is the covariance of its error with the data.",
                let=(Let(error, V * S - factors * A.T, "the covariance of the error with the data"),),
                wrong_form=linear - e**2 * sp.Trace(moved * S * moved.T),
            ),
            Step(
                "Slope",
                sp.Eq(2 * sp.Trace(moved * error.T), -2 * sp.Trace(P.I * N * V * error.T), evaluate=False),
                "Insert the slope of the encoder.",
                wrong_form=-2 * sp.Trace(N * V * error.T),
            ),
            Step(
                "No slope if the model is true",
                sp.Eq(bayes * (A * A.T + sigma**2 * sp.Identity(D)) - A.T, sp.ZeroMatrix(K, D), evaluate=False),
                "With $W = A$, $\\Gamma = I$ and $S = A A^T + \\sigma^2 I$ the error of the inferred factors is "
                "uncorrelated with the data: they are the posterior mean, and no other encoder has a smaller error.",
                let=(
                    Let(
                        right,
                        sp.Identity(K) + A.T * A / sigma**2,
                        "the precision of the true model",
                        rule=(A.T * A, sigma**2 * (right - sp.Identity(K))),
                    ),
                    Let(bayes, right.I * A.T / sigma**2, "the encoder of the true model"),
                ),
                wrong_form=A.T,
            ),
        ),
        results=("Slope",),
        sources=(
            Source("chen2022", "the subject; the result is this project's"),
            Source("chen2025", "the subject; the result is this project's"),
        ),
        builds_on=("grouped-objective",),
    )

"""Page: the beta-VAE at a fixed noise is probabilistic PCA at another noise."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import D, K, P, S, W, beta, t
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.inference.optimal_encoder import BEST_GAIN, PRECISION, loss_at_level

M, N = sp.MatrixSymbol("Theta", D, D), sp.MatrixSymbol("Xi", D, D)
IDENTITY = sp.Identity(D)
MODEL = Let(M, W * W.T + t * IDENTITY, "the covariance of the model at noise $t$")
INVERSE = Let(N, (IDENTITY - W * P.I * W.T / t) / t, "the inverse of the model covariance $W W^T + t I$")


def derivation() -> Derivation:
    least, likelihood = sp.Symbol("L_o", real=True), sp.Symbol("F", real=True)
    best = loss_at_level(BEST_GAIN.symbol, P.I)
    negative_log_likelihood = (D * sp.log(2 * sp.pi) + D * sp.log(t) + LogDet(P) + sp.Trace(S * N)) / 2
    return Derivation(
        name="ppca-equivalence",
        title="At a fixed noise the beta-VAE is probabilistic PCA",
        statement=(
            Claim(
                "With the encoder of gain $P^{-1} W^T/t$ and covariance $P^{-1}$, where $P = I + W^T "
                "W/t$, the loss of a decoder $W$ is $\\beta$ times the negative log likelihood of "
                "probabilistic PCA with noise $t = \\beta\\sigma^2$, plus a constant that contains "
                "$\\sigma^2$.",
                by=(
                    "The inverse of the model covariance",
                    "Its determinant",
                    "The loss at the best encoder",
                    "The loss as a likelihood",
                ),
            ),
            Claim(
                "This encoder is the best one (full covariance).",
                by=("optimal-encoder: No encoder is better",),
            ),
        ),
        assumptions=("The encoder is the best one of the full family; $\\sigma^2$ is fixed.",),
        scope="For every $K$ and $D$.",
        matrices=dict.fromkeys((P, S), "positive"),
        steps=(
            Step(
                "The inverse of the model covariance",
                sp.Eq(M * N, IDENTITY, evaluate=False),
                "Multiply out and use $W^T W = t (P - I)$.",
                let=(PRECISION, MODEL, INVERSE),
                wrong_form=IDENTITY / t,
            ),
            Step(
                "Its determinant",
                sp.Eq(
                    LogDet(W * W.T + t * IDENTITY),
                    D * sp.log(t) + LogDet(sp.Identity(K) + W.T * W / t),
                    evaluate=False,
                ),
                "$W W^T$ and $W^T W$ have the same nonzero eigenvalues (Sylvester).",
                wrong_form=K * sp.log(t) + LogDet(sp.Identity(K) + W.T * W / t),
            ),
            Step(
                "The loss at the best encoder",
                sp.Eq(
                    least,
                    D * sp.log(2 * sp.pi * t / beta) / 2 + beta * (LogDet(P) + sp.Trace(S * N)) / 2,
                    evaluate=False,
                ),
                "Insert $V = P^{-1} W^T/t$ and $Q = P^{-1}$ into the loss; the distortion and the traces of the rate "
                "combine.",
                let=(
                    BEST_GAIN,
                    Let(least, best, "the loss of the best encoder, with $\\sigma^2 = t/\\beta$"),
                ),
                wrong_form=D * sp.log(2 * sp.pi * t / beta) / 2 + beta * (LogDet(P) - sp.Trace(S * N)) / 2,
            ),
            Step(
                "The loss as a likelihood",
                sp.Eq(
                    least,
                    beta * likelihood + D * ((1 - beta) * sp.log(2 * sp.pi * t) - sp.log(beta)) / 2,
                    evaluate=False,
                ),
                "$F$ is the negative log likelihood of $N(0, W W^T + t I)$ per observation; the rest does not depend "
                "on $W$.",
                let=(Let(likelihood, negative_log_likelihood, "the negative log likelihood at noise $t$"),),
            ),
            Step(
                "At beta one the bound is tight",
                sp.Eq(
                    sp.Subs(D * ((1 - beta) * sp.log(2 * sp.pi * t) - sp.log(beta)) / 2, beta, 1),
                    0,
                    evaluate=False,
                ),
                "Then the loss is the negative log likelihood itself, also as a function of the noise; for other "
                "$\\beta$ results about a learned noise do not carry over.",
                wrong_form=D,
            ),
        ),
        results=("The loss as a likelihood",),
        sources=(
            Source("tipping1999", "probabilistic PCA and its likelihood"),
            Source("lucas2019", "the linear VAE with beta = 1"),
        ),
        builds_on=("optimal-encoder",),
    )

"""Page: the aggregate posterior at the optimum is the prior."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, D, K, P, S, W, t
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.foundations.elbo_parts import aggregate_kl, distortion
from theory.derivations.inference.optimal_encoder import BEST_GAIN, PRECISION


def derivation() -> Derivation:
    B = sp.MatrixSymbol("Y", D, D)
    gain = BEST_GAIN.symbol
    outside = sp.Identity(D) - W * (W.T * W).I * W.T
    # W is stationary, S W = W (t I + W^T W), if and only if S agrees with t I + W W^T on the column space of W; that
    # this space is invariant under S is not enough. So every such S is the one below, for some symmetric B.
    covariance = t * sp.Identity(D) + W * W.T + outside * B * outside
    diagonal = sp.HadamardProduct(C, sp.Identity(K))
    code = gain * S * gain.T + P.I
    return Derivation(
        name="aggregate-posterior",
        title="At the optimum the aggregate posterior is the prior",
        statement=(
            Claim(
                "If $S W = t W P$ with $P = I + W^T W/t$, the posterior of gain $P^{-1} W^T/t$ and "
                "covariance $P^{-1}$ gives the code the covariance $I$.",
                by=("Covariance of the code",),
            ),
            Claim(
                "The condition holds at every stationary decoder, and the posterior is its best full one.",
                by=("global-optimum: The gradient", "optimal-encoder: No encoder is better"),
            ),
            Claim(
                "Total correlation and all divergences of single latents are then zero.",
                by=(
                    "No divergence from the prior",
                    "No total correlation",
                    "No divergence of single latents",
                    "elbo-parts: Mismatch with the prior",
                    "elbo-parts: Total correlation",
                    "elbo-parts: Divergences of the single latents",
                ),
            ),
            Claim(
                "The rate then equals the mutual information.",
                by=(
                    "Covariance of the code",
                    "Rate",
                    "elbo-parts: Mutual information",
                ),
            ),
        ),
        assumptions=(
            "The data are Gaussian. The columns of $W$ are independent: a latent that has collapsed, with a column of "
            "zeros, has the variance one and no correlation by itself.",
            "$W$ is stationary, $S W = t W P$ with $P = I + W^T W/t$; the encoder is the best one of the full family.",
            "At the global optimum $P$ is diagonal in the axes of the page on the optimum, so that the same holds for "
            "every family.",
        ),
        scope="For every $K \\le D$ and every covariance that satisfies the stationarity condition.",
        where=(sp.Le(K, D),),
        matrices=dict.fromkeys((P, S, C, B), "positive") | {W: "independent"},
        steps=(
            Step(
                "Covariance of the code",
                sp.Eq(code, sp.Identity(K), evaluate=False),
                "$V S V^T = P^{-1} W^T S W P^{-1}/t^2 = P^{-1} W^T W/t = I - P^{-1}$, to which the posterior "
                "covariance adds $P^{-1}$.",
                let=(
                    PRECISION,
                    BEST_GAIN,
                    Let(S, covariance, "a stationary decoder", rule=(S * W, t * W * P), hypothesis=True),
                ),
                wrong_form=sp.Identity(K) - P.I,
            ),
            Step(
                "No divergence from the prior",
                sp.Eq(aggregate_kl(), 0, evaluate=False),
                "With $C = I$ the divergence of the aggregate from the prior is zero.",
                let=(Let(C, code, "the covariance of the code"),),
                wrong_form=LogDet(P),
            ),
            Step(
                "No total correlation",
                sp.Eq((LogDet(diagonal) - LogDet(C)) / 2, 0, evaluate=False),
                "The first of its parts.",
                wrong_form=LogDet(P),
            ),
            Step(
                "No divergence of single latents",
                sp.Eq((sp.Trace(diagonal) - K - LogDet(diagonal)) / 2, 0, evaluate=False),
                "The other part is a sum over latents, of $(C_{jj} - 1 - \\log C_{jj})/2$ each.",
                wrong_form=LogDet(P),
            ),
            Step(
                "Rate",
                sp.Eq((sp.Trace(C) - K + LogDet(P)) / 2, LogDet(P) / 2, evaluate=False),
                "All of it is mutual information: $\\log(l_i/t)/2$ for each active mode, since the eigenvalues of "
                "$P$ are $1 + w^2/t = l/t$.",
                wrong_form=LogDet(P),
            ),
            Step(
                "Distortion",
                sp.Eq(
                    distortion(gain, P.I),
                    sp.Trace(S) - sp.Trace(W.T * W),
                    evaluate=False,
                ),
                "Each active mode reduces the distortion by $w^2 = l - t$, from $l$ to $t$.",
                wrong_form=sp.Trace(S) - 2 * sp.Trace(W.T * W),
            ),
        ),
        results=("Covariance of the code", "Rate", "Distortion"),
        sources=(Source("lucas2019", "in its setting"),),
        builds_on=("global-optimum", "optimal-encoder", "elbo-parts"),
    )

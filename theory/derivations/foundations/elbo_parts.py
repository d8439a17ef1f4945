"""Page: the objective and its parts. The other pages start from the functions of this module."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, D, K, Q, S, V, W, beta, sigma
from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step

__all__ = [
    "AGGREGATE",
    "DIAGONAL",
    "aggregate_kl",
    "derivation",
    "dimension_wise_kl",
    "distortion",
    "loss",
    "mutual_information",
    "rate",
    "reconstruction",
    "total_correlation",
]

AGGREGATE = Let(C, V * S * V.T + Q, "the covariance of the code", rule=(V * S * V.T, C - Q))
DIAGONAL = Let(sp.MatrixSymbol("C_d", K, K), sp.HadamardProduct(C, sp.Identity(K)), "the diagonal of $C$")


def distortion(encoder=V, posterior=Q, decoder=W) -> sp.Expr:
    """E ||x - W z||^2 = tr S - 2 tr(W V S) + tr(W C W^T), with C written out."""
    code = encoder * S * encoder.T + posterior
    return sp.Trace(S) - 2 * sp.Trace(decoder * encoder * S) + sp.Trace(decoder * code * decoder.T)


def rate(encoder=V, posterior=Q) -> sp.Expr:
    """E KL(q(z|x) || p(z)) = (tr C - K - log det Q) / 2."""
    return (sp.Trace(encoder * S * encoder.T + posterior) - K - LogDet(posterior)) / 2


def reconstruction(squared_error) -> sp.Expr:
    """-E log p(x|z) for an expected squared error."""
    return squared_error / (2 * sigma**2) + D * sp.log(2 * sp.pi * sigma**2) / 2


def loss(encoder=V, posterior=Q, decoder=W) -> sp.Expr:
    """The objective."""
    return reconstruction(distortion(encoder, posterior, decoder)) + beta * rate(encoder, posterior)


def mutual_information() -> sp.Expr:
    """I(x; z) of Gaussian data."""
    return (LogDet(C) - LogDet(Q)) / 2


def aggregate_kl() -> sp.Expr:
    """KL(q(z) || p) of a code of mean zero."""
    return (sp.Trace(C) - K - LogDet(C)) / 2


def total_correlation() -> sp.Expr:
    """Total correlation of the aggregate posterior q(z)."""
    return (LogDet(DIAGONAL.symbol) - LogDet(C)) / 2


def dimension_wise_kl() -> sp.Expr:
    """The sum over latents of KL(q(z_j) || p(z_j))."""
    return (sp.Trace(DIAGONAL.symbol) - K - LogDet(DIAGONAL.symbol)) / 2


def derivation() -> Derivation:
    x, e = sp.MatrixSymbol("x", D, 1), sp.MatrixSymbol("e", K, 1)
    M = sp.MatrixSymbol("M", K, K)
    z = sp.MatrixSymbol("z", K, 1)
    error = SquaredNorm(x - W * z)
    kl_given_x = (sp.Trace(Q) + SquaredNorm(V * x) - K - LogDet(Q)) / 2
    surprise = error / (2 * sigma**2) + D * sp.log(2 * sp.pi * sigma**2) / 2
    d, r = sp.symbols("d R", positive=True)
    return Derivation(
        name="elbo-parts",
        title="The objective, part by part",
        statement=(
            Claim(
                "The loss $\\mathrm{E}[-\\log p(x|z) + \\beta KL(q(z|x)||p(z))]$ of a linear-Gaussian VAE "
                "depends on the data only through their covariance $S$.",
                by=("Loss",),
            ),
            Claim(
                "Its parts are a distortion (expected squared error) and a rate.",
                by=(
                    "Distortion",
                    "Rate",
                    "Loss",
                ),
            ),
            Claim(
                "For Gaussian data, where $q(z) = N(0, C)$, the rate is mutual information plus the "
                "divergence $KL(q(z)||p(z))$ of the code from the prior.",
                by=(
                    "The code",
                    "Rate",
                    "Mutual information",
                    "Mismatch with the prior",
                ),
            ),
            Claim(
                "This divergence is the total correlation $(\\log\\det C_d - \\log\\det C)/2$ plus the "
                "divergences $(tr(C_d) - K - \\log\\det C_d)/2$ of the single latents, with $C_d$ the "
                "diagonal of $C$.",
                by=("Mismatch as dependence plus margins",),
            ),
        ),
        assumptions=(
            "Data are centred with covariance $S$, of any distribution; the decomposition of the rate is that of "
            "Gaussian data.",
            "Decoder $N(W z, \\sigma^2 I)$, prior $N(0, I)$, encoder $q(z|x) = N(V x, Q)$ with any positive definite "
            "$Q$.",
        ),
        scope="For every $K$ and $D$; the last step, with the diagonal of $C$, entry by entry for $K = 1, 2, 3$.",
        matrices={S: "positive", Q: "positive", C: "positive", M: "positive"},
        moments={x: S, e: Q},
        steps=(
            Step(
                "The code",
                sp.Eq(Expectation(sp.Trace(M * z * z.T)), sp.Trace(M * C), evaluate=False),
                "As this holds for every $M$, the second moment of the code is $C$.",
                let=(
                    Let(z, V * x + e, "a code, with $e$ independent of $x$, of mean zero and covariance $Q$"),
                    AGGREGATE,
                ),
                wrong_form=sp.Trace(M * (C - Q)),
            ),
            Step(
                "Distortion",
                sp.Eq(
                    Expectation(error),
                    sp.Trace(S) - 2 * sp.Trace(W * V * S) + sp.Trace(W * C * W.T),
                    evaluate=False,
                ),
                "Multiply out $||x - W z||^2$ and take expectations: $x x^T$ becomes $S$, $e e^T$ becomes $Q$, and the "
                "cross term vanishes.",
                wrong_form=sp.Trace(S) - sp.Trace(W * V * S) + sp.Trace(W * C * W.T),
            ),
            Step(
                "Reconstruction term",
                sp.Eq(
                    Expectation(surprise),
                    d / (2 * sigma**2) + D * sp.log(2 * sp.pi * sigma**2) / 2,
                    evaluate=False,
                ),
                "The negative log density of $N(W z, \\sigma^2 I)$ at $x$ is the squared error over $2\\sigma^2$ "
                "plus the logarithm of its normalisation.",
                let=(Let(d, distortion(), "the distortion"),),
            ),
            Step(
                "Rate",
                sp.Eq(Expectation(kl_given_x), (sp.Trace(C) - K - LogDet(Q)) / 2, evaluate=False),
                "The divergence of $N(V x, Q)$ from $N(0, I)$, averaged over $x$.",
                wrong_form=(sp.Trace(C) - K - LogDet(C)) / 2,
            ),
            Step(
                "Loss",
                sp.Eq(
                    Expectation(surprise + beta * kl_given_x),
                    d / (2 * sigma**2) + D * sp.log(2 * sp.pi * sigma**2) / 2 + beta * r,
                    evaluate=False,
                ),
                "The sum of the two terms, the second with weight $\\beta$.",
                let=(Let(r, rate(), "the rate"),),
            ),
            Step(
                "Mutual information",
                sp.Eq(
                    Expectation((LogDet(C) + SquaredNorm(z, C.I) - LogDet(Q) - SquaredNorm(z - V * x, Q.I)) / 2),
                    mutual_information(),
                    evaluate=False,
                ),
                "The expectation of $\\log q(z|x)/q(z)$: for Gaussian data $q(z) = N(0, C)$. Both squares have "
                "expectation $K$.",
                wrong_form=(LogDet(C) + LogDet(Q)) / 2,
            ),
            Step(
                "Mismatch with the prior",
                sp.Eq(
                    Expectation((SquaredNorm(z) - LogDet(C) - SquaredNorm(z, C.I)) / 2), aggregate_kl(), evaluate=False
                ),
                "The expectation of $\\log q(z)/p(z)$, which is $KL(q(z)||p(z))$. As $\\log q(z|x)/p(z)$ is the sum of "
                "the two logarithms, the rate is the sum of the two expectations.",
                wrong_form=(sp.Trace(C) - K + LogDet(C)) / 2,
            ),
            Step(
                "Mismatch as dependence plus margins",
                sp.Eq(aggregate_kl(), total_correlation() + dimension_wise_kl(), evaluate=False),
                "Add and subtract $\\log\\det C_d$: first the total correlation between the latents, then the sum over "
                "latents of $KL(q(z_j)||p(z_j)) = (C_{jj} - 1 - \\log C_{jj})/2$.",
                let=(DIAGONAL,),
                wrong_form=total_correlation() - dimension_wise_kl(),
                sizes=({K: 1, D: 1}, {K: 2, D: 1}, {K: 3, D: 1}),
            ),
        ),
        results=(
            "Distortion",
            "Rate",
            "Loss",
            "Mutual information",
            "Mismatch with the prior",
            "Mismatch as dependence plus margins",
        ),
        sources=(Source("lucas2019", "the linear-Gaussian VAE; general matrices and any weight here"),),
        builds_on=("gaussian-kl",),
    )

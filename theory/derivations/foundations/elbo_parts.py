"""Page: the objective and its parts. The other pages start from the functions of this module."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, D, K, Q, S, V, W, beta, sigma
from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.foundations.matrix_inequalities import use_tangent, use_trace

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
    diagonal = DIAGONAL.symbol
    half = sp.Rational(1, 2)
    # Log densities of a data point and its code: of decoder, encoder, prior, aggregate code, product of its margins.
    log_x, log_q, log_p, log_a, log_d = sp.symbols("L_x L_q L_p L_a L_d", real=True)
    d, rho, information, mismatch, dependence, margins = sp.symbols("d rho h k chi m", real=True)

    def log_density(vector, covariance):
        return -(K * sp.log(2 * sp.pi) + LogDet(covariance) + SquaredNorm(vector, covariance.I)) / 2

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
                "It is $d/(2\\sigma^2) + (D/2) \\log(2\\pi\\sigma^2) + \\beta \\rho$, with the distortion $d$ (the "
                "expected squared error) and the rate $\\rho$ (the expected divergence of $q(z|x)$ from the prior).",
                by=("Distortion", "Rate", "Loss"),
            ),
            Claim(
                "For Gaussian data, where $q(z) = N(0, C)$, the rate is mutual information plus the "
                "divergence $KL(q(z)||p(z))$ of the code from the prior.",
                by=(
                    "The code",
                    "Mutual information",
                    "Mismatch with the prior",
                    "The rate as information plus mismatch",
                ),
            ),
            Claim(
                "This divergence is the total correlation $(\\log\\det C_d - \\log\\det C)/2$ plus the "
                "divergences $(tr(C_d) - K - \\log\\det C_d)/2$ of the single latents, with $C_d$ the "
                "diagonal of $C$.",
                by=("Total correlation", "Divergences of the single latents", "Mismatch as dependence plus margins"),
            ),
            Claim(
                "None of these parts is negative: the last three are divergences between Gaussians of mean zero, of "
                "covariances $C$ and $I$, $C$ and $C_d$, $C_d$ and $I$.",
                by=(
                    "The information is not negative",
                    "Mismatch with the prior",
                    "Total correlation",
                    "Divergences of the single latents",
                    "gaussian-kl: The divergence is not negative",
                ),
            ),
            Claim(
                "So the divergence of the code from the prior is zero only if $C = I$, and the total correlation only "
                "if $C$ is diagonal.",
                by=("gaussian-kl: Different covariances", "Dependent latents"),
            ),
        ),
        assumptions=(
            "Data are centred with covariance $S$, of any distribution; the decomposition of the rate is that of "
            "Gaussian data.",
            "Decoder $N(W z, \\sigma^2 I)$, prior $N(0, I)$, encoder $q(z|x) = N(V x, Q)$ with any positive definite "
            "$Q$.",
        ),
        scope="For every $K$ and $D$.",
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
                    Expectation(SquaredNorm(x - W * z)),
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
                    Expectation(-log_x),
                    d / (2 * sigma**2) + D * sp.log(2 * sp.pi * sigma**2) / 2,
                    evaluate=False,
                ),
                "The expected negative log density is the distortion over $2\\sigma^2$ plus the logarithm of the "
                "normalisation.",
                let=(
                    Let(
                        log_x,
                        -(D * sp.log(2 * sp.pi * sigma**2) + SquaredNorm(x - W * z) / sigma**2) / 2,
                        "$\\log p(x|z)$, the log density of $N(W z, \\sigma^2 I)$ at $x$",
                    ),
                    Let(d, distortion(), "the distortion"),
                ),
            ),
            Step(
                "Rate",
                sp.Eq(Expectation(log_q - log_p), (sp.Trace(C) - K - LogDet(Q)) / 2, evaluate=False),
                "The expectation over $x$ and $z$ of $\\log q(z|x)/p(z)$ is $KL(q(z|x)||p(z))$, averaged over $x$.",
                let=(
                    Let(log_q, log_density(z - V * x, Q), "$\\log q(z|x)$, the log density of $N(V x, Q)$ at $z$"),
                    Let(log_p, -(K * sp.log(2 * sp.pi) + SquaredNorm(z)) / 2, "$\\log p(z)$, that of $N(0, I)$ at $z$"),
                ),
                wrong_form=(sp.Trace(C) - K - LogDet(C)) / 2,
            ),
            Step(
                "Loss",
                sp.Eq(
                    Expectation(-log_x + beta * (log_q - log_p)),
                    d / (2 * sigma**2) + D * sp.log(2 * sp.pi * sigma**2) / 2 + beta * rho,
                    evaluate=False,
                ),
                "The sum of the two terms, the second with weight $\\beta$.",
                let=(Let(rho, rate(), "the rate"),),
            ),
            Step(
                "Mutual information",
                sp.Eq(Expectation(log_q - log_a), information, evaluate=False),
                "The expectation of $\\log q(z|x)/q(z)$. The squares in both log densities have expectation $K$.",
                let=(
                    Let(
                        log_a, log_density(z, C), "$\\log q(z)$ for Gaussian data, the log density of $N(0, C)$ at $z$"
                    ),
                    Let(information, mutual_information(), "the mutual information"),
                ),
                wrong_form=(LogDet(C) + LogDet(Q)) / 2,
            ),
            Step(
                "Mismatch with the prior",
                sp.Eq(Expectation(log_a - log_p), mismatch, evaluate=False),
                "The expectation of $\\log q(z)/p(z)$, which is $KL(q(z)||p(z))$.",
                let=(Let(mismatch, aggregate_kl(), "the divergence of the code from the prior"),),
                wrong_form=(sp.Trace(C) - K + LogDet(C)) / 2,
            ),
            Step(
                "The rate as information plus mismatch",
                sp.Eq(Expectation(log_q - log_p), information + mismatch, evaluate=False),
                "The logarithm of $q(z|x)/p(z)$ is that of $q(z|x)/q(z)$ plus that of $q(z)/p(z)$.",
                wrong_form=information - mismatch,
            ),
            Step(
                "Total correlation",
                sp.Eq(Expectation(log_a - log_d), dependence, evaluate=False),
                "The divergence of $q(z)$ from the product of its margins. The trace of $C_d^{-1} C$ sees only the "
                "diagonal of $C$, so that it is $K$, as is that of $C^{-1} C$.",
                let=(
                    DIAGONAL,
                    Let(dependence, total_correlation(), "the total correlation"),
                    Let(
                        log_d, log_density(z, diagonal), "the sum of the $\\log q(z_j)$, the log density of $N(0, C_d)$"
                    ),
                ),
                wrong_form=-dependence,
            ),
            Step(
                "Divergences of the single latents",
                sp.Eq(Expectation(log_d - log_p), margins, evaluate=False),
                "The sum over latents of $KL(q(z_j)||p(z_j)) = (C_{jj} - 1 - \\log C_{jj})/2$.",
                let=(Let(margins, dimension_wise_kl(), "the divergences of the single latents together"),),
                wrong_form=(sp.Trace(diagonal) - K + LogDet(diagonal)) / 2,
            ),
            Step(
                "Mismatch as dependence plus margins",
                sp.Eq(mismatch, dependence + margins, evaluate=False),
                "The trace of $C$ is that of $C_d$; add and subtract $\\log\\det C_d$.",
                wrong_form=dependence - margins,
            ),
            Step(
                "The information is not negative",
                sp.Ge(mutual_information(), 0, evaluate=False),
                "The log determinant lies below its tangent at $C$, and $C - Q = V S V^T$.",
                uses=(use_tangent(Q, C, times=half), use_trace(C.I, V, S, times=half)),
            ),
            Step(
                "The total correlation is not negative",
                sp.Ge(total_correlation(), 0, evaluate=False),
                "The log determinant lies below its tangent at $C_d$.",
                uses=(use_tangent(C, diagonal, times=half),),
            ),
            Step(
                "Dependent latents",
                sp.Gt(total_correlation(), 0, evaluate=False),
                "Elsewhere it lies strictly below.",
                where=(sp.Ne(C, diagonal, evaluate=False),),
                uses=(use_tangent(C, diagonal, times=half, strict=True),),
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
        builds_on=("gaussian-kl", "matrix-inequalities"),
    )

"""Page: the weight beta as an annealed prior."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K, Q, beta
from theory.derivations.engine.operators import LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    log_q, log_p, log_x = sp.symbols("l_q l_p l_x", real=True)
    log_f, log_norm = sp.symbols("l_f L_F", real=True)
    y = sp.Symbol("y", real=True)
    s, nu, b = sp.symbols("s nu b", positive=True)
    Pi, mu = sp.MatrixSymbol("Pi", K, K), sp.MatrixSymbol("mu", K, 1)
    density = sp.exp(-(y**2) / (2 * s**2)) / (s * sp.sqrt(2 * sp.pi))

    def divergence(mean, covariance):
        return (sp.Trace(Pi.I * covariance) + SquaredNorm(mean, Pi.I) - K + LogDet(Pi) - LogDet(covariance)) / 2

    constant, old, new = sp.symbols("c k k_s", real=True)
    log_normalisation = (1 - beta) * (K * sp.log(2 * sp.pi) + LogDet(Pi)) / 2 - K * sp.log(beta) / 2
    return Derivation(
        name="annealed-prior",
        title="The weight beta as an annealed prior",
        statement=(
            Claim(
                "With $f = p^{\\beta}/F$, point by point $\\log p(x|z) - \\beta \\log(q/p) = \\log p(x|z) - "
                "\\log(q/f) - (\\beta - 1) \\log q + \\log F$, where $q = q(z|x)$ and $p = p(z)$.",
                by=("The identity, point by point",),
            ),
            Claim(
                "In the expectation over $q(z|x)$ the objective of weight $\\beta$ is that of weight 1 "
                "with the prior $f$, plus $(\\beta - 1)$ times the entropy of $q(z|x)$, plus $\\log F$.",
                by=("The identity, point by point",),
                argued=True,
            ),
            Claim(
                "For a Gaussian prior the latents can be scaled by $\\sqrt\\beta$ instead, at the same reconstruction.",
                by=("Gaussian corollary",),
                argued=True,
            ),
            Claim(
                "Weight 1 on the new divergence then replaces weight $\\beta$ on the old, and only "
                "$((\\beta - 1)/2) \\log\\det Q'$ with $Q' = \\beta Q$ and a constant remain.",
                by=("Gaussian corollary",),
            ),
        ),
        assumptions=(
            "$F = \\int p(z)^{\\beta} dz$ is finite. Here objectives are to be maximised, as in the source: "
            "$L_\\beta$ is minus the loss.",
        ),
        scope=(
            "The identity holds point by point and so for every density; the Gaussian corollary for every $K$; the "
            "two integrals in one dimension, of which the Gaussian one gives the $K$-dimensional one in the axes of "
            "$\\Pi$."
        ),
        matrices=dict.fromkeys((Pi, Q), "positive"),
        steps=(
            Step(
                "The identity, point by point",
                sp.Eq(
                    log_x - beta * (log_q - log_p),
                    log_x - (log_q - log_f) + (beta - 1) * (-log_q) + log_norm,
                    evaluate=False,
                ),
                "With $l_x, l_q, l_p$ the logarithms of $p(x|z)$, $q(z|x)$, $p(z)$ at one point: in the expectation "
                "over $q$ the brackets become divergences and $-l_q$ the entropy.",
                let=(Let(log_f, beta * log_p - log_norm, "the logarithm of the annealed prior, with $L_F = \\log F$"),),
                wrong_form=log_x - (log_q - log_f) + (beta - 1) * log_q + log_norm,
            ),
            Step(
                "Normalisation of a Gaussian prior",
                sp.Eq(
                    sp.Integral(density**beta, (y, -sp.oo, sp.oo)),
                    (2 * sp.pi * s**2) ** ((1 - beta) / 2) / sp.sqrt(beta),
                    evaluate=False,
                ),
                "The integrand is a Gaussian of variance $s^2/\\beta$ up to a constant; one such factor for each axis "
                "of $\\Pi$, with $s^2$ the variance along it.",
            ),
            Step(
                "Normalisation of a Student prior",
                sp.Eq(
                    sp.Integral((1 + y**2 / nu) ** (-b - sp.Rational(1, 2)), (y, -sp.oo, sp.oo)),
                    sp.sqrt(sp.pi * nu) * sp.gamma(b) / sp.gamma(b + sp.Rational(1, 2)),
                    evaluate=False,
                ),
                "Annealing a Student density with $\\nu$ degrees of freedom gives the exponent $\\beta(\\nu+1)/2 = b "
                "+ 1/2$; the integral is finite for $b > 0$, that is $\\beta(\\nu + 1) > 1$.",
            ),
            Step(
                "Gaussian corollary",
                sp.Eq(
                    -beta * old,
                    -new + (beta - 1) * LogDet(beta * Q) / 2 + constant,
                    evaluate=False,
                ),
                "Scale the latents by $\\sqrt\\beta$, so that $\\mu' = \\sqrt\\beta \\mu$ and $Q' = \\beta Q$, and let "
                "the decoder undo the scaling: the reconstruction is the same, and weight 1 on the new divergence "
                "replaces weight $\\beta$ on the old.",
                let=(
                    Let(old, divergence(mu, Q), "the divergence of $N(\\mu, Q)$ from the prior"),
                    Let(new, divergence(sp.sqrt(beta) * mu, beta * Q), "that of $N(\\mu', Q')$"),
                    Let(
                        constant,
                        K * (beta - 1) * (1 + sp.log(2 * sp.pi / beta)) / 2 + log_normalisation,
                        "a constant, in which the last two terms are $\\log F$",
                    ),
                ),
            ),
        ),
        results=("The identity, point by point", "Gaussian corollary"),
        sources=(Source("mathieu2019", "Theorem 1 and its Gaussian corollary"),),
        builds_on=("gaussian-kl", "elbo-parts"),
    )

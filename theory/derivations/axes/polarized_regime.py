"""Page: the KL divergence in the polarized regime."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import n, t
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    q, v, l, b = sp.symbols("q v l b", positive=True)  # noqa: E741
    m, p, u, y = sp.symbols("m p u y", real=True)
    x = sp.Symbol("x", positive=True)
    i = sp.Symbol("i", integer=True, positive=True)
    eigenvalues = sp.IndexedBase(sp.Symbol("l", positive=True))
    posterior = sp.exp(-((y - m) ** 2) / (2 * q)) / sp.sqrt(2 * sp.pi * q)
    density = sp.exp(-(u**2) / (2 * v)) / sp.sqrt(2 * sp.pi * v)
    share = sp.erf(sp.sqrt(x / 2))

    def approximate(value=l):
        """The mean of the divergence in the polarized regime, of an active latent at the optimum."""
        return ((1 - t / value) - sp.log(t / value) - 1) / 2

    def exact(value=l):
        return ((1 - t / value) + t / value - 1 - sp.log(t / value)) / 2

    def total(function):
        return sp.Sum(function(eigenvalues[i]), (i, 1, n))

    return Derivation(
        name="polarized-regime",
        title="The divergence in the polarized regime",
        statement=(
            Claim(
                "For an active latent the divergence $(1/2) (m^2 - \\log q - 1)$ is too small by $q/2$.",
                by=("The omitted term",),
            ),
            Claim(
                "At the optimum, where the column of an active latent has the squared length $l - t$ along an "
                "eigenvector of eigenvalue $l$ of the covariance of the data, it has $q = t/l$ and $m^2$ has the mean "
                "$1 - t/l$.",
                by=("Posterior variance at the optimum", "Mean square at the optimum"),
            ),
            Claim(
                "For one such latent the mean of this divergence has the relative error $-(t/l)/\\log(l/t)$.",
                by=("Rate of an active latent at the optimum", "Relative error at the optimum"),
            ),
            Claim(
                "The sum over all active latents has the error $-(1/2) \\sum (t/l_j)$, and as the exact sum is $(1/2) "
                "\\sum \\log(l_j/t)$, the relative error $-\\sum (t/l_j) / \\sum \\log(l_j/t)$.",
                by=("Error of the sum", "Rate of all active latents"),
            ),
            Claim(
                "A latent carries less than $c$ nats iff $m^2 < b = 2 c + 1 + \\log q - q$.",
                by=("The omitted term",),
            ),
            Claim(
                "For $m \\sim N(0, v)$ and $b > 0$ this has the probability $erf(\\sqrt{b/(2 v)})$.",
                by=("Probability of collapse",),
            ),
            Claim(
                "It is the probability that a chi-square variable is below the bound $b/v$: $erf(\\sqrt{x/2})$ is zero "
                "at $x = 0$, and its slope is the chi-square density of one degree of freedom.",
                by=("Probability of collapse", "The chi-square density", "The chi-square distribution begins at zero"),
            ),
        ),
        assumptions=(
            "Diagonal posterior with variance $q$ of a latent, posterior mean $m$, prior $N(0, 1)$; the water level "
            "$t = \\beta \\sigma^2$.",
        ),
        scope="Any number of latents, whose divergences add up. For the probability $m \\sim N(0, v)$.",
        steps=(
            Step(
                "The omitted term",
                sp.Eq(
                    sp.Integral(posterior * (y**2 / 2 - (y - m) ** 2 / (2 * q) - sp.log(q) / 2), (y, -sp.oo, sp.oo)),
                    p + q / 2,
                    evaluate=False,
                ),
                "On the left is the divergence of $N(m, q)$ from $N(0, 1)$, with $y$ for the latent. The approximation "
                "drops the variance itself, which is small for an active latent. The divergence is below $c$ "
                "iff $m^2$ is below $2 c + 1 + \\log q - q$.",
                let=(Let(p, (m**2 - sp.log(q) - 1) / 2, "the divergence in the polarized regime"),),
            ),
            Step(
                "Posterior variance at the optimum",
                sp.Eq(1 / (1 + (l - t) / t), t / l, evaluate=False),
                "One over the precision, by the page on the best encoder.",
            ),
            Step(
                "Mean square at the optimum",
                sp.Eq((sp.sqrt(l - t) / (t * (1 + (l - t) / t))) ** 2 * l, 1 - t / l, evaluate=False),
                "The squared gain times the variance $l$ of the data along the eigenvector.",
                where=(l > t,),
            ),
            Step(
                "Rate of an active latent at the optimum",
                sp.Eq(exact(), sp.log(l / t) / 2, evaluate=False),
                "The mean of the exact divergence.",
            ),
            Step(
                "Relative error at the optimum",
                sp.Eq(
                    (approximate() - sp.log(l / t) / 2) / (sp.log(l / t) / 2),
                    -(t / l) / sp.log(l / t),
                    evaluate=False,
                ),
                "The error is $-q/2$.",
                where=(l > t,),
            ),
            Step(
                "Error of the sum",
                sp.Eq(total(approximate) - total(exact), -total(lambda value: t / value) / 2, evaluate=False),
                "Over $n$ active latents of eigenvalues $l_i$.",
            ),
            Step(
                "Rate of all active latents",
                sp.Eq(total(exact), total(lambda value: sp.log(value / t)) / 2, evaluate=False),
                "Positive, as all $l_i > t$.",
            ),
            Step(
                "Probability of collapse",
                sp.Eq(
                    sp.Integral(density, (u, -sp.sqrt(b), sp.sqrt(b))),
                    sp.erf(sp.sqrt(b / (2 * v))),
                    evaluate=False,
                ),
                "The density of $m$, with $u$ for $m$, is integrated over $u^2 < b$; with $x = b/v$ this is "
                "$erf(\\sqrt{x/2})$.",
            ),
            Step(
                "The chi-square density",
                sp.Eq(
                    sp.Derivative(share, x),
                    sp.exp(-x / 2) / (sp.sqrt(2 * x) * sp.gamma(sp.Rational(1, 2), evaluate=False)),
                    evaluate=False,
                ),
                "On the right is the density of chi-square with one degree of freedom.",
            ),
            Step(
                "The chi-square distribution begins at zero",
                sp.Eq(sp.Limit(share, x, 0, "+"), 0, evaluate=False),
                "So $erf(\\sqrt{x/2})$ is the integral of the density from $0$ to $x$.",
                wrong_form=sp.Integer(1),
            ),
        ),
        results=("Relative error at the optimum", "Error of the sum", "Probability of collapse"),
        sources=(Source("rolinek2019", "the approximation; its error at the optimum is worked out here"),),
        builds_on=("gaussian-kl", "optimal-encoder", "global-optimum"),
    )

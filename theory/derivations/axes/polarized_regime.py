"""Page: the KL divergence in the polarized regime."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import t
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    q, v, l, b = sp.symbols("q v l b", positive=True)  # noqa: E741
    m = sp.Symbol("m", real=True)
    y = sp.Symbol("y", real=True)
    p = sp.Symbol("p", real=True)
    posterior = sp.exp(-((y - m) ** 2) / (2 * q)) / sp.sqrt(2 * sp.pi * q)
    density = sp.exp(-(y**2) / (2 * v)) / sp.sqrt(2 * sp.pi * v)
    return Derivation(
        name="polarized-regime",
        title="The divergence in the polarized regime",
        statement=(
            Claim(
                "For an active latent the divergence $(1/2) (\\mu^2 - \\log q - 1)$ is too small by $q/2$.",
                by=("The omitted term",),
            ),
            Claim(
                "For one active latent with $q = t/l$ and $\\mathrm{E}[\\mu^2] = 1 - t/l$ the mean of this "
                "divergence has the relative error $-(t/l)/\\log(l/t)$.",
                by=(
                    "The omitted term",
                    "Rate of an active latent at the optimum",
                    "Relative error at the optimum",
                ),
            ),
            Claim(
                "At the optimum all active latents are such, and the relative error of the sum over them "
                "is $-\\sum (t/l_j) / \\sum \\log(l_j/t)$.",
                by=("Relative error at the optimum",),
                argued=True,
            ),
            Claim(
                "A latent carries less than $c$ nats iff $\\mu^2 < b = 2 c + 1 + \\log q - q$.",
                by=("The omitted term",),
            ),
            Claim(
                "For $\\mu \\sim N(0, v)$ and $b > 0$ this has the probability $erf(\\sqrt{b/(2 v)})$.",
                by=("Probability of collapse",),
            ),
            Claim(
                "It is the probability that a chi-square variable is below the bound $b/v$.",
                by=("Probability of collapse",),
                argued=True,
            ),
        ),
        assumptions=("Diagonal posterior with variance $q$ of a latent, posterior mean $\\mu$, prior $N(0, 1)$.",),
        scope="One latent; divergences add up over latents. For the probability $\\mu \\sim N(0, v)$.",
        steps=(
            Step(
                "The omitted term",
                sp.Eq(
                    sp.Integral(posterior * (y**2 / 2 - (y - m) ** 2 / (2 * q) - sp.log(q) / 2), (y, -sp.oo, sp.oo)),
                    p + q / 2,
                    evaluate=False,
                ),
                "On the left is the divergence of $N(m, q)$ from $N(0, 1)$. The approximation drops the variance "
                "itself, "
                "which is small for an active latent.",
                let=(Let(p, (m**2 - sp.log(q) - 1) / 2, "the divergence in the polarized regime"),),
            ),
            Step(
                "Rate of an active latent at the optimum",
                sp.Eq(((1 - t / l) + t / l - 1 - sp.log(t / l)) / 2, sp.log(l / t) / 2, evaluate=False),
                "There $q = t/l$ and the mean square of $\\mu$ is $1 - t/l$.",
            ),
            Step(
                "Relative error at the optimum",
                sp.Eq(
                    (((1 - t / l) - sp.log(t / l) - 1) / 2 - sp.log(l / t) / 2) / (sp.log(l / t) / 2),
                    -(t / l) / sp.log(l / t),
                    evaluate=False,
                ),
                "With several active latents numerator and denominator are sums over them.",
                where=(l > t,),
            ),
            Step(
                "Probability of collapse",
                sp.Eq(
                    sp.Integral(density, (y, -sp.sqrt(b), sp.sqrt(b))),
                    sp.erf(sp.sqrt(b / (2 * v))),
                    evaluate=False,
                ),
                "The divergence is below $c$ iff $\\mu^2 < b$ with $b = 2 c + 1 + \\log q - q$: the "
                "distribution function of chi-square with one degree of freedom at $b/v$.",
            ),
        ),
        results=("Relative error at the optimum", "Probability of collapse"),
        sources=(Source("rolinek2019", "the approximation; its error at the optimum is worked out here"),),
        builds_on=("gaussian-kl", "global-optimum"),
    )

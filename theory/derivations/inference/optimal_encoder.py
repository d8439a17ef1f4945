"""Page: the best encoder of a fixed decoder."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import D, K, P, Q, S, V, W, beta, sigma, t
from theory.derivations.engine.operators import LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.foundations.elbo_parts import loss

PRECISION = Let(P, sp.Identity(K) + W.T * W / t, "the precision", rule=(W.T * W, t * (P - sp.Identity(K))))


def derivation() -> Derivation:
    x, z, m = (sp.MatrixSymbol(name, size, 1) for name, size in (("x", D), ("z", K), ("m", K)))
    best = sp.MatrixSymbol("V_o", K, D)
    lam = sp.Symbol("lambda", positive=True)
    at_best = loss(best, P.I).xreplace({sigma: sp.sqrt(t / beta)})
    general = loss().xreplace({sigma: sp.sqrt(t / beta)})
    lhs, rhs = sp.symbols("L L_o", real=True)
    spread = sp.Trace(P * Q) - K - LogDet(P) - LogDet(Q)
    missed = beta * sp.Trace(S * (V - best).T * P * (V - best)) / 2
    return Derivation(
        name="optimal-encoder",
        title="The best encoder of a fixed decoder",
        statement=(
            Claim(
                "For a decoder $W$ and $t = \\beta\\sigma^2$ the best of all $q(z|x)$ is proportional to "
                "$p(z) p(x|z)^{1/\\beta}$.",
                by=(
                    "The tempered posterior is Gaussian",
                    "The loss as a completed square",
                    "Each eigenvalue costs",
                ),
                argued=True,
            ),
            Claim(
                "This is the Gaussian of precision $P = I + W^T W/t$ and mean $P^{-1} W^T x/t$.",
                by=("The tempered posterior is Gaussian",),
            ),
        ),
        assumptions=("Any decoder, any data, any $\\beta > 0$; the family of $q$ is unrestricted (full covariance).",),
        scope="For every $K$ and $D$; the steps on one eigenvalue are scalar.",
        matrices={P: "positive", Q: "positive", S: "positive"},
        steps=(
            Step(
                "The tempered posterior is Gaussian",
                sp.Eq(
                    SquaredNorm(z) + SquaredNorm(x - W * z) / t,
                    SquaredNorm(z - m, P) + SquaredNorm(x) / t - SquaredNorm(m, P),
                    evaluate=False,
                ),
                "The left side is $-2\\log [p(z) p(x|z)^{1/\\beta}]$ up to a constant; complete the square in $z$. "
                "Since the loss is $\\beta$ times the divergence of $q$ from this density, plus a term that does not "
                "depend on $q$, this density is best.",
                let=(PRECISION, Let(m, P.I * W.T * x / t, "the mean")),
                wrong_form=SquaredNorm(z - m, P) + SquaredNorm(x) / t,
            ),
            Step(
                "The loss as a completed square",
                sp.Eq(lhs - rhs, missed + beta * spread / 2, evaluate=False),
                "The same from the formula of the loss: a general encoder $(V, Q)$ compared with the proposed one. "
                "Both terms on the right are $\\ge 0$, so the proposed encoder is the global minimum.",
                let=(
                    Let(best, P.I * W.T / t, "the best gain"),
                    Let(lhs, general, "the loss of any encoder, with $\\sigma^2 = t/\\beta$"),
                    Let(rhs, at_best, "the loss of the proposed encoder"),
                ),
                wrong_form=missed - beta * spread / 2,
            ),
            Step(
                "Each eigenvalue costs",
                sp.Ge(lam - 1 - sp.log(lam), 0, evaluate=False),
                "$tr(P Q) - K - \\log\\det P Q$ is the sum of these over the eigenvalues of $P Q$, so it is "
                "not negative and zero at $P Q = I$ only; if the data vary in every direction, the minimum over $V$ is "
                "at $V_o$ only.",
                least_at=(lam, sp.Integer(1)),
            ),
            Step(
                "The best gain",
                sp.Eq(best * W, sp.Identity(K) - P.I, evaluate=False),
                "Decoding a code $z$ and encoding it again gives $z - P^{-1} z$, with $P^{-1}$ the posterior "
                "covariance.",
                wrong_form=sp.Identity(K) - P,
            ),
        ),
        results=("The loss as a completed square",),
        sources=(Source("sikka2019", "in its setting; its own formulas were not consulted"),),
        builds_on=("elbo-parts", "gaussian-kl"),
    )

"""Page: the best encoder of a fixed decoder."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import D, K, P, Q, S, V, W, beta, sigma, t
from theory.derivations.engine.operators import LogDet, OverAll, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use
from theory.derivations.foundations.elbo_parts import loss
from theory.derivations.foundations.gibbs_inequality import use_integrand
from theory.derivations.foundations.matrix_inequalities import use_product, use_trace

__all__ = ["BEST_GAIN", "PRECISION", "derivation", "loss_at_level"]

PRECISION = Let(P, sp.Identity(K) + W.T * W / t, "the precision", rule=(W.T * W, t * (P - sp.Identity(K))))
BEST_GAIN = Let(sp.MatrixSymbol("V_o", K, D), P.I * W.T / t, "the best gain")


def loss_at_level(encoder=V, posterior=Q, decoder=W) -> sp.Expr:
    """The objective with the noise variance t / beta."""
    return loss(encoder, posterior, decoder).xreplace({sigma: sp.sqrt(t / beta)})


def derivation() -> Derivation:
    x, m = sp.MatrixSymbol("x", D, 1), sp.MatrixSymbol("m", K, 1)
    code, best = sp.MatrixSymbol("z", K, 1), BEST_GAIN.symbol
    lhs, rhs = sp.symbols("L L_o", real=True)
    spread = sp.Trace(P * Q) - K - LogDet(P) - LogDet(Q)
    missed = beta * sp.Trace(S * (V - best).T * P * (V - best)) / 2
    square = "The loss as a completed square"
    # Densities of one data point: any encoder, the prior, the one that is best; c is the integral of p e^(l / beta).
    y = sp.Symbol("y", real=True)
    q, p, f = (sp.Function(name, positive=True) for name in ("q", "p", "f"))
    likelihood, c = sp.Function("ell")(y), sp.Symbol("c", positive=True)
    of_a_point = OverAll(q(y) * (beta * sp.log(q(y) / p(y)) - likelihood), y)
    return Derivation(
        name="optimal-encoder",
        title="The best encoder of a fixed decoder",
        statement=(
            Claim(
                "For a decoder and $\\beta > 0$ the best of all densities $q(z|x)$ is $f = p(z) p(x|z)^{1/\\beta}/c$, "
                "where $c$ makes the integral one: the loss at $x$ is at least $-\\beta \\log c$.",
                by=("The loss at one data point", "No density is better"),
            ),
            Claim("It is $-\\beta \\log c$ at $q = f$.", by=("The loss of the best density",)),
            Claim(
                "For a linear decoder $W$ and $t = \\beta\\sigma^2$ this is the Gaussian of precision $P = I + W^T "
                "W/t$ and mean $P^{-1} W^T x/t$.",
                by=("The tempered posterior is Gaussian",),
            ),
            Claim("No other Gaussian encoder of linear mean is better.", by=(square, "No encoder is better")),
            Claim(
                "None of another covariance is as good.",
                by=("Another covariance is worse",),
            ),
            Claim(
                "If the data vary in every direction, none of another gain is as good.", by=("Another gain is worse",)
            ),
        ),
        assumptions=("Any decoder, any data, any $\\beta > 0$; the family of $q$ is unrestricted (full covariance).",),
        scope=(
            "For every $K$ and $D$; the first three steps for any decoder, linear or not, and any space of latents. "
            "The covariance $S$ of the data is positive definite; what is not strict holds for every $S$, as both "
            "sides are continuous in it."
        ),
        matrices={P: "positive", Q: "positive", S: "positive"},
        functions={q: "density", p: "density", f: "density"},
        steps=(
            Step(
                "The loss at one data point",
                sp.Eq(of_a_point, beta * OverAll(q(y) * sp.log(q(y) / f(y)), y) - beta * sp.log(c), evaluate=False),
                "The loss at $x$ is $\\beta KL(q||p)$ less the expectation of $\\ell(z) = \\log p(x|z)$, with $y$ for "
                "the latent: it depends on $q$ only through its divergence from $f$.",
                let=(
                    Let(
                        likelihood,
                        beta * sp.log(c * f(y) / p(y)),
                        "the log likelihood, with $f$ the density proportional to $p(z) e^{\\ell(z)/\\beta}$",
                    ),
                ),
                wrong_form=beta * OverAll(q(y) * sp.log(q(y) / f(y)), y) + beta * sp.log(c),
            ),
            Step(
                "No density is better",
                sp.Ge(of_a_point, -beta * sp.log(c), evaluate=False),
                "No divergence is negative.",
                uses=(use_integrand(q(y), f(y), times=beta, over=y),),
            ),
            Step(
                "The loss of the best density",
                sp.Eq(OverAll(f(y) * (beta * sp.log(f(y) / p(y)) - likelihood), y), -beta * sp.log(c), evaluate=False),
                "At $q = f$ the divergence vanishes.",
                wrong_form=beta * sp.log(c),
            ),
            Step(
                "The tempered posterior is Gaussian",
                sp.Eq(
                    SquaredNorm(code) + SquaredNorm(x - W * code) / t,
                    SquaredNorm(code - m, P) + SquaredNorm(x) / t - SquaredNorm(m, P),
                    evaluate=False,
                ),
                "The left side is $-2\\log [p(z) p(x|z)^{1/\\beta}]$ up to a constant; complete the square in $z$.",
                let=(PRECISION, Let(m, P.I * W.T * x / t, "the mean")),
                wrong_form=SquaredNorm(code - m, P) + SquaredNorm(x) / t,
            ),
            Step(
                square,
                sp.Eq(lhs - rhs, missed + beta * spread / 2, evaluate=False),
                "A general encoder $(V, Q)$ is compared with that of gain $V_o$ and precision $P$, by the formula of "
                "the loss.",
                let=(
                    BEST_GAIN,
                    Let(lhs, loss_at_level(), "the loss of any encoder, with $\\sigma^2 = t/\\beta$"),
                    Let(rhs, loss_at_level(best, P.I), "the loss of the proposed encoder"),
                ),
                wrong_form=missed - beta * spread / 2,
            ),
            Step(
                "No encoder is better",
                sp.Ge(lhs, rhs, evaluate=False),
                "Neither term is negative.",
                uses=(
                    Use(square),
                    use_trace(P, V - best, S, times=beta / 2),
                    use_product(P, Q, times=beta / 2),
                ),
            ),
            Step(
                "Another covariance is worse",
                sp.Gt(lhs, rhs, evaluate=False),
                "The second term is then positive.",
                where=(sp.Ne(Q, P.I, evaluate=False),),
                uses=(
                    Use(square),
                    use_trace(P, V - best, S, times=beta / 2),
                    use_product(P, Q, times=beta / 2, strict=True),
                ),
            ),
            Step(
                "Another gain is worse",
                sp.Gt(lhs, rhs, evaluate=False),
                "The first term is then positive, as $S$ is positive definite.",
                where=(sp.Ne(V - best, sp.ZeroMatrix(K, D), evaluate=False),),
                uses=(
                    Use(square),
                    use_trace(P, V - best, S, times=beta / 2, strict=True),
                    use_product(P, Q, times=beta / 2),
                ),
            ),
            Step(
                "The best gain",
                sp.Eq(best * W, sp.Identity(K) - P.I, evaluate=False),
                "Decoding a code $z$ and encoding it again gives $z - P^{-1} z$, with $P^{-1}$ the posterior "
                "covariance.",
                wrong_form=sp.Identity(K) - P,
            ),
        ),
        results=(square,),
        sources=(Source("sikka2019", "in its setting; its own formulas were not consulted"),),
        builds_on=("elbo-parts", "gibbs-inequality", "matrix-inequalities"),
    )

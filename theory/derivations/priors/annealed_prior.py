"""Page: the weight beta as an annealed prior."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K, Q, S, V, W, beta
from theory.derivations.engine.operators import LogDet, OverAll, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.foundations.elbo_parts import distortion, reconstruction


def derivation() -> Derivation:
    log_q, log_p, log_x = sp.symbols("L_q L_p L_d", real=True)
    log_f, log_norm = sp.symbols("L_f phi", real=True)
    # Densities of data x and latents z in any spaces, and the logarithm of the annealed prior.
    x, z = sp.symbols("x z", real=True)
    m, q, p = (sp.Function(name, positive=True) for name in ("m", "q", "p"))
    likelihood, annealed = sp.Function("a", real=True)(z, x), sp.Function("h")(z)
    log_ratio = sp.log(q(z, x)) - sp.log(p(z))
    w = sp.Symbol("w", real=True)
    s, nu, b = sp.symbols("s nu b", positive=True)
    Pi, mu, y = sp.MatrixSymbol("Pi", K, K), sp.MatrixSymbol("mu", K, 1), sp.MatrixSymbol("y", K, 1)
    density = sp.exp(-(w**2) / (2 * s**2)) / (s * sp.sqrt(2 * sp.pi))
    root = sp.sqrt(beta)

    def mean(function):
        return OverAll(m(x) * OverAll(q(z, x) * function, z), x)

    def divergence(place, covariance):
        return (sp.Trace(Pi.I * covariance) + SquaredNorm(place, Pi.I) - K + LogDet(Pi) - LogDet(covariance)) / 2

    def rate(encoder, posterior):
        code = encoder * S * encoder.T + posterior
        return (sp.Trace(Pi.I * code) - K + LogDet(Pi) - LogDet(posterior)) / 2

    def log_gaussian(covariance):
        return -(K * sp.log(2 * sp.pi) + LogDet(covariance) + SquaredNorm(y, covariance.I)) / 2

    constant, old, new = sp.symbols("c k k_s", real=True)
    old_distortion, new_distortion, old_rate, new_rate = sp.symbols("d d_s rho rho_s", real=True)
    gaussian_norm, of_gaussian, of_annealed = sp.symbols("phi_o L_o L_a", real=True)
    moved = (root * V, beta * Q, W / root)
    kept = (beta - 1) * LogDet(beta * Q) / 2
    return Derivation(
        name="annealed-prior",
        title="The weight beta as an annealed prior",
        statement=(
            Claim(
                "With $f = p^{\\beta}/F$ and $F = \\int p(z)^{\\beta} dz$, point by point $\\log p(x|z) - \\beta "
                "\\log(q/p) = \\log p(x|z) - \\log(q/f) - (\\beta - 1) \\log q + \\log F$, where $q = q(z|x)$ and $p = "
                "p(z)$.",
                by=("The identity, point by point",),
            ),
            Claim(
                "In the expectation over $q(z|x)$, averaged over the data, the objective of weight $\\beta$ is that of "
                "weight 1 with the prior $f$, plus $(\\beta - 1)$ times the entropy of $q(z|x)$, plus $\\log F$.",
                by=("The identity in expectation",),
            ),
            Claim(
                "For the prior $N(0, \\Pi)$ the annealed prior is $N(0, \\Pi/\\beta)$, with $\\log F = (1 - \\beta) (K "
                "\\log 2\\pi + \\log\\det\\Pi)/2 - (K/2) \\log\\beta$.",
                by=("A Gaussian prior",),
            ),
            Claim(
                "For a Gaussian prior the latents can be scaled by $\\sqrt\\beta$ instead: with the decoder "
                "$W/\\sqrt\\beta$ the encoder $N(\\sqrt\\beta V x, \\beta Q)$ has the same reconstruction.",
                by=("The scaled latents",),
            ),
            Claim(
                "Weight 1 on the new divergence then replaces weight $\\beta$ on the old, and only "
                "$((\\beta - 1)/2) \\log\\det Q'$ with $Q' = \\beta Q$ and a constant remain: at one data point, and "
                "in the loss.",
                by=("Gaussian corollary", "The loss after the scaling"),
            ),
        ),
        assumptions=(
            "$F = \\int p(z)^{\\beta} dz$ is finite. Here objectives are to be maximised, as in the source: "
            "they are minus the loss.",
        ),
        scope=(
            "The identity holds for every density, on any space; the Gaussian prior for every $K$ and $D$. The two "
            "integrals are in one dimension."
        ),
        matrices=dict.fromkeys((Pi, Q, S), "positive"),
        functions={m: "density", q: "density", p: "density", likelihood.func: "real"},
        steps=(
            Step(
                "The identity, point by point",
                sp.Eq(
                    log_x - beta * (log_q - log_p),
                    log_x - (log_q - log_f) + (beta - 1) * (-log_q) + log_norm,
                    evaluate=False,
                ),
                "With $L_d, L_q, L_p$ the logarithms of $p(x|z)$, $q(z|x)$, $p(z)$ at one point.",
                let=(
                    Let(log_f, beta * log_p - log_norm, "the logarithm of the annealed prior, with $\\phi = \\log F$"),
                ),
                wrong_form=log_x - (log_q - log_f) + (beta - 1) * log_q + log_norm,
            ),
            Step(
                "The identity in expectation",
                sp.Eq(
                    mean(likelihood - beta * log_ratio),
                    mean(likelihood - (sp.log(q(z, x)) - annealed)) + (beta - 1) * mean(-sp.log(q(z, x))) + log_norm,
                    evaluate=False,
                ),
                "Multiply by $q(z|x)$, written $q(z, x)$, integrate over $z$, and average over data of density $m(x)$. "
                "Here $a(z, x)$ is $\\log p(x|z)$. The left side is the objective of weight $\\beta$; on the "
                "right are that of weight 1 with the prior $f$, and the entropy.",
                let=(Let(annealed, beta * sp.log(p(z)) - log_norm, "$\\log f(z)$, of the annealed prior"),),
                wrong_form=mean(likelihood - (sp.log(q(z, x)) - annealed))
                - (beta - 1) * mean(-sp.log(q(z, x)))
                + log_norm,
            ),
            Step(
                "A Gaussian prior",
                sp.Eq(beta * of_gaussian, of_annealed + gaussian_norm, evaluate=False),
                "At every $y$ the logarithm of $p^{\\beta}$ is that of the density $N(0, \\Pi/\\beta)$ plus a "
                "constant, so that the integral of $p^{\\beta}$ is the exponential of this constant.",
                let=(
                    Let(of_gaussian, log_gaussian(Pi), "the log density of $N(0, \\Pi)$ at $y$"),
                    Let(of_annealed, log_gaussian(Pi / beta), "the log density of $N(0, \\Pi/\\beta)$ at $y$"),
                    Let(
                        gaussian_norm,
                        (1 - beta) * (K * sp.log(2 * sp.pi) + LogDet(Pi)) / 2 - K * sp.log(beta) / 2,
                        "the logarithm of $F$ for this prior",
                    ),
                ),
                wrong_form=of_annealed - gaussian_norm,
            ),
            Step(
                "Normalisation of a Gaussian prior",
                sp.Eq(
                    sp.Integral(density**beta, (w, -sp.oo, sp.oo)),
                    (2 * sp.pi * s**2) ** ((1 - beta) / 2) / sp.sqrt(beta),
                    evaluate=False,
                ),
                "The same in one dimension, $\\Pi = s^2$, as an integral.",
            ),
            Step(
                "Normalisation of a Student prior",
                sp.Eq(
                    sp.Integral((1 + w**2 / nu) ** (-b - sp.Rational(1, 2)), (w, -sp.oo, sp.oo)),
                    sp.sqrt(sp.pi * nu) * sp.gamma(b) / sp.gamma(b + sp.Rational(1, 2)),
                    evaluate=False,
                ),
                "Annealing a Student density with $\\nu$ degrees of freedom gives the exponent $\\beta(\\nu+1)/2 = b "
                "+ 1/2$; the integral is finite for $b > 0$, that is $\\beta(\\nu + 1) > 1$.",
            ),
            Step(
                "The scaled latents",
                sp.Eq(new_distortion, old_distortion, evaluate=False),
                "The code is $\\sqrt\\beta z$, and the decoder undoes the scaling: $(W/\\sqrt\\beta) (\\sqrt\\beta z) "
                "= W z$.",
                let=(
                    Let(old_distortion, distortion(), "the expected squared error"),
                    Let(new_distortion, distortion(*moved), "that of the scaled latents"),
                ),
                wrong_form=distortion(root * V, beta * Q),
            ),
            Step(
                "Gaussian corollary",
                sp.Eq(-beta * old, -new + kept + constant, evaluate=False),
                "At one data point, with $\\mu = V x$. By the page on Gaussians the divergence of $N(\\mu, Q)$ from "
                "the prior is $k$; for the scaled latents it is $k_s$.",
                let=(
                    Let(old, divergence(mu, Q), "the divergence of $N(\\mu, Q)$ from the prior"),
                    Let(new, divergence(root * mu, beta * Q), "that of $N(\\sqrt\\beta \\mu, \\beta Q)$"),
                    Let(
                        constant,
                        K * (beta - 1) * (1 + sp.log(2 * sp.pi / beta)) / 2 + gaussian_norm,
                        "a constant, in which the last term is $\\phi_o$",
                    ),
                ),
            ),
            Step(
                "The loss after the scaling",
                sp.Eq(
                    -(reconstruction(old_distortion) + beta * old_rate),
                    -(reconstruction(new_distortion) + new_rate) + kept + constant,
                    evaluate=False,
                ),
                "Averaged over data of covariance $S$: on the left the objective of weight $\\beta$ with the prior "
                "$N(0, \\Pi)$, on the right that of weight 1 with the scaled latents.",
                let=(
                    Let(old_rate, rate(V, Q), "the rate, which is the mean of $k$"),
                    Let(new_rate, rate(root * V, beta * Q), "that of the scaled latents, the mean of $k_s$"),
                ),
                wrong_form=-(reconstruction(new_distortion) + new_rate) - kept + constant,
            ),
        ),
        results=("The identity in expectation", "Gaussian corollary"),
        sources=(Source("mathieu2019", "Theorem 1 and its Gaussian corollary"),),
        builds_on=("gaussian-kl", "elbo-parts"),
    )

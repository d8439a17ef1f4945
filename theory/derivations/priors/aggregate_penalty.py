"""Page: a penalty on the aggregate code, and the mean of a kernel."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, K, Q, S, beta
from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use
from theory.derivations.foundations.elbo_parts import AGGREGATE, aggregate_kl, mutual_information, rate
from theory.derivations.foundations.matrix_inequalities import use_tangent


def derivation() -> Derivation:
    alpha, c, v, s, x, a = sp.symbols("alpha c v s x a", positive=True)
    of_code, of_prior, b, h = sp.symbols("v_z v_p b h", positive=True)
    distance, w = sp.Symbol("d", nonnegative=True), sp.Symbol("w", real=True)
    y, z, u = (sp.MatrixSymbol(name, K, 1) for name in "yzu")
    Pi, code, H = (sp.MatrixSymbol(name, K, K) for name in ("Pi", "C_z", "H"))
    normal = sp.exp(-(w**2) / (2 * v)) / sp.sqrt(2 * sp.pi * v)
    mixture = sp.Integral(sp.exp(-x) * sp.sqrt(a) / sp.sqrt(a + x), (x, 0, sp.oo))
    narrow, wide = sp.symbols("L_H L_u", real=True)
    tangent = "A root lies above its tangents"

    def log_ratio(draw):
        return (LogDet(code) + SquaredNorm(draw, code.I) - LogDet(Pi) - SquaredNorm(draw, Pi.I)) / 2

    def log_density(precision):
        return -(K * sp.log(2 * sp.pi) - LogDet(precision) + SquaredNorm(u, precision)) / 2

    def divergence(first, second):
        return (sp.Trace(second.I * first) - K + LogDet(second) - LogDet(first)) / 2

    def of_variance(variance):
        """The mean of one Gaussian of the kernel is one over the root of this."""
        return 1 + 2 * s * variance / c

    between = of_variance(of_code + of_prior)
    return Derivation(
        name="aggregate-penalty",
        title="A penalty on the aggregate code",
        statement=(
            Claim(
                "With the penalty $\\alpha KL(q(z) || p)$ overlap (the mutual information) and fit (the "
                "divergence from the prior) of the code have separate weights, $\\beta$ and $\\alpha + "
                "\\beta$.",
                by=("The exclusive penalty",),
            ),
            Claim(
                "With a learned decoder and the prior $N(0, I)$ the penalty changes nothing: for every decoder and "
                "encoder it adds something that is not negative, and it is zero at the optimum without penalty, where "
                "$q(z) = p$. So the least loss is the same, and it is attained there.",
                by=(
                    "The penalty is not negative",
                    "Another code is penalised",
                    "aggregate-posterior: Covariance of the code",
                    "aggregate-posterior: No divergence from the prior",
                ),
            ),
            Claim(
                "An encoder whose code has another covariance pays for it.",
                by=("Another code is penalised",),
            ),
            Claim(
                "The inclusive divergence $KL(p || q(z))$ is not negative either; the sum of both has no determinants.",
                by=("The inclusive penalty is not negative", "The two directions"),
            ),
            Claim(
                "In every dimension the kernel $c/(c + ||u||^2)$ is a mixture $\\int_0^\\infty e^{-s} e^{-s ||u||^2/c} "
                "ds$ of Gaussians, and the mean of each over $u \\sim N(0, \\Pi)$ is $\\det(I + 2 s \\Pi/c)^{-1/2}$.",
                by=("The kernel as a mixture of Gaussians", "The mean of each Gaussian", "Its determinant"),
            ),
            Claim(
                "For the discrepancy with kernel $c/(c + u^2)$ the mean over $u \\sim N(0, v)$ is "
                "$\\int_0^\\infty \\sqrt{a/(a + s)} e^{-s} ds$ with $a = c/(2 v)$.",
                by=("The mixture of the means",),
            ),
            Claim(
                "This integral is $\\sqrt{\\pi a} e^a erfc(\\sqrt a)$.",
                by=("Mean of the kernel",),
            ),
            Claim(
                "The discrepancy of one latent from its prior is not negative: with variances $v_z$ of a latent's "
                "code and $v_p$ of its prior, each Gaussian of the mixture contributes $(1 + 4 s v_z/c)^{-1/2} + (1 + "
                "4 s v_p/c)^{-1/2} - 2 (1 + 2 s (v_z + v_p)/c)^{-1/2} \\ge 0$.",
                by=("The kernel as a mixture of Gaussians", "Each Gaussian of the discrepancy"),
            ),
        ),
        assumptions=(
            "Prior $N(0, I)$ in the first step, $N(0, \\Pi)$ of any covariance in the others; $q(z)$ is Gaussian. The "
            "discrepancy of two distributions is the mean kernel within each, less twice that between them; erfc is "
            "the complementary error function.",
        ),
        scope=(
            "The weights, the penalties and the mixture for every $K$; the mean of the kernel for every $c$ and $v$. "
            "That the optimum with a learned decoder has $q(z) = p$ is on the page of the aggregate posterior."
        ),
        matrices=dict.fromkeys((C, Q, S, Pi, H, code), "positive"),
        moments={y: Pi, z: code},
        steps=(
            Step(
                "The exclusive penalty",
                sp.Eq(
                    beta * rate() + alpha * aggregate_kl(),
                    beta * mutual_information() + (alpha + beta) * aggregate_kl(),
                    evaluate=False,
                ),
                "The rate is the mutual information plus the same divergence.",
                let=(AGGREGATE,),
            ),
            Step(
                "The penalty is not negative",
                sp.Ge(alpha * divergence(code, Pi), 0, evaluate=False),
                "With $C_z$ the covariance of the code, for any Gaussian prior: the log determinant lies below its "
                "tangent at $\\Pi$.",
                uses=(use_tangent(code, Pi, times=alpha / 2),),
            ),
            Step(
                "Another code is penalised",
                sp.Gt(alpha * divergence(code, Pi), 0, evaluate=False),
                "Elsewhere it lies strictly below.",
                where=(sp.Ne(code, Pi, evaluate=False),),
                uses=(use_tangent(code, Pi, times=alpha / 2, strict=True),),
            ),
            Step(
                "The inclusive penalty is not negative",
                sp.Ge(alpha * divergence(Pi, code), 0, evaluate=False),
                "The same with $C_z$ and $\\Pi$ exchanged.",
                uses=(use_tangent(Pi, code, times=alpha / 2),),
            ),
            Step(
                "The two directions",
                sp.Eq(
                    Expectation(log_ratio(y)) - Expectation(log_ratio(z)),
                    (sp.Trace(code.I * Pi) + sp.Trace(Pi.I * code)) / 2 - K,
                    evaluate=False,
                ),
                "With $y$ a draw of the prior, $z$ one of the code and $\\log p/q(z)$ in the brackets: the inclusive "
                "divergence $KL(p || q(z))$ plus the exclusive one. In the sum the determinants cancel.",
                wrong_form=(sp.Trace(code.I * Pi) - sp.Trace(Pi.I * code)) / 2,
            ),
            Step(
                "The kernel as a mixture of Gaussians",
                sp.Eq(
                    sp.Integral(sp.exp(-x * (1 + distance / c)), (x, 0, sp.oo)),
                    c / (c + distance),
                    evaluate=False,
                ),
                "The integral of an exponential function of $x$. Here $d = ||u||^2$ is the squared distance of two "
                "points, of any dimension.",
            ),
            Step(
                "The mean of each Gaussian",
                sp.Eq(wide - s * SquaredNorm(u) / c, narrow - LogDet(Pi * H) / 2, evaluate=False),
                "The product of the density of $N(0, \\Pi)$ and $e^{-s ||u||^2/c}$ is, at every $u$, a Gaussian "
                "density times $\\det(\\Pi H)^{-1/2}$: the integral of the product is this number.",
                let=(
                    Let(
                        H,
                        Pi.I + 2 * s * sp.Identity(K) / c,
                        "the precision of the product",
                        rule=(Pi.I, H - 2 * s * sp.Identity(K) / c),
                    ),
                    Let(
                        wide,
                        -(K * sp.log(2 * sp.pi) + LogDet(Pi) + SquaredNorm(u, Pi.I)) / 2,
                        "the log density of $N(0, \\Pi)$ at $u$",
                    ),
                    Let(narrow, log_density(H), "that of $N(0, H^{-1})$"),
                ),
                wrong_form=narrow + LogDet(Pi * H) / 2,
            ),
            Step(
                "Its determinant",
                sp.Eq(Pi * (Pi.I + 2 * s * sp.Identity(K) / c), sp.Identity(K) + 2 * s * Pi / c, evaluate=False),
                "So the mean is $\\det(I + 2 s \\Pi/c)^{-1/2}$; for one latent of variance $v$ it is $(1 + 2 s "
                "v/c)^{-1/2}$, that is $\\sqrt{a/(a + s)}$ with $a = c/(2 v)$.",
            ),
            Step(
                "The mixture of the means",
                sp.Eq(
                    sp.Integral(normal * c / (c + w**2), (w, -sp.oo, sp.oo)),
                    mixture,
                    evaluate=False,
                ),
                "The mean of the kernel of one latent on the left. On the right the mean of each Gaussian, with $x$ in "
                "place of $s$.",
                let=(Let(a, c / (2 * v), "the ratio of kernel and variance"),),
            ),
            Step(
                "Mean of the kernel",
                sp.Eq(mixture, sp.sqrt(sp.pi * a) * sp.exp(a) * sp.erfc(sp.sqrt(a)), evaluate=False),
                "The slope of $-\\sqrt{\\pi a} e^a erfc(\\sqrt{a + x})$ in $x$ is what is integrated.",
            ),
            Step(
                tangent,
                sp.Ge(1 / sp.sqrt(b) - 1 / sp.sqrt(h) + (b - h) / (2 * h * sp.sqrt(h)), 0, evaluate=False),
                "One over a root is a convex function, and this is its distance at $b$ from the tangent at $h$.",
                least_at=(b, h),
            ),
            Step(
                "Each Gaussian of the discrepancy",
                sp.Ge(
                    1 / sp.sqrt(of_variance(2 * of_code)) + 1 / sp.sqrt(of_variance(2 * of_prior)),
                    2 / sp.sqrt(between),
                    evaluate=False,
                ),
                "The discrepancy is the mean of the kernel over pairs of the code, plus that over pairs of the prior, "
                "less twice that over mixed pairs, whose differences have the variances $2 v_z$, $2 v_p$ and $v_z + "
                "v_p$.",
                uses=tuple(Use(tangent, {b: of_variance(2 * one), h: between}) for one in (of_code, of_prior)),
            ),
        ),
        results=("The exclusive penalty", "Mean of the kernel"),
        sources=(Source("mathieu2019", "its objective of two weights, in the linear-Gaussian setting"),),
        builds_on=("elbo-parts", "matrix-inequalities", "aggregate-posterior"),
    )

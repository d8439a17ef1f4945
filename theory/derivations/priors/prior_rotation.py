"""Page: which priors fix the axes of the code: none for Gaussian data."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K, Q, S, V, W
from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.foundations.elbo_parts import distortion


def derivation() -> Derivation:
    T, rotation_matrix, C = (sp.MatrixSymbol(name, K, K) for name in ("T", "O", "C"))
    root, target, change = (sp.MatrixSymbol(name, K, K) for name in ("L", "L_o", "T_o"))
    z = sp.MatrixSymbol("z", K, 1)
    b, nu = sp.symbols("b nu", positive=True)
    e = sp.Symbol("e", real=True)
    density, prior, rotated_prior = sp.symbols("f p p_r", positive=True)
    before, after = sp.symbols("d d_r", real=True)
    moved = (T * V, T * Q * T.T, W * T.I)
    student = sp.log(b) / 2 - (nu + 1) * sp.log(1 + b * e**2 / nu) / 2
    return Derivation(
        name="prior-rotation",
        title="No prior fixes the axes of Gaussian data",
        statement=(
            Claim(
                "With a learned decoder and a full posterior covariance every optimum for any prior "
                "belongs to an orbit of optima under the orthogonal matrices.",
                by=(
                    "Distortion in another basis",
                    "Mutual information in another basis",
                    "The optima form an orbit",
                ),
                argued=True,
            ),
            Claim(
                "Reconstruction and mutual information there are the same for every prior.",
                by=(
                    "The rate is information and a divergence",
                    "Distortion in another basis",
                    "Mutual information in another basis",
                ),
                argued=True,
            ),
            Claim(
                "The loss is larger by $\\beta$ times the divergence of the nearest Gaussian from the prior.",
                by=(
                    "The rate is information and a divergence",
                    "Distortion in another basis",
                    "Mutual information in another basis",
                ),
                argued=True,
            ),
        ),
        assumptions=(
            "The code is Gaussian with mean zero and covariance $C = V S V^T + Q$; the prior has any density $p$ for "
            "which some Gaussian of mean zero is nearest.",
        ),
        scope=(
            "The change of basis for every $K$, $D$ and prior; the nearest Gaussian of a product of identical "
            "densities by Hadamard's inequality, and its uniqueness for Student densities."
        ),
        matrices={
            Q: "positive",
            S: "positive",
            C: "positive",
            rotation_matrix: "orthogonal",
            T: "invertible",
            root: "invertible",
        },
        moments={z: C},
        steps=(
            Step(
                "The rate is information and a divergence",
                sp.Eq(
                    Expectation(-(K * sp.log(2 * sp.pi) + LogDet(C) + SquaredNorm(z, C.I)) / 2),
                    -K * (1 + sp.log(2 * sp.pi)) / 2 - LogDet(C) / 2,
                    evaluate=False,
                ),
                "The expectation of $\\log q(z)$; that of $\\log q(z|x)$ is the same with $Q$ in place of $C$, so "
                "the two "
                "differ by the mutual information $(\\log\\det C - \\log\\det Q)/2$. The prior enters the rate only "
                "through what is left, the divergence of $N(0, C)$ from it: the expectation of $\\log q(z)/p(z)$.",
                wrong_form=-K * (1 + sp.log(2 * sp.pi)) / 2 + LogDet(C) / 2,
            ),
            Step(
                "Distortion in another basis",
                sp.Eq(distortion(*moved), distortion(), evaluate=False),
                "Let the code be $T z$ and the decoder undo it.",
                wrong_form=distortion(V, 2 * Q),
            ),
            Step(
                "Mutual information in another basis",
                sp.Eq(
                    (LogDet(T * C * T.T) - LogDet(T * Q * T.T)) / 2,
                    (LogDet(C) - LogDet(Q)) / 2,
                    evaluate=False,
                ),
                "Both determinants take the factor $(\\det T)^2$. So the divergence can be minimised, at $C = M$, "
                "without a change of the other parts: both reach their minimum together.",
                wrong_form=(LogDet(C) + LogDet(Q)) / 2,
            ),
            Step(
                "The optima form an orbit",
                sp.Eq(change * root * root.T * change.T, target * target.T, evaluate=False),
                "Let $L L^T$ be the covariance of the code and $L_o L_o^T = M$ the one nearest to the prior. For every "
                "orthogonal $O$ this change of basis turns the one into the other: the axes are free.",
                let=(Let(change, target * rotation_matrix * root.I, "a change of basis"),),
                wrong_form=2 * target * target.T,
            ),
            Step(
                "Identical Student densities",
                sp.Eq(
                    sp.Derivative(student, b),
                    (1 - (nu + 1) * b * e**2 / (nu + b * e**2)) / (2 * b),
                    evaluate=False,
                ),
                "For a product of densities correlations only reduce the entropy, and each variance $b$ maximises the "
                "mean of this over $e \\sim N(0, 1)$ (up to a constant): the same $b$ for all latents if the maximiser "
                "is unique.",
            ),
            Step(
                "The maximiser is unique",
                sp.Ge(sp.Derivative(b * e**2 / (nu + b * e**2), b), 0, evaluate=False),
                "The bracket falls from 1 to $-\\nu$ as $b$ grows, so its mean has one zero: the aggregate at the "
                "optimum is a multiple of the identity.",
            ),
            Step(
                "Factors that are not Gaussian",
                sp.Eq(sp.log(prior / rotated_prior), after - before, evaluate=False),
                "At one point, with $f$ the density of the code, $p$ that of the prior there and $p_r$ that of the "
                "prior "
                "at the rotated point. The means of the ratios are divergences, so the energy "
                "is what the rotation adds. If the distribution of the code is the prior, it starts from zero: "
                "positive unless the rotation leaves the prior invariant.",
                let=(
                    Let(before, sp.log(density / prior), "the log ratio of code and prior"),
                    Let(after, sp.log(density / rotated_prior), "the same for the rotated code"),
                ),
                wrong_form=after + before,
            ),
        ),
        results=("The rate is information and a divergence", "The optima form an orbit"),
        sources=(
            Source("mathieu2019", "in its setting; the linear-Gaussian model differs from it in the orbit of optima"),
        ),
        builds_on=("elbo-parts", "hadamard-gap"),
    )

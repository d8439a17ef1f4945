"""Page: which priors fix the axes of the code: none for Gaussian data."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K, Q, S, V, W
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Derivation, Let, Source, Step
from theory.derivations.foundations.elbo_parts import distortion


def derivation() -> Derivation:
    T, rotation_matrix, C, M = (sp.MatrixSymbol(name, K, K) for name in ("T", "O", "C", "M"))
    root, target = sp.MatrixSymbol("L", K, K), sp.MatrixSymbol("L_o", K, K)
    expected = sp.Symbol("l_p", real=True)
    b, nu = sp.symbols("b nu", positive=True)
    e = sp.Symbol("e", real=True)
    log_q, log_p, log_rotated = sp.symbols("l_z l_s l_r", real=True)
    divergence, before, after = sp.symbols("k_a d d_r", real=True)
    whole = K * (1 + sp.log(2 * sp.pi)) / 2
    moved = (T * V, T * Q * T.T, W * T.I)
    student = sp.log(b) / 2 - (nu + 1) * sp.log(1 + b * e**2 / nu) / 2
    return Derivation(
        name="prior-rotation",
        title="No prior fixes the axes of Gaussian data",
        statement=(
            "With a learned decoder and a full posterior covariance every optimum for any prior belongs to an orbit of "
            "optima under the orthogonal matrices. Reconstruction and mutual information there are the same for every "
            "prior; the loss is larger by $\\beta$ times the divergence of the nearest Gaussian from the prior."
        ),
        assumptions=(
            "The code is Gaussian with mean zero and covariance $C = V S V^T + Q$; the prior has any density $p$ for "
            "which some Gaussian of mean zero is nearest.",
        ),
        scope=(
            "The change of basis for every $K$, $D$ and prior; the nearest Gaussian of a product of identical "
            "densities by Hadamard's inequality, and its uniqueness for Student densities."
        ),
        matrices={Q: "positive", S: "positive", C: "positive", M: "positive", rotation_matrix: "orthogonal"},
        steps=(
            Step(
                "The rate is information and a divergence",
                sp.Eq(
                    -(whole + LogDet(Q) / 2) - expected,
                    (LogDet(C) - LogDet(Q)) / 2 + divergence,
                    evaluate=False,
                ),
                "The expected log prior $l_p$ is an expectation over the aggregate code, so the prior enters only "
                "through the divergence of $N(0, C)$ from it.",
                let=(
                    Let(divergence, -(whole + LogDet(C) / 2) - expected, "the divergence of $N(0, C)$ from the prior"),
                ),
                wrong_form=(LogDet(C) + LogDet(Q)) / 2 + divergence,
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
                sp.Eq(target * rotation_matrix * root.I * C * (target * rotation_matrix * root.I).T, M, evaluate=False),
                "With $T = L_o O L^{-1}$ for every orthogonal $O$ the code has the required covariance: the axes are "
                "free.",
                let=(
                    Let(C, root * root.T, "a factorisation of the covariance of the code"),
                    Let(M, target * target.T, "a factorisation of the covariance nearest to the prior"),
                ),
                wrong_form=2 * M,
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
                sp.Eq(log_p - log_rotated, after - before, evaluate=False),
                "At one point, with $l_z$ the logarithm of the density of the code, $l_s$ that of the prior there and "
                "$l_r$ that of the prior at the rotated point. The means of the ratios are divergences, so the energy "
                "is what the rotation adds. If the distribution of the code is the prior, it starts from zero: "
                "positive unless the rotation leaves the prior invariant.",
                let=(
                    Let(before, log_q - log_p, "the log ratio of code and prior"),
                    Let(after, log_q - log_rotated, "the same for the rotated code"),
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

"""Page: the chain rule of total correlation, and why its weight does not matter at the optimum."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K, Q, S, V, W
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.foundations.elbo_parts import distortion

# Masks of three latents: single latents, and the groups {1, 2} and {3}.
ALONE = sp.ImmutableMatrix(sp.eye(3))
PAIRED = sp.ImmutableMatrix([[1, 1, 0], [1, 1, 0], [0, 0, 1]])


def derivation() -> Derivation:
    C = sp.MatrixSymbol("C", 3, 3)
    B1, B2 = sp.MatrixSymbol("B_1", 3, 3), sp.MatrixSymbol("B_2", 3, 3)
    pair = sp.MatrixSymbol("C_g", 2, 2)
    q, q1, q2, q3, q12 = sp.symbols("q q_1 q_2 q_3 q_12", positive=True)
    T, code = sp.MatrixSymbol("T", K, K), sp.MatrixSymbol("C_z", K, K)
    alone, grouped = sp.HadamardProduct(C, B1), sp.HadamardProduct(C, B2)
    select = sp.MatrixSymbol("E_g", 3, 2)
    between, inside = sp.symbols("b w", real=True)
    within = (LogDet(sp.HadamardProduct(pair, sp.Identity(2))) - LogDet(pair)) / 2
    moved = (T * V, T * Q * T.T, W * T.I)
    moved_code = T * code * T.T
    return Derivation(
        name="total-correlation",
        title="Total correlation: its chain rule, and why its weight does not matter at the optimum",
        statement=(
            Claim(
                "Total correlation is the sum of that between groups and that within groups.",
                by=(
                    "Chain rule, point by point",
                    "Chain rule of a Gaussian",
                ),
                argued=True,
            ),
            Claim(
                "With a learned decoder and prior $N(0, I)$ every weight $\\ge 0$ on total correlation and "
                "on the divergences of single latents has the same optimal value of the objective, for "
                "every data covariance.",
                by=(
                    "Distortion under a change of code",
                    "Mutual information under a change of code",
                    "A whitened code matches the prior",
                ),
                argued=True,
            ),
        ),
        assumptions=(
            "The weight of the mutual information is fixed; the decoder is free; the latents may be transformed by any "
            "invertible $T$.",
        ),
        scope=(
            "The chain rule point by point for the groups {1, 2} and {3} of any density, and entry by entry for "
            "Gaussians; the invariance for every $K$ and $D$."
        ),
        matrices=dict.fromkeys((C, Q, S, code), "positive") | {T: "invertible"},
        steps=(
            Step(
                "Chain rule, point by point",
                sp.Eq(sp.log(q / (q1 * q2 * q3)), between + inside, evaluate=False),
                "With $q$ the joint density, $q_{12}$ that of the group and $q_j$ those of single latents: "
                "expectations "
                "of these are the total correlation, that between and that within groups.",
                let=(
                    Let(between, sp.log(q / (q12 * q3)), "the log ratio between groups"),
                    Let(inside, sp.log(q12 / (q1 * q2)), "the log ratio within the group"),
                ),
                wrong_form=between - inside,
            ),
            Step(
                "Chain rule of a Gaussian",
                sp.Eq(
                    (LogDet(alone) - LogDet(C)) / 2,
                    (LogDet(grouped) - LogDet(C)) / 2 + within,
                    evaluate=False,
                ),
                "Each term is half of a Hadamard gap; a group of one has no total correlation within.",
                let=(
                    Let(B1, ALONE, "single latents"),
                    Let(B2, PAIRED, "the groups {1, 2} and {3}"),
                    Let(select, sp.ImmutableMatrix([[1, 0], [0, 1], [0, 0]]), "the selection of the first group"),
                    Let(pair, select.T * C * select, "the covariance of the first group"),
                ),
                sizes=({K: 3},),
                wrong_form=(LogDet(grouped) - LogDet(C)) / 2 - within,
            ),
            Step(
                "Distortion under a change of code",
                sp.Eq(distortion(*moved), distortion(), evaluate=False),
                "Transform the code by $T$ and let the decoder undo it.",
                wrong_form=distortion(V, 2 * Q),
            ),
            Step(
                "Mutual information under a change of code",
                sp.Eq(
                    (LogDet(moved_code) - LogDet(moved[1])) / 2,
                    (LogDet(code) - LogDet(Q)) / 2,
                    evaluate=False,
                ),
                "Both determinants take the factor $(\\det T)^2$. So any pair of distortion and information is "
                "possible with every covariance of the code.",
                wrong_form=(LogDet(code) + LogDet(Q)) / 2,
            ),
            Step(
                "A whitened code matches the prior",
                sp.Eq((sp.Trace(moved_code) - K - LogDet(moved_code)) / 2, 0, evaluate=False),
                "Choose $T$ so that the new code has covariance $I$: total correlation and divergences, which are "
                "parts of this, vanish; a rotation after it makes $Q$ diagonal and keeps $I$. Hence the least value "
                "with any weights $\\ge 0$ is the least value with weights 0.",
                let=(
                    Let(
                        code,
                        T.I * T.T.I,
                        "a whitening transformation",
                        rule=(T * code * T.T, sp.Identity(K)),
                        hypothesis=True,
                    ),
                ),
                wrong_form=K,
            ),
        ),
        results=("Chain rule of a Gaussian", "A whitened code matches the prior"),
        sources=(
            Source(
                "chen2022", "the subject; the theorem is this project's; the source's exact objective was not consulted"
            ),
        ),
        builds_on=("elbo-parts", "hadamard-gap"),
    )

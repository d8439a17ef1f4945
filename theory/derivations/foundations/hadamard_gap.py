"""Page: the Hadamard gap, the log determinant that the off-diagonal blocks of a matrix take away."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import n
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Step
from theory.derivations.foundations.matrix_inequalities import use_tangent


def derivation() -> Derivation:
    M, B = sp.MatrixSymbol("M", n, n), sp.MatrixSymbol("B", n, n)
    a, b = sp.symbols("a b", positive=True)
    r = sp.Symbol("r", real=True)
    two = sp.ImmutableMatrix([[a**2, r * a * b], [r * a * b, b**2]])
    kept, single = sp.HadamardProduct(M, B), sp.HadamardProduct(M, sp.Identity(n))
    gap = LogDet(kept) - LogDet(M)
    return Derivation(
        name="hadamard-gap",
        title="The Hadamard gap",
        statement=(
            Claim(
                "For a positive definite $M$ let $M \\circ B$ contain its blocks under a partition, and zeros "
                "elsewhere ($B$ is one inside the blocks and zero outside); then $gap(M) = \\log\\det(M \\circ B) - "
                "\\log\\det M$ is twice the divergence $KL(N(0, M) || N(0, M \\circ B))$.",
                by=("The gap is twice a divergence", "gaussian-kl: The divergence"),
            ),
            Claim("For every partition $gap(M) \\ge 0$.", by=("The gap is not negative",)),
            Claim("The gap is zero only if $M = M \\circ B$.", by=("The gap of a matrix with other entries",)),
            Claim(
                "A finer partition has no smaller gap: the gap of $M \\circ B$ under it is added. Single rows have the "
                "largest.",
                by=("The gap is not negative", "Single rows have the largest gap"),
            ),
            Claim(
                "For two variables of correlation $r$ the gap is $-\\log(1 - r^2)$.",
                by=("Two variables",),
            ),
        ),
        assumptions=("$M$ is positive definite.",),
        scope="For every size and every partition.",
        matrices={M: "positive", B: "partition"},
        steps=(
            Step(
                "The gap is twice a divergence",
                sp.Eq(sp.Trace(kept.I * M) - n + LogDet(kept) - LogDet(M), gap, evaluate=False),
                "The left side is twice $KL(N(0, M) || N(0, M \\circ B))$ by the page on Gaussians. The inverse of "
                "$M \\circ B$ has the same blocks, so the trace sees only the blocks of $M$: it is $n$.",
                wrong_form=-gap,
            ),
            Step(
                "The gap is not negative",
                sp.Ge(gap, 0, evaluate=False),
                "The log determinant lies below its tangent at $M \\circ B$.",
                uses=(use_tangent(M, kept),),
            ),
            Step(
                "The gap of a matrix with other entries",
                sp.Gt(gap, 0, evaluate=False),
                "Elsewhere it lies strictly below.",
                where=(sp.Ne(M, kept, evaluate=False),),
                uses=(use_tangent(M, kept, strict=True),),
            ),
            Step(
                "Single rows have the largest gap",
                sp.Ge(LogDet(single) - LogDet(kept), 0, evaluate=False),
                "The diagonal of $M$ is that of $M \\circ B$, whose own gap under the finest partition this is.",
                uses=(use_tangent(kept, single),),
            ),
            Step(
                "Two variables",
                sp.Eq(sp.log(a**2 * b**2) - LogDet(two), -sp.log(1 - r**2), evaluate=False),
                "For standard deviations $a$, $b$ and correlation $r$ the gap depends on the correlation alone.",
                where=(r > -1, r < 1),
            ),
        ),
        results=("The gap is twice a divergence", "The gap is not negative"),
        builds_on=("gaussian-kl", "matrix-inequalities"),
    )

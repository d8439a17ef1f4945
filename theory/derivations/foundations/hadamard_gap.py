"""Page: the Hadamard gap, the log determinant that the off-diagonal blocks of a matrix take away."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Step

# Masks of three latents: single latents, and the groups {1, 2} and {3}.
ALONE = sp.ImmutableMatrix(sp.eye(3))
PAIRED = sp.ImmutableMatrix([[1, 1, 0], [1, 1, 0], [0, 0, 1]])


def derivation() -> Derivation:
    B1, B2 = sp.MatrixSymbol("B_1", 3, 3), sp.MatrixSymbol("B_2", 3, 3)
    M = sp.MatrixSymbol("M", 3, 3)
    lam, a, b = sp.symbols("lambda a b", positive=True)
    r = sp.Symbol("r", real=True)
    two = sp.ImmutableMatrix([[a**2, r * a * b], [r * a * b, b**2]])

    def divergence(part):
        return (sp.Trace(part.I * M) - 3 + LogDet(part) - LogDet(M)) / 2

    alone, paired = sp.HadamardProduct(M, B1), sp.HadamardProduct(M, B2)
    return Derivation(
        name="hadamard-gap",
        title="The Hadamard gap",
        statement=(
            Claim(
                "For a positive definite $M$ let $M \\circ B$ contain its blocks under a partition, and "
                "zeros elsewhere ($B$ is one inside the blocks and zero outside); then $gap(M) = "
                "\\log\\det(M \\circ B) - \\log\\det M \\ge 0$.",
                by=(
                    "The gap is twice a divergence: each latent alone",
                    "The gap is twice a divergence: groups",
                    "A divergence is a sum over eigenvalues",
                ),
                argued=True,
            ),
            Claim(
                "The gap is zero only if $M = M \\circ B$.",
                by=(
                    "The gap is twice a divergence: each latent alone",
                    "The gap is twice a divergence: groups",
                    "A divergence is a sum over eigenvalues",
                ),
                argued=True,
            ),
        ),
        assumptions=("$M$ is positive definite.",),
        scope=(
            "The two identities are checked entry by entry for three latents, as single latents and in the groups {1, "
            "2} and {3}; the argument, that the trace involves only the blocks, is the same for every partition."
        ),
        matrices={M: "positive"},
        steps=(
            Step(
                "The gap is twice a divergence: each latent alone",
                sp.Eq(2 * divergence(alone), LogDet(alone) - LogDet(M), evaluate=False),
                "This is $KL(N(0, M) || N(0, M \\circ B))$ from the page on Gaussians: $(M \\circ B)^{-1}$ is diagonal "
                "too, so the trace is 3, one for each latent, and cancels.",
                let=(Let(B1, ALONE, "the partition into single latents"),),
                sizes=({K: 3},),
                wrong_form=LogDet(M) - LogDet(alone),
            ),
            Step(
                "The gap is twice a divergence: groups",
                sp.Eq(2 * divergence(paired), LogDet(paired) - LogDet(M), evaluate=False),
                "The same with blocks: the trace of $(M_{bb})^{-1} M_{bb}$ is the size of the block.",
                let=(Let(B2, PAIRED, "the partition into {1, 2} and {3}"),),
                sizes=({K: 3},),
                wrong_form=LogDet(M) - LogDet(paired),
            ),
            Step(
                "A divergence is a sum over eigenvalues",
                sp.Ge(lam - 1 - sp.log(lam), 0, evaluate=False),
                "With $\\lambda$ running over the eigenvalues of $(M \\circ B)^{-1} M$, twice the divergence is the "
                "sum of these: the gap is $\\ge 0$, and as the function is strictly convex it vanishes only if all "
                "eigenvalues are 1, that is $M = M \\circ B$.",
                least_at=(lam, sp.Integer(1)),
            ),
            Step(
                "Two latents",
                sp.Eq(
                    sp.log(a**2 * b**2) - LogDet(two),
                    -sp.log(1 - r**2),
                    evaluate=False,
                ),
                "For standard deviations $a$, $b$ and correlation $r$ the gap depends on the correlation alone.",
                where=(r > -1, r < 1),
            ),
        ),
        results=("The gap is twice a divergence: each latent alone", "The gap is twice a divergence: groups"),
        builds_on=("gaussian-kl",),
    )

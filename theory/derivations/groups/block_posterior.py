"""Page: which rotations of the latents cost nothing under a block-diagonal posterior."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K, P, beta
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    R, B, X = (sp.MatrixSymbol(name, K, K) for name in "RBX")
    c1, c2 = sp.symbols("c_1 c_2", positive=True)
    a = sp.Symbol("a", real=True)
    rotation_matrix = sp.ImmutableMatrix([[sp.cos(a), -sp.sin(a)], [sp.sin(a), sp.cos(a)]])
    modes = sp.ImmutableMatrix([[c1, 0], [0, c2]])
    U, M = sp.MatrixSymbol("U", 2, 2), sp.MatrixSymbol("M", 2, 2)
    energy = sp.Function("E")(a)
    mixed = (c1 - c2) ** 2 * sp.sin(a) ** 2 * sp.cos(a) ** 2
    blocks, index = sp.symbols("m i", integer=True, positive=True)
    size = sp.Symbol("b", positive=True)
    skew = sp.HadamardProduct(X - X.T, B)
    curvature = beta * (c1 - c2) ** 2 / (c1 * c2)

    def price(precision):
        return beta * (LogDet(sp.HadamardProduct(precision, B)) - LogDet(precision)) / 2

    def bend(expression):
        return sp.Subs(sp.Derivative(expression, (a, 2)), a, 0)

    return Derivation(
        name="block-posterior",
        title="A block-diagonal posterior: which rotations are free, and the cost of the others",
        statement=(
            Claim(
                "A rotation $R$ of the latents keeps the loss of the best full posterior, and changes the best "
                "precision $P$ to $R P R^T$. A block-diagonal family with blocks $B$ costs $(\\beta/2) [\\log\\det(P "
                "\\circ B) - \\log\\det P]$ more.",
                by=(
                    "rotation: Distortion does not change",
                    "rotation: Rate does not change",
                    "posterior-families: The price of a family",
                ),
            ),
            Claim(
                "A rotation inside the blocks does not change this price: it costs nothing.",
                by=("Inside the blocks",),
            ),
            Claim(
                "Let the precision be diagonal, and rotate two latents of precisions $c_1$, $c_2$ in different blocks "
                "by an angle $a$. This costs $E(a) = (\\beta/2)\\log(1 + (c_1-c_2)^2 \\sin^2 a \\cos^2 a/(c_1 c_2))$.",
                by=("posterior-families: The price of a family", "Across blocks"),
            ),
            Claim(
                "It is stationary at $a = 0$, where its curvature is $\\beta (c_1-c_2)^2/(c_1 c_2)$.",
                by=("Stationary at the optimum", "Stiffness"),
            ),
            Claim("For equal precisions it is zero at every angle.", by=("Ties",)),
            Claim("For distinct precisions the curvature is positive.", by=("No other plane",)),
            Claim(
                "With $m$ blocks of equal size $b$ and $K = m b$ there are $K (b - 1)/2$ planes of two latents in one "
                "block.",
                by=("Free planes of equal blocks",),
            ),
            Claim(
                "With distinct precisions these planes are free and no others.",
                by=("Inside the blocks", "No other plane"),
            ),
        ),
        assumptions=(
            "Prior $N(0, I)$; before the rotation the precision of the best posterior is diagonal, as at the optimum.",
            "The posterior is optimised again within its blocks.",
        ),
        scope=(
            "The rotations inside the blocks for every $K$, partition and precision; those across blocks for two "
            "latents among any number of others, and any angle. The count for every number and size of blocks."
        ),
        matrices={P: "positive", R: "orthogonal", B: "partition"},
        steps=(
            Step(
                "Inside the blocks",
                sp.Eq(price(R * P * R.T), price(P), evaluate=False),
                "A rotation inside the blocks is block-diagonal: it rotates the blocks of $P$, and $\\log\\det$ of "
                "the blocks and of $P$ stay as they are.",
                let=(
                    Let(
                        R,
                        (sp.Identity(K) - skew) * (sp.Identity(K) + skew).I,
                        "a rotation inside the blocks",
                        rule=(R, sp.HadamardProduct(R, B)),
                        hypothesis=True,
                    ),
                ),
                wrong_form=price(2 * P) + beta,
            ),
            Step(
                "Across blocks",
                sp.Eq(
                    beta * (LogDet(sp.HadamardProduct(M, sp.Identity(2))) - LogDet(M)) / 2,
                    beta * sp.log(1 + mixed / (c1 * c2)) / 2,
                    evaluate=False,
                ),
                "Of the two latents only the diagonal entries are in the blocks. The other latents have the same "
                "entries in the precision and in its blocks, and cancel.",
                let=(
                    Let(U, rotation_matrix, "the rotation of the two latents"),
                    Let(M, U * modes * U.T, "their rotated precision"),
                ),
                sizes=({K: 2},),
            ),
            Step(
                "Stationary at the optimum",
                sp.Eq(sp.Subs(sp.Derivative(energy, a), a, 0), 0, evaluate=False),
                "The axes of the modes are stationary.",
                let=(Let(energy, beta * sp.log(1 + mixed / (c1 * c2)) / 2, "the cost of the rotation"),),
                wrong_form=curvature,
            ),
            Step(
                "Stiffness",
                sp.Eq(bend(energy), curvature, evaluate=False),
                "To second order in the angle the logarithm is $(c_1 - c_2)^2 a^2/(c_1 c_2)$.",
            ),
            Step(
                "Ties",
                sp.Eq(sp.Subs(energy, c2, c1), 0, evaluate=False),
                "The axes are fixed up to rotations within a block and among ties, to which all collapsed latents "
                "belong.",
                wrong_form=beta,
            ),
            Step(
                "No other plane",
                sp.Gt(bend(energy), 0, evaluate=False),
                "The square of the difference of the precisions is positive: the cost is not zero at small angles.",
                where=(sp.Ne(c1, c2),),
            ),
            Step(
                "Free planes of equal blocks",
                sp.Eq(
                    sp.Sum(size * (size - 1) / 2, (index, 1, blocks)), blocks * size * (size - 1) / 2, evaluate=False
                ),
                "Each of the $m$ blocks has a plane for each pair of its $b$ latents.",
                wrong_form=blocks * size * (size + 1) / 2,
            ),
        ),
        results=("Stiffness", "Free planes of equal blocks"),
        sources=(
            Source("chen2022", "groups of latents are its subject; this interpretation of them is this project's"),
            Source("chen2025", "the term granularity is from there"),
        ),
        builds_on=("rotation", "posterior-families"),
    )

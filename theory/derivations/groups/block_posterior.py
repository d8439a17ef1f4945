"""Page: which rotations of the latents cost nothing under a block-diagonal posterior."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K, P, W, beta, t
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.inference.optimal_encoder import PRECISION


def derivation() -> Derivation:
    turn, B, X = (sp.MatrixSymbol(name, K, K) for name in "OBX")
    c1, c2 = sp.symbols("c_1 c_2", positive=True)
    theta = sp.Symbol("theta", real=True)
    rotation_matrix = sp.ImmutableMatrix([[sp.cos(theta), -sp.sin(theta)], [sp.sin(theta), sp.cos(theta)]])
    modes = sp.ImmutableMatrix([[c1, 0], [0, c2]])
    plane, rotated = sp.MatrixSymbol("O_1", 2, 2), sp.MatrixSymbol("H", 2, 2)
    energy = sp.Function("f")(theta)
    mixed = (c1 - c2) ** 2 * sp.sin(theta) ** 2 * sp.cos(theta) ** 2
    blocks, index = sp.symbols("m i", integer=True, positive=True)
    size = sp.Symbol("b", positive=True)
    skew = sp.HadamardProduct(X - X.T, B)
    curvature = beta * (c1 - c2) ** 2 / (c1 * c2)

    def price(precision):
        return beta * (LogDet(sp.HadamardProduct(precision, B)) - LogDet(precision)) / 2

    def bend(expression):
        return sp.Subs(sp.Derivative(expression, (theta, 2)), theta, 0)

    return Derivation(
        name="block-posterior",
        title="A block-diagonal posterior: which rotations are free, and the cost of the others",
        statement=(
            Claim(
                "A rotation $O$ of the latents, which makes the decoder $W O^T$, keeps the loss of the best full "
                "posterior, and changes its precision $P$ to $O P O^T$.",
                by=(
                    "rotation: Distortion does not change",
                    "rotation: Rate does not change",
                    "The rotated precision",
                ),
            ),
            Claim(
                "A family of block-diagonal covariances with blocks $B$ costs $(\\beta/2) [\\log\\det(P \\circ B) - "
                "\\log\\det P]$ more than a full covariance.",
                by=("posterior-families: The price of a family",),
            ),
            Claim(
                "A rotation inside the blocks does not change this price: it costs nothing.",
                by=("Inside the blocks",),
            ),
            Claim(
                "Let the precision be diagonal, and rotate two latents of precisions $c_1$, $c_2$ in different blocks "
                "by an angle $\\theta$. This costs $f(\\theta) = (\\beta/2)\\log(1 + (c_1-c_2)^2 \\sin^2\\theta "
                "\\cos^2\\theta/(c_1 c_2))$, since the other latents keep their entries, which are the same in the "
                "precision and in its blocks.",
                by=("posterior-families: The price of a family", "Across blocks"),
            ),
            Claim(
                "It is stationary at $\\theta = 0$, where its curvature is $\\beta (c_1-c_2)^2/(c_1 c_2)$.",
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
            "Prior $N(0, I)$; $W$ is the decoder and $t = \\beta\\sigma^2$ the water level. $B$ is one inside the "
            "blocks of the family and zero outside, and $P \\circ B$ contains the blocks of $P$.",
            "The rotation costs nothing if the loss stays the same after the posterior is optimised again within its "
            "blocks. Before the rotation of two latents the precision is diagonal, as at the optimum.",
        ),
        scope=(
            "The rotations inside the blocks for every $K$, partition and precision; those across blocks for two "
            "latents among any number of others, and any angle. The count for every number and size of blocks."
        ),
        matrices={P: "positive", turn: "orthogonal", B: "partition"},
        steps=(
            Step(
                "The rotated precision",
                sp.Eq(sp.Identity(K) + (W * turn.T).T * (W * turn.T) / t, turn * P * turn.T, evaluate=False),
                "On the left the precision of the best full posterior of the decoder $W O^T$.",
                let=(PRECISION,),
                wrong_form=turn.T * P * turn,
            ),
            Step(
                "Inside the blocks",
                sp.Eq(price(turn * P * turn.T), price(P), evaluate=False),
                "A rotation inside the blocks is block-diagonal, as $(I - Y) (I + Y)^{-1}$ with $Y = (X - X^T) \\circ "
                "B$: it rotates the blocks of $P$, and $\\log\\det$ of the blocks and of $P$ stay as they are.",
                let=(
                    Let(
                        turn,
                        (sp.Identity(K) - skew) * (sp.Identity(K) + skew).I,
                        "a rotation inside the blocks",
                        rule=(turn, sp.HadamardProduct(turn, B)),
                        hypothesis=True,
                    ),
                ),
                wrong_form=price(2 * P) + beta,
            ),
            Step(
                "Across blocks",
                sp.Eq(
                    beta * (LogDet(sp.HadamardProduct(rotated, sp.Identity(2))) - LogDet(rotated)) / 2,
                    energy,
                    evaluate=False,
                ),
                "Of the two latents only the diagonal entries are in the blocks. The other latents have the same "
                "entries in the precision and in its blocks, and cancel.",
                let=(
                    Let(plane, rotation_matrix, "the rotation of the two latents"),
                    Let(rotated, plane * modes * plane.T, "their rotated precision"),
                    Let(energy, beta * sp.log(1 + mixed / (c1 * c2)) / 2, "the cost of the rotation"),
                ),
                sizes=({K: 2},),
            ),
            Step(
                "Stationary at the optimum",
                sp.Eq(sp.Subs(sp.Derivative(energy, theta), theta, 0), 0, evaluate=False),
                "The cost is even in the angle.",
                wrong_form=curvature,
            ),
            Step(
                "Stiffness",
                sp.Eq(bend(energy), curvature, evaluate=False),
                "To second order in the angle the logarithm is $(c_1 - c_2)^2 \\theta^2/(c_1 c_2)$.",
            ),
            Step(
                "Ties",
                sp.Eq(sp.Subs(energy, c2, c1), 0, evaluate=False),
                "Latents of equal precision may be rotated among each other; all collapsed latents have the precision "
                "1.",
                wrong_form=beta,
            ),
            Step(
                "No other plane",
                sp.Gt(bend(energy), 0, evaluate=False),
                "The square of the difference of the precisions is positive: the cost is positive at small angles.",
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

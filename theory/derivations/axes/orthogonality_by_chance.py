"""Page: the distance to orthogonality of a random decoder with two latents."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    h, x, y = sp.symbols("h x y", real=True)
    O, X, Y = (sp.MatrixSymbol(name, K, K) for name in "OXY")  # noqa: E741
    turned, by_x, quarter, further = (sp.MatrixSymbol(f"O_{index}", 2, 2) for index in (1, 2, 3, 4))
    F = sp.MatrixSymbol("F", 2, 2)
    bound = sp.pi / 8
    two = {"sizes": ({K: 2},)}

    def rotation(angle):
        return sp.ImmutableMatrix([[sp.cos(angle), -sp.sin(angle)], [sp.sin(angle), sp.cos(angle)]])

    def squared_distance(first, second):
        return sp.Trace((first - second).T * (first - second))

    reflection = sp.ImmutableMatrix([[sp.cos(x), sp.sin(x)], [sp.sin(x), -sp.cos(x)]])
    return Derivation(
        name="orthogonality-by-chance",
        title="Distance to orthogonality of a random decoder with two latents",
        statement=(
            Claim(
                "If $2 h$ is uniform between $-\\pi/4$ and $\\pi/4$, the distance of a rotation by $2 h$ to "
                "the identity has mean $(16 \\sqrt2/\\pi)(1 - \\cos(\\pi/8))$, about $0.548$, and mean square "
                "$4 - 8 \\sqrt2/\\pi$.",
                by=("Squared distance of a rotation", "Mean distance", "Mean squared distance"),
            ),
            Claim(
                "This is the distance to the nearest signed permutation: the squared distance is $4$ to a reflection, "
                "and $4 - 4 \\cos(2 h - x)$ to the rotation by a multiple $x$ of 90 degrees. To the identity it is "
                "less than to the quarter turns by $4 \\sqrt2 \\cos(2 h \\pm \\pi/4)$.",
                by=(
                    "Distance to a reflection",
                    "Distance to a rotation",
                    "The quarter turn is no nearer",
                    "The opposite quarter turn is no nearer",
                ),
            ),
            Claim("This is not negative: $2 h \\pm \\pi/4$ is between $-\\pi/2$ and $\\pi/2$."),
            Claim(
                "A signed permutation in front of a matrix does not change its distance to the nearest one, and a "
                "quarter turn is one.",
                by=("Both multiplied by an orthogonal matrix", "A quarter turn in front"),
            ),
            Claim(
                "So if the right singular vectors $X$ are uniform on the orthogonal matrices, which is to say a "
                "rotation by a uniform angle or a signed permutation times one, their distance to the nearest signed "
                "permutation is that of a rotation by an angle that is uniform between $-\\pi/4$ and $\\pi/4$.",
                by=(
                    "Both multiplied by an orthogonal matrix",
                    "A quarter turn in front",
                    "A reflection is a flip of a rotation",
                ),
            ),
        ),
        assumptions=(
            "The right singular vectors $X$ of the decoder are uniform on the orthogonal matrices: a rotation by an "
            "angle that is uniform on the circle, or a reflection with such an angle. The signed permutations are the "
            "rotations and the reflections by multiples of 90 degrees.",
        ),
        scope="Two latents; for more there is no closed form here.",
        matrices={O: "orthogonal"},
        steps=(
            Step(
                "Squared distance of a rotation",
                sp.Eq(squared_distance(turned, sp.Identity(2)), (2 * sp.sqrt(2) * sp.sin(h)) ** 2, evaluate=False),
                "$4 - 4 \\cos(2 h)$, by the half angle.",
                let=(Let(turned, rotation(2 * h), "a rotation by $2 h$"),),
                **two,
            ),
            Step(
                "Mean distance",
                sp.Eq(
                    8 / sp.pi * sp.Integral(2 * sp.sqrt(2) * sp.sin(y), (y, 0, bound)),
                    16 * sp.sqrt(2) / sp.pi * (1 - sp.cos(bound)),
                    evaluate=False,
                ),
                "The density of $y = |h|$ is $8/\\pi$ on $(0, \\pi/8)$.",
            ),
            Step(
                "Mean squared distance",
                sp.Eq(
                    8 / sp.pi * sp.Integral((2 * sp.sqrt(2) * sp.sin(y)) ** 2, (y, 0, bound)),
                    4 - 8 * sp.sqrt(2) / sp.pi,
                    evaluate=False,
                ),
                "The variance is this minus the square of the mean; the standard deviation is about $0.313$.",
            ),
            Step(
                "Distance to a reflection",
                sp.Eq(squared_distance(turned, F), 4, evaluate=False),
                "Up to 45 degrees $4 - 4 \\cos(2 h)$ is less.",
                let=(Let(F, reflection, "a reflection, of the angle $x$"),),
                **two,
            ),
            Step(
                "Distance to a rotation",
                sp.Eq(squared_distance(turned, by_x), 4 - 4 * sp.cos(2 * h - x), evaluate=False),
                "With $x = 0$ for the identity, and at least 4 for the half turn, $x = \\pi$.",
                let=(Let(by_x, rotation(x), "a rotation by $x$"),),
                **two,
            ),
            Step(
                "The quarter turn is no nearer",
                sp.Eq(sp.cos(2 * h) - sp.sin(2 * h), sp.sqrt(2) * sp.cos(2 * h + sp.pi / 4), evaluate=False),
                "The left side is $\\cos(2 h) - \\cos(2 h - \\pi/2)$; $2 h + \\pi/4$ is between 0 and $\\pi/2$, where "
                "the cosine is not negative.",
            ),
            Step(
                "The opposite quarter turn is no nearer",
                sp.Eq(sp.cos(2 * h) + sp.sin(2 * h), sp.sqrt(2) * sp.cos(2 * h - sp.pi / 4), evaluate=False),
                "The left side is $\\cos(2 h) - \\cos(2 h + \\pi/2)$, and $2 h - \\pi/4$ is between $-\\pi/2$ and 0.",
            ),
            Step(
                "Both multiplied by an orthogonal matrix",
                sp.Eq(squared_distance(O * X, O * Y), squared_distance(X, Y), evaluate=False),
                "For any $X$ and $Y$. With a signed permutation for $O$ and $Y$, the product $O Y$ runs through all "
                "signed permutations with $Y$.",
            ),
            Step(
                "A quarter turn in front",
                sp.Eq(squared_distance(quarter * turned, further), 0, evaluate=False),
                "They are equal, so the angle of a rotation counts only up to multiples of 90 degrees. If it is "
                "uniform on the circle, its distance from the nearest is uniform between $-\\pi/4$ and $\\pi/4$.",
                let=(
                    Let(quarter, rotation(sp.pi / 2), "the quarter turn"),
                    Let(further, rotation(2 * h + sp.pi / 2), "the rotation by $2 h + \\pi/2$"),
                ),
                wrong_form=sp.Integer(1),
                **two,
            ),
            Step(
                "A reflection is a flip of a rotation",
                sp.Eq(squared_distance(sp.ImmutableMatrix([[1, 0], [0, -1]]) * by_x.T, F), 0, evaluate=False),
                "They are equal. The rotation by $-x$ after a signed permutation: $-x$ is uniform as well.",
                wrong_form=sp.Integer(1),
                **two,
            ),
        ),
        results=("Mean distance", "Mean squared distance"),
        sources=(Source("rolinek2019", "the distance is defined there"),),
        builds_on=("rotation",),
    )

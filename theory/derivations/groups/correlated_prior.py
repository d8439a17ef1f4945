"""Page: a correlated prior shifts the optimal value of the grouped objective."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    c, w = sp.symbols("c w", positive=True)
    r, a = sp.symbols("r a", real=True)
    code = sp.ImmutableMatrix([[c, c * r], [c * r, c]])
    prior = sp.ImmutableMatrix([[1, a], [a, 1]])
    f = sp.Function("f")(c, r)
    g, quadratic = sp.Function("g")(r), sp.Function("y")(r)
    divergence = (sp.Trace(prior.inv() * code) - 2 + LogDet(prior) - LogDet(code)) / 2
    dependence = (sp.log(c**2) - LogDet(code)) / 2
    value = -sp.log(c) - w * sp.log(1 - r**2) / 2 + c * (1 - a * r) / (1 - a**2) - 1 + sp.log(1 - a**2) / 2
    best = (1 - a**2) / (1 - a * r)
    shift = sp.log(1 - a * r) - sp.log(1 - a**2) / 2 - w * sp.log(1 - r**2) / 2
    return Derivation(
        name="correlated-prior",
        title="A correlated prior shifts the optimal value",
        statement=(
            Claim(
                "With the prior $N(0, \\Pi)$, $\\Pi = [[1, a], [a, 1]]$, and weight $w$ on total "
                "correlation the least value of the objective is that of the plain VAE plus the least "
                "value of $g(r) = \\log(1 - a r) - \\log(1-a^2)/2 - w \\log(1-r^2)/2$.",
                by=(
                    "Cost of a code",
                    "Best scale",
                    "Cost at the best scale",
                ),
                argued=True,
            ),
            Claim(
                "Between $-1$ and $1$ the slope of $g$ is zero exactly at the roots of $w r (1 - a r) = a (1 - r^2)$.",
                by=("Best correlation",),
            ),
            Claim(
                "There is only one root, and $g$ is least there.",
                by=(
                    "Best correlation",
                    "The slope below",
                    "The slope above",
                ),
                argued=True,
            ),
            Claim(
                "At $w = 1$ a root is $r = a$, at $a = 0$ it is $r = 0$, and $g$ is zero there.",
                by=(
                    "Best correlation",
                    "No shift at weight one",
                ),
            ),
            Claim(
                "In every other case the least value of $g$ is not zero.",
                by=("A shift at every other weight",),
                argued=True,
            ),
        ),
        assumptions=(
            "Two latents, learned decoder, full posterior covariance; all other weights are 1.",
            "By the page on total correlation the code may be transformed by any invertible $T$ at no cost in "
            "distortion and information, so its covariance is free. For a fixed product of its variances their sum, "
            "and with it the cost, is least if both are equal, to $c$; its correlation is $r$.",
        ),
        scope="For every $w > 0$.",
        where=(r > -1, r < 1, a > -1, a < 1),
        steps=(
            Step(
                "Cost of a code",
                sp.Eq(divergence + (w - 1) * dependence, value, evaluate=False),
                "The divergence of the code from the prior, and $w - 1$ times its total correlation.",
            ),
            Step(
                "Best scale",
                sp.Eq(sp.Derivative(f, c), (1 - a * r) / (1 - a**2) - 1 / c, evaluate=False),
                "It rises with $c$, from minus infinity: the cost is least where it vanishes, at $c = "
                "(1-a^2)/(1-a r)$.",
                let=(Let(f, value, "the cost of a code"),),
            ),
            Step(
                "Cost at the best scale",
                sp.Eq(sp.Subs(f, c, best), shift, evaluate=False),
                "Insert the best scale.",
            ),
            Step(
                "Best correlation",
                sp.Eq(
                    sp.Derivative(g, r) * (1 - r**2) * (1 - a * r),
                    quadratic,
                    evaluate=False,
                ),
                "So the minimum solves $w r (1-a r) = a (1-r^2)$; for $w = 1$ that is $r = a$, where $g$ is zero.",
                let=(
                    Let(g, shift, "the cost at the best scale"),
                    Let(quadratic, w * r * (1 - a * r) - a * (1 - r**2), "what has the sign of its slope"),
                ),
            ),
            Step(
                "The slope below",
                sp.Lt(quadratic.func(-1), 0, evaluate=False),
                "Just above $r = -1$ the cost falls.",
            ),
            Step(
                "The slope above",
                sp.Gt(quadratic.func(1), 0, evaluate=False),
                "A polynomial of degree two (or one) that changes sign between two points has one root "
                "there: the minimum is unique.",
            ),
            Step(
                "No shift at weight one",
                sp.Eq(sp.Subs(sp.Subs(g, w, 1), r, a), 0, evaluate=False),
                "The code takes the prior's covariance. At any other weight the value differs by $w - 1$ times the "
                "total correlation of the optimum to first order.",
                wrong_form=sp.log(1 - a**2),
            ),
            Step(
                "A shift at every other weight",
                sp.Eq(g - sp.Subs(g, w, 1), -(w - 1) * sp.log(1 - r**2) / 2, evaluate=False),
                "$g$ at weight 1 is a divergence, zero at $r = a$ only, and the right side is $w - 1$ times the total "
                "correlation of the code. For $w > 1$ both are $\\ge 0$, and both zero only at $r = a = 0$. For $w < "
                "1$ the cost at $r = a$, an upper bound of the least, is negative unless $a = 0$.",
            ),
        ),
        results=("Cost at the best scale", "Best correlation"),
        sources=(Source("chen2022", "the subject; the result is this project's"),),
        builds_on=("total-correlation", "gaussian-kl"),
    )

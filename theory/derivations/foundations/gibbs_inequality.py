"""Page: Gibbs' inequality, that no divergence is negative."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.operators import OverAll
from theory.derivations.engine.page import Claim, Derivation, Step, Use

__all__ = ["derivation", "use_integrand", "use_log_tangent"]

NAME = "gibbs-inequality"
a, b = sp.symbols("a b", positive=True)


def use_log_tangent(value, *, times=sp.S.One, strict=False) -> Use:
    """value - 1 - log(value) >= 0, or > 0 unless the value is one."""
    step = "Elsewhere strictly below" if strict else "The logarithm lies below its tangent"
    return Use(f"{NAME}: {step}", {a: value}, times)


def use_integrand(first, second, *, over: sp.Symbol, times=sp.S.One) -> Use:
    """first log(first / second) - first + second >= 0 at every point, integrated."""
    return Use(f"{NAME}: The integrand", {a: first, b: second}, times, over)


def derivation() -> Derivation:
    z = sp.Symbol("z", real=True)
    q, p = sp.Function("q", positive=True), sp.Function("p", positive=True)
    tangent = a * sp.log(a / b) - a + b
    return Derivation(
        name=NAME,
        title="Gibbs' inequality",
        statement=(
            Claim("For positive numbers $\\log a \\le a - 1$.", by=("The logarithm lies below its tangent",)),
            Claim("Equality holds only at $a = 1$.", by=("Elsewhere strictly below",)),
            Claim(
                "For densities $q$ and $p$ the divergence $KL(q||p) = \\int q(z) \\log[q(z)/p(z)] dz$ is not negative.",
                by=("The divergence is not negative",),
            ),
            Claim(
                "What is integrated is, up to $q(z) - p(z)$, whose integral is zero, not negative at any $z$ and "
                "positive wherever $q(z) \\ne p(z)$: the divergence vanishes only if these are of measure zero.",
                by=("The integrand", "The integrand is positive where the densities differ"),
            ),
        ),
        assumptions=("The densities are positive, and the integrals exist.",),
        scope="For densities on any space: a vector space of any dimension or a finite set.",
        functions={q: "density", p: "density"},
        steps=(
            Step(
                "The logarithm lies below its tangent",
                sp.Ge(a - 1 - sp.log(a), 0, evaluate=False),
                "The left side is convex, and stationary and zero at 1.",
                least_at=(a, sp.Integer(1)),
            ),
            Step(
                "Elsewhere strictly below",
                sp.Gt(a - 1 - sp.log(a), 0, evaluate=False),
                "Its second derivative $1/a^2$ is positive.",
                where=(sp.Ne(a, 1),),
                least_at=(a, sp.Integer(1)),
            ),
            Step(
                "The integrand",
                sp.Ge(tangent, 0, evaluate=False),
                "For $a = q(z)$ and $b = p(z)$: the first step with $b/a$ in place of $a$, times $a$.",
                uses=(Use("The logarithm lies below its tangent", {a: b / a}, times=a),),
            ),
            Step(
                "The integrand is positive where the densities differ",
                sp.Gt(tangent, 0, evaluate=False),
                "As before, but strictly.",
                where=(sp.Ne(a, b),),
                least_at=(a, b),
            ),
            Step(
                "The divergence is not negative",
                sp.Ge(OverAll(q(z) * sp.log(q(z) / p(z)), z), 0, evaluate=False),
                "Integrate: the integrals of $q$ and of $p$ are one, and cancel.",
                uses=(Use("The integrand", {a: q(z), b: p(z)}, over=z),),
            ),
        ),
        results=("The divergence is not negative",),
    )

"""The checks of a page: each step is proved, tested at random rational points, and compared with wrong formulas.

1. Proof (`proof`): the difference of the two sides is reduced to zero, or an inequality to evident signs.
2. Points (`points`): the two sides are evaluated separately at random rational numbers and matrices.
3. Negative controls: each quantity of the right side in turn is perturbed by a seventh, and the wrong form of the step,
   if it has one, replaces the right side. The points must refuse every such formula, the proof the last of them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp

from theory.derivations.engine.page import Derivation, Step
from theory.derivations.engine.points import Point
from theory.derivations.engine.proof import Proof

__all__ = ["StepCheck", "check_derivation", "check_step"]

POINTS = 3
PERTURBATION = sp.Rational(8, 7)
OPPOSITE = {sp.Ge: sp.Lt, sp.Gt: sp.Le, sp.Le: sp.Gt, sp.Lt: sp.Ge}


@dataclass(frozen=True)
class StepCheck:
    """The result of checking one step.

    Attributes
    ----------
    exact : whether the relation was proved
    points : the number of random points, of `POINTS` per size, at which it held
    controls : the number of wrong formulas that were refused
    fault : what went wrong; empty if the step passed
    """

    derivation: str
    step: str
    exact: bool
    points: int
    controls: int
    seconds: float
    fault: str

    @property
    def passed(self) -> bool:
        return not self.fault


def check_derivation(page: Derivation) -> Iterator[StepCheck]:
    """Check the steps of a page one after another."""
    for step in page.steps:
        yield check_step(page, step)


def check_step(page: Derivation, step: Step) -> StepCheck:
    """Check one step: proof, points, negative controls."""
    began = time.perf_counter()
    rng = random.Random(f"{page.name}: {step.title}")
    proof, faults = Proof(page, step), []

    exact = proof.proves(step.relation)
    if not exact:
        faults.append("not proved")
    if step.relation.lhs == step.relation.rhs:
        faults.append("vacuous: both sides are identical")

    all_sizes = step.sizes or page.point_sizes
    if step.relation.has(sp.Integral):  # quadrature to this precision is slow and does not depend on the sizes
        draws = [Point(page, step, all_sizes[0], rng)]
    else:
        draws = [Point(page, step, sizes, rng) for sizes in all_sizes for _ in range(POINTS)]
    true_count = sum(draw.holds(step.relation) for draw in draws)
    if true_count < len(draws):
        faults.append(f"fails at {len(draws) - true_count} of {len(draws)} random points")
    for let in step.let:
        if let.rule and not all(draw.holds(sp.Eq(*let.rule, evaluate=False)) for draw in draws):
            faults.append(f"the rule for {let.symbol} does not follow from its definition")

    wrong = dict(_wrong_formulas(step))
    if not wrong:
        faults.append("no negative control: give the step a wrong_form")
    refused = 0
    for description, formula in wrong.items():
        if all(draw.holds(formula) for draw in draws):
            faults.append(f"accepts a wrong formula at every point: {description}")
        else:
            refused += 1
    if wrong and proof.proves(next(reversed(wrong.values()))):
        faults.append("proves a wrong formula")
    return StepCheck(page.name, step.title, exact, true_count, refused, time.perf_counter() - began, "; ".join(faults))


def _wrong_formulas(step: Step) -> Iterator[tuple[str, sp.Basic]]:
    """Wrong formulas close to the right one, by description; the last, the most telling, is also put to the proof."""
    left, right = step.relation.lhs, step.relation.rhs
    if not isinstance(step.relation, sp.Eq):
        yield "the opposite inequality", OPPOSITE[step.relation.func](left, right, evaluate=False)
    elif right not in (0, sp.ZeroMatrix(*getattr(right, "shape", (1, 1)))):
        bound = {variable for derivative in right.atoms(sp.Derivative) for variable in derivative.variables}
        for quantity in sorted(_quantities(right) - bound, key=str):
            yield (
                f"{quantity} perturbed by a seventh",
                sp.Eq(left, right.xreplace({quantity: _perturbed(quantity)}), evaluate=False),
            )
        yield "right side perturbed by a seventh", sp.Eq(left, PERTURBATION * right, evaluate=False)
    if step.wrong_form is not None:
        yield "the wrong form", step.relation.func(left, step.wrong_form, evaluate=False)


def _perturbed(quantity):
    """A quantity perturbed by a seventh. Square matrices are shifted, as scaling leaves many formulas true."""
    if isinstance(quantity, sp.MatrixExpr) and quantity.rows == quantity.cols:
        return quantity + sp.Identity(quantity.rows) / 7
    return PERTURBATION * quantity


def _quantities(expression: sp.Basic) -> set:
    """The symbols, indexed symbols, functions and matrices in a formula; not sizes, not summation indices."""
    indexed = expression.atoms(sp.Indexed)
    inside = {symbol for entry in indexed for symbol in entry.free_symbols - {entry}}
    functions = expression.atoms(sp.core.function.AppliedUndef)
    return {
        quantity
        for quantity in expression.free_symbols | indexed | functions
        if quantity not in inside and not (isinstance(quantity, sp.Symbol) and quantity.is_integer)
    }

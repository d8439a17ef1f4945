"""The checks of a page: each step is proved, tested at points, and compared with wrong formulas.

1. Form (`grammar`): the page uses what the checks know, each printed name has one meaning, each abbreviation is made
   once, before it is used.
2. Proof (`proof`): the difference of the two sides is reduced to zero, or an inequality to evident signs; denominators,
   logarithms and roots must be defined under the conditions that the step prints.
3. Points (`points`): the two sides are evaluated separately at rational numbers and matrices.
4. Negative controls: each quantity of the right side in turn is perturbed by a seventh, and the wrong form of the step,
   if it has one, replaces the right side. The points must refuse every such formula, the proof the last of them. Each
   abbreviation is perturbed in the same way: some step in which it stands must then fail.

What goes wrong inside a check is a fault of the step, never a crash.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import sympy as sp

from theory.derivations.engine.grammar import page_faults, step_faults
from theory.derivations.engine.numbers import Undefined
from theory.derivations.engine.page import Derivation, Let, Step
from theory.derivations.engine.points import Point, points_of
from theory.derivations.engine.proof import Proof

__all__ = ["StepCheck", "check_derivation", "check_step", "is_felt", "wrong_formulas"]

WrongFormulas = list[tuple[str, sp.Basic]]  # by description

PERTURBATION = sp.Rational(8, 7)
OPPOSITE = {sp.Ge: sp.Lt, sp.Gt: sp.Le, sp.Le: sp.Gt, sp.Lt: sp.Ge}


@dataclass(frozen=True)
class StepCheck:
    """The result of checking one step.

    Attributes
    ----------
    exact : whether the relation was proved
    points : the number of points at which it held
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
    """Check the steps of a page one after another; faults of the page itself are those of its first step."""
    for step in page.steps:
        yield check_step(page, step)


def check_step(page: Derivation, step: Step) -> StepCheck:
    """Check one step: page, proof, points, negative controls."""
    began = time.perf_counter()
    exact, true_count, refused, faults = False, 0, 0, []
    try:
        faults += [*(page_faults(page) if step is page.steps[0] else ()), *step_faults(page, step)]
        wrong = wrong_formulas(page, step)
        exact, proof_faults = _proof_faults(page, step, wrong)
        true_count, refused, point_faults = _point_faults(page, step, wrong)
        faults += proof_faults + point_faults
        faults += [
            f"no step depends on the value of the abbreviation {let.symbol}"
            for let in step.let
            if not is_felt(page, step, let, _perturbed(let.value))
        ]
    except Exception as error:  # a crash says that something was not checked
        faults.append(f"{type(error).__name__}: {error}")
    return StepCheck(page.name, step.title, exact, true_count, refused, time.perf_counter() - began, "; ".join(faults))


def _proof_faults(page: Derivation, step: Step, wrong: WrongFormulas) -> tuple[bool, list[str]]:
    """Whether a step was proved, and what is wrong with its proof."""
    proof, faults = Proof(page, step), []
    exact = proof.proves(step.relation)
    if not exact:
        faults.append("not proved")
    left, right = page.written_sides(step)
    if left == right:
        faults.append("vacuous: both sides are identical once the abbreviations are written out")
    faults += [f"undefined unless {condition}: state it in `where`" for condition in proof.undefined(step.relation)]
    of_page = Proof(page, replace(step, where=()))  # abbreviations are in force at later steps, too
    made = {let.symbol for let in step.let if not let.hypothesis}
    for let in (let for let in proof.lets if let.symbol in made):
        if isinstance(let.symbol, sp.MatrixSymbol) and not proof.is_of_its_kind(let):
            faults.append(f"{let.symbol} is not evidently {page.matrices[let.symbol]}")
        if let.rule is not None and not proof.algebra_before(let).follows(let):
            faults.append(f"the rule for {let.symbol} does not follow from its definition")
    for let in (let for let in step.let if not let.hypothesis and isinstance(let.symbol, sp.MatrixSymbol)):
        needs = dict.fromkeys(need for part in (let.value, *(let.rule or ())) for need in of_page.needs(part))
        faults += [f"{let.symbol} is undefined unless {one}: state it for the page" for one in needs]
    if (isinstance(step.relation, sp.Eq) or step.wrong_form is not None) and wrong and proof.proves(wrong[-1][1]):
        faults.append("proves a wrong formula")  # the opposite of an inequality has the sign that was found
    return exact, faults


def _point_faults(page: Derivation, step: Step, wrong: WrongFormulas) -> tuple[int, int, list[str]]:
    """The number of points where a step holds, that of refused wrong formulas, and what is wrong at the points."""
    faults = []
    points = list(points_of(page, step))
    if not points:
        faults.append("no point satisfies its conditions")
    true_count = 0
    for point in points:
        try:
            true_count += point.holds(step.relation)
        except Undefined as error:
            faults.append(f"undefined at a point ({point.kind}): {error}")
    if true_count < len(points) and not faults:
        faults.append(f"fails at {len(points) - true_count} of {len(points)} points")
    for let in step.let:
        if let.rule and not all(_holds(point, sp.Eq(*let.rule, evaluate=False)) for point in points):
            faults.append(f"the rule for {let.symbol} does not hold")
    if not wrong:
        faults.append("no negative control: give the step a wrong_form")
    refused = 0
    for description, formula in wrong:
        if all(_holds(point, formula) for point in points):
            faults.append(f"accepts a wrong formula at every point: {description}")
        else:
            refused += 1
    return true_count, refused, faults


def is_felt(page: Derivation, step: Step, let: Let, value: sp.Basic) -> bool:
    """Whether a step fails if an abbreviation, made at a step, has another value."""
    wrong = replace(let, value=value)
    steps = tuple(replace(each, let=tuple(wrong if one is let else one for one in each.let)) for each in page.steps)
    changed = replace(page, steps=steps)
    return any(
        not _holds(point, later.relation)
        for later in changed.steps[page.steps.index(step) :]
        for point in points_of(changed, later)
    )


def _holds(point: Point, relation) -> bool:
    """Whether a relation is defined and true at a point."""
    try:
        return point.holds(relation)
    except Undefined:
        return False


def wrong_formulas(page: Derivation, step: Step) -> WrongFormulas:
    """Wrong formulas close to the right one, by description; the last, the most telling, is also put to the proof."""
    left, right = step.relation.lhs, step.relation.rhs
    wrong = []
    if not isinstance(step.relation, sp.Eq):
        wrong.append(("the opposite inequality", OPPOSITE[step.relation.func](left, right, evaluate=False)))
    elif right not in (0, sp.ZeroMatrix(*getattr(right, "shape", (1, 1)))):
        bound = {variable for derivative in right.atoms(sp.Derivative) for variable in derivative.variables}
        for quantity in sorted(_quantities(right) - bound - page.points, key=str):
            perturbed = right.xreplace({quantity: _perturbed(quantity)})
            wrong.append((f"{quantity} perturbed by a seventh", sp.Eq(left, perturbed, evaluate=False)))
        wrong.append(("right side perturbed by a seventh", sp.Eq(left, PERTURBATION * right, evaluate=False)))
    if step.wrong_form is not None:
        wrong.append(("the wrong form", step.relation.func(left, step.wrong_form, evaluate=False)))
    return wrong


def _perturbed(quantity):
    """A quantity perturbed by a seventh. Square matrices are shifted, as scaling leaves many formulas true."""
    if isinstance(quantity, sp.MatrixBase):
        return sp.ImmutableMatrix(*quantity.shape, lambda i, j: quantity[i, j] + sp.Rational(1, 7 + i + 2 * j))
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

"""A page of the derivation book: a statement, its assumptions, and numbered steps, each a checkable relation.

The relation that a step prints is the sympy object that is checked, after the abbreviations of the page (`Let`) have
been written out. There is no second, hidden version of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property, lru_cache

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef, UndefinedFunction

from theory.derivations.engine.printers import NumpyPrinter

__all__ = [
    "BOOK",
    "Claim",
    "Derivation",
    "Let",
    "Source",
    "Status",
    "Step",
    "Use",
    "as_function",
    "is_about_matrices",
    "write_out",
    "written_conditions",
]


@dataclass(frozen=True)
class Let:
    """An abbreviation: `symbol` stands for `value` from here to the end of the page.

    Attributes
    ----------
    symbol : Symbol, applied Function such as J(beta), or MatrixSymbol
    value : what it stands for
        for a matrix with a `rule`, an instance with which the rule can be tested at points.
    meaning : a noun phrase that names it; mathematics between dollar signs
    rule : (left, right), optional
        how the general proof uses a matrix: each product `left` is replaced by `right`. The rule is itself tested
        against `value`, so it cannot claim more than the definition.
    hypothesis : bool
        whether the page shows the rule, as an assumption about the matrix, in place of the value.
    """

    symbol: sp.Basic
    value: sp.Basic
    meaning: str
    rule: tuple[sp.MatrixExpr, sp.MatrixExpr] | None = None
    hypothesis: bool = False

    @property
    def shown(self) -> sp.Basic:
        left, right = self.rule if self.hypothesis else (self.symbol, self.value)
        return sp.Eq(left, right, evaluate=False)


@dataclass(frozen=True)
class Use:
    """An earlier relation that a proof adds, with values in place of its symbols.

    Attributes
    ----------
    step : the title of an earlier step of the page, or "page: title" of a page that this one builds on
    put : what stands for the symbols of that step here; those not named keep their names
    times : the factor of the relation; not negative, unless the relation is an equation
    over : (index, first, last) if the relation is summed over an index that `put` and `times` contain, or a variable
        over all whose values it is integrated
    """

    step: str
    put: Mapping[sp.Basic, sp.Basic] = field(default_factory=dict)
    times: sp.Expr = sp.S.One
    over: tuple[sp.Symbol, sp.Expr, sp.Expr] | sp.Symbol | None = None


@dataclass(frozen=True)
class Step:
    """One numbered step of a derivation.

    Attributes
    ----------
    title : short, and unique on the page
    relation : Eq, Ge, Gt, Le or Lt, built with evaluate=False
        an inequality is proved from evident signs: positive symbols, even powers, positive coefficients, traces
        tr(X P X^T Q) of positive definite P and Q; or by `least_at`.
    reason : one sentence; mathematics between dollar signs
    let : abbreviations that are introduced at this step
    wrong_form : a right side that one could write by mistake, which the check must refuse
        optional, because each quantity of the right side is perturbed in turn as well; needed if the right side is 0.
    sizes : values of the integers (K, D, ...) for which the proof is entry by entry; empty if it is general
    where : conditions on symbols, as relations, under which the relation holds; they are printed with it
    least_at : (symbol, place), of a relation Ge: its left side less its right side is convex in the symbol, a number or
        a matrix, and least at the place, where it is not negative; Gt, under the condition that symbol and place differ
    uses : earlier relations that are added: what remains of the difference of the sides must be proved
    """

    title: str
    relation: sp.core.relational.Relational
    reason: str
    let: tuple[Let, ...] = ()
    wrong_form: sp.Basic | None = None
    sizes: tuple[Mapping[sp.Symbol, int], ...] = ()
    where: tuple[sp.core.relational.Relational, ...] = ()
    least_at: tuple[sp.Symbol, sp.Expr] | None = None
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True)
class Source:
    """The source of a result: a key of `notation.REFERENCES`, and how this page relates to that work."""

    key: str
    relation: str


class Status(StrEnum):
    """How far a sentence of a statement is proved."""

    PROVED = "proved"
    CHECKED = "checked at given sizes"
    CITED = "cited"
    ARGUED = "argued"


@dataclass(frozen=True)
class Claim:
    """A sentence of a statement, and what proves it.

    Attributes
    ----------
    text : mathematics between dollar signs
    by : titles of the steps that state it, or "page: title" for steps of pages that this one builds on
    cites : key of the source whose theorem it is or rests on, one of those of the page
    argued : whether words of the page, and not its steps alone, lead from the steps to it
    """

    text: str
    by: tuple[str, ...] = ()
    cites: str | None = None
    argued: bool = False


@dataclass(frozen=True)
class Derivation:
    """One page: the claim, its assumptions, and the steps that prove it.

    Attributes
    ----------
    name : the name under which the commands find it
    title : the heading
    statement : the claims, a sentence each
    assumptions : what is assumed, one item each
    scope : what is proved in general, what is proved for given sizes, and what is cited
    steps : in order
    results : titles of the steps whose relations are the formulas that `theory` computes
    sources : the works that the page refers to
    builds_on : names of the pages that are used; they come earlier in the book
    matrices : kind of each matrix symbol that is not arbitrary: "positive" (symmetric positive definite), "symmetric",
        "invertible", "orthogonal" (orthonormal columns), "independent" (linearly independent columns), or "partition"
        (one inside the blocks of a partition of rows and columns, in any order, and zero outside)
    moments : the second moment of each random vector; random vectors are independent with mean zero
    functions : kind of each function that is not abbreviated: "density" (positive, with integral one over its first
        argument) or "real"; the arguments are points of any space
    where : conditions on symbols for all steps; they are printed with the assumptions
    """

    name: str
    title: str
    statement: tuple[Claim, ...]
    assumptions: tuple[str, ...]
    scope: str
    steps: tuple[Step, ...]
    results: tuple[str, ...]
    sources: tuple[Source, ...] = ()
    builds_on: tuple[str, ...] = ()
    matrices: Mapping[sp.MatrixSymbol, str] = field(default_factory=dict)
    moments: Mapping[sp.MatrixSymbol, sp.MatrixSymbol] = field(default_factory=dict)
    functions: Mapping[UndefinedFunction, str] = field(default_factory=dict)
    where: tuple[sp.core.relational.Relational, ...] = ()

    @cached_property
    def points(self) -> frozenset[sp.Symbol]:
        """The variables that are points of a space: the arguments of the functions that are not abbreviated."""
        if not self.functions:
            return frozenset()
        applied = {
            part
            for step in self.steps
            for formula in (step.relation, *(let.value for let in step.let))
            for part in formula.atoms(AppliedUndef)
            if part.func in self.functions
        }
        return frozenset(symbol for part in applied for symbol in part.args)

    def conditions(self, step: Step) -> tuple[sp.core.relational.Relational, ...]:
        """The conditions under which a step holds."""
        return self.where + step.where

    def status(self, claim: Claim) -> Status:
        """How far a sentence is proved: by steps for all sizes, by steps at given sizes, by a source, or in words."""
        if claim.argued or not (claim.by or claim.cites):
            return Status.ARGUED
        if claim.cites is not None:
            return Status.CITED
        of_sizes = any(page.is_of_sizes(step) for page, step in map(self.fact, claim.by))
        return Status.CHECKED if of_sizes else Status.PROVED

    def fact(self, name: str) -> tuple[Derivation, Step]:
        """The page and the step that a name stands for: of this page, or "page: title" of one that it builds on."""
        page, separator, title = name.partition(": ")
        if not separator or name in {step.title for step in self.steps}:
            return self, self.step(name)
        if page not in self.builds_on or page not in BOOK:
            raise ValueError(f"{self.name} uses the page {page!r} and does not build on it")
        return BOOK[page], BOOK[page].step(title)

    def is_of_sizes(self, step: Step) -> bool:
        """Whether a step is proved at given sizes only, and about integers or matrices of symbolic sizes."""
        if not step.sizes:
            return False
        sides = self.written_sides(step)
        shapes = [side for one in sides for matrix in one.atoms(sp.MatrixSymbol) for side in matrix.shape]
        return any(not sp.sympify(side).is_number for side in shapes) or any(
            symbol.is_integer for side in sides for symbol in side.free_symbols if isinstance(symbol, sp.Symbol)
        )

    def written_sides(self, step: Step) -> tuple[sp.Basic, sp.Basic]:
        """Both sides of a step with every abbreviation written out."""
        lets, relation = self.lets(step.title), step.relation
        return write_out(relation.lhs, lets, matrices=True), write_out(relation.rhs, lets, matrices=True)

    def step(self, title: str) -> Step:
        """The step with this title."""
        for step in self.steps:
            if step.title == title:
                return step
        raise ValueError(f"{self.name} has no step {title!r}; it has: {', '.join(step.title for step in self.steps)}")

    def lets(self, title: str) -> tuple[Let, ...]:
        """The abbreviations in force at a step, oldest first."""
        lets: list[Let] = []
        for step in self.steps:
            lets.extend(step.let)
            if step.title == title:
                return tuple(lets)
        raise ValueError(f"{self.name} has no step {title!r}; it has: {', '.join(step.title for step in self.steps)}")

    def written_lets(self, title: str) -> tuple[Let, ...]:
        """The same, with values and rules of the matrices that keep their letters written out by those before them.

        Otherwise a rule would be about a letter that has a kind or a sign of its own, whatever it abbreviates.
        """
        lets = self.lets(title)
        return tuple(let if let.rule is None else _written(let, lets[:position]) for position, let in enumerate(lets))

    def abbreviation(self, name: str) -> sp.Basic:
        """The value of the abbreviation printed as `name`, with every earlier abbreviation written out."""
        lets = self.lets(self.steps[-1].title)
        for position, let in enumerate(lets):
            if str(let.symbol) == name:
                return write_out(let.value, lets[:position], matrices=True)
        raise ValueError(
            f"{self.name} has no abbreviation {name!r}; it has: {', '.join(str(let.symbol) for let in lets)}"
        )

    def formula(self, title: str) -> sp.Basic:
        """The right side of a step with every abbreviation written out: the formula that `theory` computes."""
        return write_out(self.step(title).relation.rhs, self.lets(title), matrices=True)

    def function(self, title: str, *arguments: sp.Basic) -> Callable:
        """The right side of a step as a numpy function of symbols, sizes and matrix symbols."""
        return as_function(self.formula(title), *arguments)


def _written(let: Let, before: tuple[Let, ...]) -> Let:
    value, *rule = (write_out(part, before, matrices=False) for part in (let.value, *let.rule))
    return replace(let, value=value, rule=tuple(rule))


# The pages of the book by name, in which the steps of others are looked up; the registry enters them.
BOOK: dict[str, Derivation] = {}


def as_function(expression: sp.Basic, *arguments: sp.Basic) -> Callable:
    """An expression without abbreviations as a numpy function."""
    modules = {"numpy": np}
    if expression.has(sp.erf, sp.erfc, sp.gamma):
        from scipy import special

        modules["special"] = special
    # Most of the time of `lambdify` would go into a docstring.
    return sp.lambdify(arguments, expression, modules=[modules, "numpy"], printer=NumpyPrinter, docstring_limit=0)


def is_about_matrices(condition: sp.core.relational.Relational) -> bool:
    """Whether a condition compares two matrices."""
    return isinstance(condition.lhs, sp.MatrixExpr)


def written_conditions(conditions: Iterable, lets: tuple[Let, ...]) -> tuple[list, list]:
    """Conditions with every abbreviation written out: those on numbers, and those that compare matrices."""
    written = [write_out(condition, lets, matrices=True) for condition in conditions]
    of_numbers = [condition for condition in written if not is_about_matrices(condition)]
    return of_numbers, [condition for condition in written if is_about_matrices(condition)]


@lru_cache(maxsize=4096)
def write_out(expression: sp.Basic, lets: tuple[Let, ...], *, matrices: bool) -> sp.Basic:
    """Replace abbreviations, the latest first; matrices that have a rule only if `matrices` is true."""
    for position in reversed(range(len(lets))):
        let = lets[position]
        if isinstance(let.symbol, sp.MatrixExpr):
            if matrices or let.rule is None:
                expression = expression.xreplace({let.symbol: let.value})
        elif isinstance(let.symbol, AppliedUndef):
            if not expression.has(let.symbol.func):
                continue
            # Its value is written out first: an abbreviation inside may depend on the arguments.
            value = write_out(let.value, lets[:position], matrices=matrices)
            expression = expression.replace(let.symbol.func, sp.Lambda(let.symbol.args, value))
        else:
            expression = expression.xreplace({let.symbol: let.value})
    return expression

"""What a page may be made of: operations that the checks know, symbols with printed assumptions, names, abbreviations.

Whatever is not in the lists below is a fault, since proof and points were not made for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.expressions.special import GenericIdentity, GenericZeroMatrix
from sympy.tensor.indexed import Idx

from theory.derivations.engine.operators import (
    Degree,
    Expectation,
    FactorCount,
    LogDet,
    OverAll,
    PositiveRoots,
    SquaredNorm,
    binding,
)
from theory.derivations.engine.page import Derivation, Let, Step, Use, write_out
from theory.derivations.engine.printers import latex

__all__ = ["formulas_of", "page_faults", "step_faults"]

SCALARS = (
    sp.Symbol, sp.Rational, sp.Add, sp.Mul, sp.Pow, sp.log, sp.exp, sp.sin, sp.cos, sp.erf, sp.erfc, sp.gamma,
    sp.Derivative, sp.Subs, sp.Integral, sp.Sum, sp.Limit, Degree, FactorCount, PositiveRoots, OverAll, AppliedUndef,
    sp.Indexed, sp.IndexedBase, sp.Tuple, type(sp.pi), type(sp.E), type(sp.oo), type(-sp.oo), Idx,
)  # fmt: skip
MATRICES = (
    sp.MatrixSymbol, sp.MatAdd, sp.MatMul, sp.MatPow, sp.Inverse, sp.Transpose, sp.Identity, sp.ZeroMatrix,
    sp.HadamardProduct, sp.Trace, sp.Determinant, MatrixElement, LogDet, SquaredNorm, Expectation,
    sp.ImmutableDenseMatrix, GenericIdentity, GenericZeroMatrix, type(sp.MatrixSymbol("x", 1, 1).args[0]),
)  # fmt: skip
RELATIONS = (sp.Eq, sp.Ge, sp.Gt, sp.Le, sp.Lt)
KINDS = ("positive", "symmetric", "invertible", "orthogonal", "independent", "partition")
RANGES = tuple(
    sp.Symbol("x", **assumption).assumptions0
    for assumption in ({"positive": True}, {"nonnegative": True}, {"real": True}, {"integer": True, "positive": True})
)
INDEX = sp.Symbol("x", integer=True).assumptions0  # of a sum
# One letter, or the name of a Greek one that is printed as such, with at most one index.
GREEK = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|rho|sigma|tau|upsilon|phi|chi|psi|omega|ell|"
    "Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega"
)
NAME = re.compile(rf"([A-Za-z]|{GREEK})(_([A-Za-z]+|[0-9]+|[A-Za-z]\+1))?")


def formulas_of(page: Derivation) -> list[sp.Basic]:
    """Everything that a page writes: sides, conditions, abbreviations and their rules."""
    formulas = [side for step in page.steps for side in (step.relation.lhs, step.relation.rhs, *page.conditions(step))]
    for let in page.lets(page.steps[-1].title):
        formulas += [let.value, *(let.rule or ())]
    formulas += [sp.sympify(step.least_at[1]) for step in page.steps if step.least_at is not None]
    return [*formulas, *(formula for step in page.steps for use in step.uses for formula in _of_use(use))]


def _of_use(use: Use) -> Iterator[sp.Basic]:
    """The values that are put into an earlier relation; what it is summed over is bound."""
    for value in map(sp.sympify, (use.times, *use.put.values())):
        if use.over is None or isinstance(value, sp.MatrixExpr):
            yield value
        else:
            yield OverAll(value, use.over) if isinstance(use.over, sp.Symbol) else sp.Sum(value, use.over)


def page_faults(page: Derivation) -> list[str]:
    """What is wrong with the operations, symbols, names, kinds and abbreviations of a page."""
    lets = page.lets(page.steps[-1].title)
    formulas = [*formulas_of(page), *(let.symbol for let in lets)]
    return [
        *_claims(page),
        *_operations(formulas),
        *_symbols(formulas),
        *_names(page, formulas),
        *_kinds(page),
        *_functions(page, formulas, lets),
        *_captured(formulas, lets),
        *_abbreviations(page, lets),
    ]


def step_faults(page: Derivation, step: Step) -> list[str]:
    """What is wrong with the form of a step: its relation, shapes, sizes and conditions."""
    relation = step.relation
    if not isinstance(relation, RELATIONS):
        return [f"{type(relation).__name__} is not a relation that is checked"]
    faults = []
    shapes = [tuple(getattr(side, "shape", ())) for side in (relation.lhs, relation.rhs)]
    if shapes[0] != shapes[1] and not (shapes[1] == () and relation.rhs == 0):
        faults.append(f"a matrix of shape {shapes[0]} is compared with one of shape {shapes[1]}")
    if not isinstance(relation, sp.Eq):
        difference = relation.gts - relation.lts
        stated = [one.gts - one.lts for one in page.conditions(step) if not isinstance(one, sp.Ne)]
        stated += sorted(_numbers(difference), key=str)  # what is positive or not negative by itself
        if any(side != 0 and _is_multiple(difference, side) for side in stated):
            faults.append("vacuous: it states a condition again")
    lets = page.lets(step.title)
    faults += _shapes(step)
    sides = {relation.lhs, relation.rhs}
    if any(let.rule and ({*let.rule} == sides or _are_multiples(let.rule, relation)) for let in lets):
        faults.append("vacuous: it states the rule of an abbreviation again")
    faults += _sizes(page, step, lets)
    return faults


def _shapes(step: Step) -> Iterator[str]:
    """Sizes that are not evidently positive integers."""
    formulas = [
        step.relation,
        *(let.value for let in step.let),
        *(formula for use in step.uses for formula in _of_use(use)),
    ]
    sizes = {
        sp.sympify(side) for formula in formulas for matrix in formula.atoms(sp.MatrixExpr) for side in matrix.shape
    }
    for size in sorted(sizes, key=str):
        if not (size.is_integer and size.is_positive):
            yield f"the size {size} of a matrix is not evidently a positive integer"


def _numbers(formula: sp.Basic) -> set[sp.Symbol]:
    return {symbol for symbol in formula.free_symbols if isinstance(symbol, sp.Symbol)}


def _is_multiple(formula: sp.Expr, other: sp.Expr) -> bool:
    """Whether a formula is a number times another; matrices in them are not looked into."""
    matrices = {part: sp.Dummy() for side in (formula, other) for part in side.atoms(sp.Trace, LogDet, SquaredNorm)}
    return sp.cancel(formula.xreplace(matrices) / other.xreplace(matrices)).is_number


def _are_multiples(rule, relation) -> bool:
    """Whether both sides of a relation between matrices are the sides of a rule, times a number."""
    if not isinstance(relation.lhs, sp.MatMul) or not isinstance(relation.rhs, sp.MatMul):
        return False
    stripped = {
        side.as_coeff_matrices()[1] and sp.MatMul(*side.as_coeff_matrices()[1]) for side in (relation.lhs, relation.rhs)
    }
    known = {sp.MatMul(*side.as_coeff_matrices()[1]) if isinstance(side, sp.MatMul) else side for side in rule}
    return stripped == known


def _claims(page: Derivation) -> Iterator[str]:
    titles, keys = {step.title for step in page.steps}, {source.key for source in page.sources}
    if len(titles) < len(page.steps):
        yield "two steps have the same title"
    for claim in page.statement:
        for name in claim.by:
            try:
                page.fact(name)
            except ValueError as error:
                yield f"a sentence names a step that does not exist: {error}"
        if claim.cites is not None and claim.cites not in keys:
            yield f"a sentence cites {claim.cites!r}, which is no source of the page"


def _operations(formulas: Iterable[sp.Basic]) -> Iterator[str]:
    unknown = set()
    for formula in formulas:
        for part in sp.preorder_traversal(formula):
            if isinstance(part, (Relational, *SCALARS, *MATRICES)) or part in (sp.zoo, sp.nan):
                continue
            unknown.add(type(part).__name__)
    for formula in formulas:
        if any(not power.exp.is_Integer for power in formula.atoms(sp.MatPow)):
            yield "a matrix power that is no integer is not an operation that is checked"
        if any({sp.oo, -sp.oo} & {*part.args} for part in formula.atoms(sp.Add, sp.Mul, sp.Pow)):
            yield "infinity stands only at the end of an integral or as the place of a limit"
    yield from (f"{name} is not an operation that is checked" for name in sorted(unknown))


def _symbols(formulas: Iterable[sp.Basic]) -> Iterator[str]:
    indices = {limits[0] for formula in formulas for total in formula.atoms(sp.Sum) for limits in total.limits}
    sides = {part.args[3] for formula in formulas for part in formula.atoms(sp.Limit)}
    families = {entry.base for formula in formulas for entry in formula.atoms(sp.Indexed)}
    for family in sorted(families, key=str):
        if family.label.assumptions0 not in RANGES or family.assumptions0 != sp.IndexedBase(family.label).assumptions0:
            yield f"the family {family} must have the assumptions of its name, and these must be printed"
    for symbol in sorted({symbol for formula in formulas for symbol in formula.atoms(sp.Symbol)} - sides, key=str):
        allowed = (*RANGES, INDEX) if symbol in indices else RANGES
        assumed = symbol.assumptions0
        if assumed not in allowed:
            yield f"{symbol} must be positive, nonnegative, real, or a positive integer, and nothing else"


def _names(page: Derivation, formulas: list[sp.Basic]) -> Iterator[str]:
    """Each printed name stands for one thing, and a variable that something runs over for nothing else."""
    named: dict[str, object] = {}
    if any(formula.has(sp.Identity) for formula in formulas):
        named["I"] = "the identity"
    if any(formula.has(sp.exp, sp.E) for formula in formulas):
        named["e"] = "Euler's number"
    if any(formula.has(sp.gamma) for formula in formulas):
        named[r"\Gamma"] = "the gamma function"
    sides = {part.args[3] for formula in formulas for part in formula.atoms(sp.Limit)}
    yield from _indices(page, formulas)
    for thing in sorted(_named(page, formulas) - sides, key=str):
        name = getattr(thing, "name", None) or str(thing)
        if not (isinstance(thing, sp.Indexed) or NAME.fullmatch(name)) or name in ("pi", "oo", "zoo", "nan"):
            yield f"{name!r} is no name: take letters and at most one index"
        printed = re.sub("[_{}]", "", latex(thing if isinstance(thing, sp.Basic) else sp.Symbol(name)))
        if named.setdefault(printed + "[]" * isinstance(thing, sp.IndexedBase), thing) != thing:
            yield f"two things are printed as {name}"
    limits = [one for formula in formulas for part in formula.atoms(sp.Sum, sp.Integral) for one in part.limits]
    for variable, low, _ in (one for one in limits if len(one) == 3):
        if variable.is_positive and not (low.is_positive or (low.is_zero and not variable.is_integer)):
            yield f"{variable} is positive, and runs from {low}"
    yield from _places(formulas)
    yield from _counted(formulas)
    running = {one[0] for one in limits}
    free = set().union(*(formula.free_symbols for formula in formulas)) if formulas else set()
    yield from (
        f"{symbol} is a variable of a sum or an integral and something else"
        for symbol in sorted(running & free, key=str)
    )


def _indices(page: Derivation, formulas: list[sp.Basic]) -> Iterator[str]:
    """Names with an index that reads as a running one, or, at one step, as that of an entry of a family."""
    bound = {str(variable) for formula in formulas for _, variable in binding(formula)}
    for thing, _, index in _indexed(page, formulas):
        if running := sorted({index, *index} & bound):
            yield f"{thing} does not depend on {running[0]}, which runs in a formula: write it as an entry of a family"
    for step in page.steps:
        here = [step.relation.lhs, step.relation.rhs, *step.where, *(let.value for let in step.let)]
        here += [formula for use in step.uses for formula in _of_use(use)]
        families = {str(entry.base) for formula in here for entry in formula.atoms(sp.Indexed)}
        numbers = {str(symbol) for formula in here for symbol in formula.atoms(sp.Symbol) if symbol.is_integer}
        for thing, letter, index in _indexed(page, here):
            if letter in families and (index.isdigit() or {index, *index} & numbers):
                yield f"{thing} reads as an entry of the family {letter}"


def _indexed(page: Derivation, formulas: list[sp.Basic]) -> Iterator[tuple[sp.Basic, str, str]]:
    """Things whose name has an index, with its letter and index, without plus one."""
    for thing in sorted(_named(page, formulas), key=str):
        letter, _, index = (getattr(thing, "name", None) or str(thing)).partition("_")
        if index and not isinstance(thing, sp.Indexed | sp.IndexedBase):
            yield thing, letter, index.removesuffix("+1")


def _places(formulas: list[sp.Basic]) -> Iterator[str]:
    """Variables with a declared sign that run, or are put, where they do not have it."""
    for variable, place, side in {part.args[1:] for formula in formulas for part in formula.atoms(sp.Limit)}:
        from_above = place.is_zero and str(side) == "+"
        if variable.is_nonnegative and not (place.is_positive or from_above or place is sp.oo):
            yield f"{variable} has a declared sign, and runs to {place}"
    for placed in {part for formula in formulas for part in formula.atoms(sp.Subs)}:
        for variable, place in zip(placed.variables, placed.point, strict=True):
            if variable.is_nonnegative and not place.is_nonnegative:
                yield f"{variable} has a declared sign, and is put {place}"


def _counted(formulas: Iterable[sp.Basic]) -> Iterator[str]:
    """Roots, factors and degrees whose coefficients contain two entries of one family, which may be the same entry."""
    for part in {part for formula in formulas for part in formula.atoms(PositiveRoots, Degree, FactorCount)}:
        families = [entry.base for entry in part.atoms(sp.Indexed)]
        if len(set(families)) < len(families):
            yield f"{part} has two entries of one family, which may be the same"


def _named(page: Derivation, formulas: Iterable[sp.Basic]) -> set:
    found: set = {*page.matrices, *page.moments, *page.moments.values()}
    for formula in formulas:
        entries = formula.atoms(sp.Indexed)
        found |= formula.atoms(sp.Symbol, sp.MatrixSymbol) - {entry.base.label for entry in entries}
        found |= entries | {entry.base for entry in entries}
        found |= {part.func for part in formula.atoms(AppliedUndef)}
    return found


def _kinds(page: Derivation) -> Iterator[str]:
    for matrix, kind in page.matrices.items():
        if kind not in KINDS:
            yield f"{matrix} is declared {kind!r}; the kinds are {', '.join(KINDS)}"
        if kind in ("positive", "symmetric", "invertible", "partition") and matrix.rows != matrix.cols:
            yield f"{matrix} is declared {kind} and is not square"
    for vector, moment in page.moments.items():
        if vector.cols != 1 or moment.shape != (vector.rows, vector.rows):
            yield f"{vector} is no random column with a second moment {moment} of its size"
        if vector in page.matrices:
            yield f"{vector} is random and declared {page.matrices[vector]}: its values would all be so"


def _functions(page: Derivation, formulas: Iterable[sp.Basic], lets: tuple[Let, ...]) -> Iterator[str]:
    """Functions that are not abbreviated have a kind, and points of a space as arguments."""
    abbreviated = {let.symbol.func for let in lets if isinstance(let.symbol, AppliedUndef)}
    kinds = {"density": sp.Function("f", positive=True), "real": sp.Function("f", real=True)}
    points = page.points
    written = [write_out(formula, lets, matrices=True) for formula in formulas] if points else []
    free = points & {symbol for formula in written for symbol in _outside_functions(formula, page)}
    yield from (
        f"{symbol} is a point of a space, and only an argument of functions" for symbol in sorted(free, key=str)
    )
    for symbol in sorted(points, key=str):
        if symbol.assumptions0 != sp.Symbol("x", real=True).assumptions0:
            yield f"{symbol} is a point of a space: make it real and nothing else"
    for function, kind in page.functions.items():
        if kind not in kinds or function._kwargs != kinds[kind]._kwargs:
            yield f"{function} is declared {kind!r}: densities are made with positive=True, others with real=True"
    for part in sorted({part for formula in formulas for part in formula.atoms(AppliedUndef)}, key=str):
        if part.func in page.functions and not all(isinstance(one, sp.Symbol) for one in part.args):
            yield f"{part} is a function of something that is no point"
        if part.func not in page.functions and part.func not in abbreviated:
            yield f"{part.func} is neither abbreviated nor declared among the functions of the page"
    for total in sorted({part for formula in formulas for part in formula.atoms(OverAll)}, key=str):
        if total.variable not in points:
            yield f"{total.variable} is integrated over, and is no argument of a function of the page"


def _outside_functions(formula: sp.Basic, page: Derivation) -> Iterator[sp.Symbol]:
    """The symbols of a formula that are not arguments of functions of the page, nor variables of integrals."""
    if isinstance(formula, sp.Symbol):
        yield formula
    elif isinstance(formula, OverAll):
        yield from _outside_functions(formula.function, page)
    elif not (isinstance(formula, AppliedUndef) and formula.func in page.functions):
        for part in formula.args:
            yield from _outside_functions(part, page)


def _captured(formulas: list[sp.Basic], lets: tuple[Let, ...]) -> Iterator[str]:
    """Abbreviations in which an operation that binds a variable would take in what is put, or stands outside.

    Functions that are abbreviated may hide the variable of a derivative or a limit, as they are written out first.
    """

    def lasting(formula):
        return ((one, x) for one, x in binding(formula) if not isinstance(one, sp.Derivative | sp.Subs | sp.Limit))

    heads = {_head(let.symbol) for let in lets}
    for variable in sorted({x for formula in formulas for _, x in binding(formula)}, key=str):
        if variable in heads:
            yield f"{variable} is bound in a formula, and abbreviates something"
        if isinstance(variable, sp.Indexed):
            yield f"{variable} is bound in a formula, and may be an entry of another name: take a symbol"
    everywhere = [pair for formula in formulas for pair in binding(formula)]
    bound = [pair for formula in formulas for pair in lasting(formula)]
    for position, let in enumerate(lets):
        value = write_out(let.value, lets[:position], matrices=True)
        inside = {variable for _, variable in lasting(value)}
        head, arguments = _head(let.symbol), getattr(let.symbol, "args", ())
        if isinstance(let.symbol, AppliedUndef):
            for part in sorted({part for formula in formulas for part in formula.atoms(head)}, key=str):
                written = {symbol for one in part.args for symbol in write_out(one, lets, matrices=True).free_symbols}
                if part != let.symbol and written & inside:
                    yield f"{part} is put a variable that its abbreviation binds"
        outside = value.free_symbols - {*arguments} if isinstance(let.symbol, AppliedUndef) else value.free_symbols
        hiding = bound if isinstance(let.symbol, AppliedUndef) else everywhere
        for part, variable in hiding:
            if variable in outside and part.args[0].has(head):
                yield f"{let.symbol} depends on {variable}, which is bound around it"


def _abbreviations(page: Derivation, lets: tuple[Let, ...]) -> Iterator[str]:
    defined = [_head(let.symbol) for let in lets]
    yield from (f"{name} is abbreviated twice" for name in set(defined) if defined.count(name) > 1)
    for position, let in enumerate(lets):
        if isinstance(let.symbol, AppliedUndef):
            arguments, value = let.symbol.args, write_out(let.value, lets[:position], matrices=True)
            if len(set(arguments)) < len(arguments) or not all(isinstance(one, sp.Symbol) for one in arguments):
                yield f"{let.symbol} is abbreviated as a function of something that is no symbol"
            counts = value.atoms(FactorCount, Degree, PositiveRoots)
            if any(count.free_symbols & {*arguments} for count in counts):
                yield f"{let.symbol} abbreviates a count, which jumps with its argument"
            if set(arguments) & set(defined):
                yield f"{let.symbol} is abbreviated as a function of an abbreviation"
            if value.has(sp.Derivative, sp.Limit, sp.Subs):
                yield f"the value of {let.symbol} contains a derivative or a limit, whose variable may be its argument"
        elif not isinstance(let.symbol, sp.Symbol | sp.MatrixSymbol):
            yield f"{let.symbol} is no symbol, and cannot be abbreviated"
        if let.rule is not None and not (
            isinstance(let.symbol, sp.MatrixSymbol) and any(side.has(let.symbol) for side in let.rule)
        ):
            yield f"the rule of {let.symbol} must be about a matrix of this name"
        if getattr(let.symbol, "shape", ()) != getattr(let.value, "shape", ()):
            yield f"{let.symbol} has another shape than its value"
        if let.hypothesis and let.rule is None:
            yield f"{let.symbol} is assumed without a rule"
        written = [write_out(side, lets[:position], matrices=False) for side in let.rule or ()]
        if let.hypothesis and any(symbol.is_integer for side in written for symbol in _numbers(side)):
            yield f"the rule of {let.symbol} depends on a size other than by shapes"
    seen: set = set()
    for step in page.steps:
        for let in step.let:
            name = _head(let.symbol)
            if name in seen and not let.hypothesis:
                yield f"{let.symbol} is used before it is abbreviated"
            if let.value.has(name):
                yield f"{let.symbol} is abbreviated by itself"
            seen |= _heads(let.value).union(*(_heads(side) - {name} for side in let.rule or ()))
        seen |= _heads(step.relation).union(
            *map(_heads, (*step.where, *(one for use in step.uses for one in _of_use(use))))
        )


def _sizes(page: Derivation, step: Step, lets: tuple[Let, ...]) -> Iterator[str]:
    if not step.sizes:
        return
    for sizes in step.sizes:
        if not all(size.is_integer and size.is_positive for size in sizes):
            yield "only positive integers have sizes"
        if not all(value >= 1 for value in sizes.values()):
            yield "a size is at least 1"
        numbers = {size: sp.Integer(value) for size, value in sizes.items()}
        if any(
            write_out(condition, lets, matrices=True).xreplace(numbers) == sp.false
            for condition in page.conditions(step)
        ):
            yield f"the sizes {latex(sp.Tuple(*numbers.values()))} contradict a condition"


def _head(symbol: sp.Basic):
    return symbol.func if isinstance(symbol, AppliedUndef) else symbol


def _heads(formula: sp.Basic) -> set:
    return formula.atoms(sp.Symbol, sp.MatrixSymbol) | {part.func for part in formula.atoms(AppliedUndef)}

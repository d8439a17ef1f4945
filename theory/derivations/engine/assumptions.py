"""What the checks of a page assume, as sentences that are made from what they use.

Signs of numbers, kinds and sizes of matrices, moments of random vectors, and the conditions of the page and of each
step: the checks know nothing else, so a page that prints these hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from theory.derivations.engine.grammar import formulas_of
from theory.derivations.engine.page import Derivation, Step
from theory.derivations.engine.printers import inline, latex

__all__ = ["page_assumptions", "step_conditions"]

SIGNS = {sp.Ge: r"\ge", sp.Gt: ">", sp.Le: r"\le", sp.Lt: "<", sp.Ne: r"\ne"}
KINDS = {
    "positive": "symmetric and positive definite",
    "symmetric": "symmetric",
    "invertible": "invertible",
    "orthogonal": "with orthonormal columns",
    "independent": "with linearly independent columns",
    "partition": "a partition of the rows and columns into blocks: one inside the blocks and zero outside",
    None: "any matrix",
}


def page_assumptions(page: Derivation) -> tuple[str, ...]:
    """What all steps of a page assume about its symbols, a phrase for each kind; mathematics between dollar signs."""
    lets, formulas = page.lets(page.steps[-1].title), formulas_of(page)
    abbreviated = {let.symbol for let in lets if not let.hypothesis}
    return (
        *_numbers(page, formulas, abbreviated),
        *_matrices(page, formulas, abbreviated),
        *_random_vectors(page),
        *_functions(page),
        *_conditions(page.where),
    )


def step_conditions(step: Step) -> tuple[str, ...]:
    """The conditions and the sizes of one step, as phrases; nothing if it holds whenever the page's assumptions do."""
    conditions = _conditions(step.where)
    names = sorted({size for sizes in step.sizes for size in sizes}, key=str)
    sizes = [", ".join(f"{name} = {values[name]}" for name in names if name in values) for values in step.sizes]
    return (*conditions, *([" or ".join(f"${text}$" for text in sizes)] if sizes else []))


def _conditions(conditions: Sequence[sp.core.relational.Relational]) -> list[str]:
    """Conditions as they are given, but for a lower and an upper bound of one symbol, which become one."""
    phrases, waiting = [], list(conditions)
    while waiting:
        condition = waiting.pop(0)
        symbol = condition.gts if isinstance(condition, sp.StrictGreaterThan) else None
        partner = next(
            (other for other in waiting if isinstance(other, sp.StrictLessThan) and other.lts == symbol), None
        )
        if partner is None:
            phrases.append(f"${inline(condition.lhs)} {SIGNS[type(condition)]} {inline(condition.rhs)}$")
        else:
            waiting.remove(partner)
            phrases.append(f"${inline(condition.lts)} < {latex(symbol)} < {inline(partner.gts)}$")
    return phrases


def _numbers(page: Derivation, formulas: Iterable[sp.Basic], abbreviated: set) -> Iterator[str]:
    indexed = {entry for formula in formulas for entry in formula.atoms(sp.Indexed)}
    labels = {part for entry in indexed for part in entry.base.free_symbols}
    free = {symbol for formula in formulas for symbol in formula.free_symbols if isinstance(symbol, sp.Symbol)}
    placed = {x for formula in formulas for part in formula.atoms(sp.Subs) for x in part.variables}
    matrices = {matrix for formula in formulas for matrix in formula.atoms(sp.MatrixSymbol)}
    sizes = {symbol for matrix in matrices for side in matrix.shape for symbol in sp.sympify(side).free_symbols}
    symbols = (free | placed | sizes) - abbreviated - labels - page.points
    symbols |= {entry.base for entry in indexed}
    groups: dict[str, list] = {}
    for symbol in sorted(symbols, key=str):
        groups.setdefault(_range(symbol), []).append(latex(symbol))
    for text in ("positive integer", "> 0", r"\ge 0", "real"):
        if names := ", ".join(groups.get(text, [])):
            yield f"${names} {text}$" if text in ("> 0", r"\ge 0") else f"${names}$: {text}"


def _range(symbol) -> str:
    assumed = symbol.label if isinstance(symbol, sp.IndexedBase) else symbol
    if assumed.is_integer:
        return "positive integer"
    return "> 0" if assumed.is_positive else r"\ge 0" if assumed.is_nonnegative else "real"


def _matrices(page: Derivation, formulas: Iterable[sp.Basic], abbreviated: set) -> Iterator[str]:
    symbols = {symbol for formula in formulas for symbol in formula.atoms(sp.MatrixSymbol)} - abbreviated
    symbols = (symbols | {*page.moments.values()}) - page.moments.keys()
    groups: dict[str, list] = {}
    for symbol in sorted(symbols, key=str):
        text = KINDS[page.matrices.get(symbol)]
        rows, columns = symbol.shape
        text = text.replace("matrix", "vector") if columns == 1 else text
        groups.setdefault(text, []).append(f"${latex(symbol)}$ (${latex(rows)} \\times {latex(columns)}$)")
    for text, names in groups.items():
        yield f"{', '.join(names)}: {text}"


def _functions(page: Derivation) -> Iterator[str]:
    steps = [side for step in page.steps for side in page.written_sides(step)]
    applied = sorted({part for side in steps for part in side.atoms(AppliedUndef)}, key=str)
    texts = {"density": "positive densities, of their first argument if they have two", "real": "any real functions"}
    for kind, text in texts.items():
        if names := [f"${latex(part)}$" for part in applied if page.functions.get(part.func) == kind]:
            yield f"{', '.join(names)}: {text}"
    if page.points:
        names = ", ".join(f"${latex(point)}$" for point in sorted(page.points, key=str))
        yield f"{names}: points of any space, a vector space or a finite set; the integrals exist"


def _random_vectors(page: Derivation) -> Iterator[str]:
    names = [f"${latex(vector)}$ with second moment ${latex(moment)}$" for vector, moment in page.moments.items()]
    if names:
        independent = "independent random vectors" if len(names) > 1 else "a random vector"
        yield f"{', '.join(names)}: {independent} of mean zero"

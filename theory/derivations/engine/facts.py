"""Earlier relations that a proof uses, with values in place of their symbols.

A relation holds for all symbols of their kinds. So it may be used of any values that are evidently of these kinds and
satisfy its conditions.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
from sympy.core.function import AppliedUndef

from theory.derivations.engine.definite import is_invertible, is_positive_definite, is_symmetric
from theory.derivations.engine.operators import Expectation, FactorCount, binding
from theory.derivations.engine.page import Derivation, Let, Step, Use, is_about_matrices, write_out
from theory.derivations.engine.signs import Sign, Signs

__all__ = ["Refused", "used_relation"]

Relation = sp.core.relational.Relational


class Refused(ValueError):
    """An earlier relation may not be used in this way."""


def used_relation(
    page: Derivation, step: Step, use: Use, signs: Signs, undefined: Callable[[sp.Basic], list[str]]
) -> Relation:
    """What an earlier relation says of the values that stand for its symbols at a step.

    Parameters
    ----------
    page, step, use
    signs : Signs
        what is known of numbers at the step.
    undefined : callable
        the conditions, in words, without which a value is not defined.

    Raises
    ------
    Refused
        if the relation is not an earlier one, is not general, or was not proved of such values.
    """
    other, source = page.fact(use.step)
    if other is page and page.steps.index(source) >= page.steps.index(step):
        raise Refused(f"{use.step} does not come before {step.title}")
    if other.is_of_sizes(source):
        raise Refused(f"{use.step} is proved at given sizes only")
    lets = other.written_lets(source.title)
    assumed = {let.symbol for let in lets if let.hypothesis}
    sides = [_written(side, lets, own=other is page) for side in (source.relation.lhs, source.relation.rhs)]
    conditions = [_written(condition, lets, own=other is page) for condition in other.conditions(source)]
    here = page.written_lets(step.title)
    put = {symbol: _written(sp.sympify(value), here, own=True) for symbol, value in use.put.items()}
    free = _free_symbols(*sides, *conditions)
    if unknown := sorted(map(str, set(put) - free)):
        raise Refused(f"{use.step} says nothing about {', '.join(unknown)}")
    if assumed and other is not page:
        raise Refused(f"{use.step} rests on an assumption about {', '.join(sorted(map(str, assumed)))}")
    if fixed := sorted(map(str, set(put) & _fixed_by_rules(lets, free))):
        raise Refused(f"{use.step} rests on the rule of an abbreviation about {', '.join(fixed)}")
    if any(side.has(Expectation, FactorCount) for side in sides) and (other is not page or put):
        raise Refused(f"{use.step} contains an expectation, or a number of factors")
    if other is not page and any(side.has(AppliedUndef) for side in sides):
        raise Refused(f"{use.step} is about functions of its page")
    _refuse_captured(use, sides, put)
    _refuse_running(page, step, use, sides)
    sizes = {symbol: put.get(symbol, symbol) for symbol in free if isinstance(symbol, sp.Symbol) and symbol.is_integer}
    if other is not page:  # whose symbols may be abbreviations here
        put |= {one: _written(one.xreplace(sizes), here, own=True) for one in free - put.keys()}
        _refuse_captured(use, sides, {one: value for one, value in put.items() if one != value})
    for symbol in sorted(free - assumed, key=str):
        value = put.get(symbol, symbol)
        if value != symbol and value.has(*page.moments):
            raise Refused(f"{use.step}: {symbol} is put {value}, which is random")
        if fault := _kind_fault(symbol, value, sizes, other, page, signs):
            raise Refused(f"{use.step}: {fault}")
        if parts := undefined(value):
            raise Refused(f"{use.step}: {symbol} is put {value}, which needs {parts[0]}")
    known = [_written(condition, here, own=True) for condition in page.conditions(step)]
    for condition in conditions:
        sides_put = (side.xreplace(put) for side in (condition.lhs, condition.rhs))
        if not _holds(condition.func(*sides_put, evaluate=False), known, signs):
            raise Refused(f"{use.step} holds for {condition} only, and that is not evident of {put or 'this step'}")
    return source.relation.func(*(side.xreplace(put) for side in sides), evaluate=False)


def _written(expression, lets: tuple[Let, ...], *, own: bool):
    """An expression with its abbreviations written out; on their own page matrices with a rule keep their names."""
    made = tuple(let for let in lets if not let.hypothesis)
    return write_out(expression, made, matrices=not own)


def _free_symbols(*parts: sp.Basic) -> set:
    """The numbers, sizes and matrices in formulas."""
    free = {symbol for part in parts for symbol in part.free_symbols if isinstance(symbol, sp.Symbol | sp.MatrixSymbol)}
    shapes = [side for part in parts for matrix in part.atoms(sp.MatrixSymbol) for side in matrix.shape]
    return free | {symbol for side in shapes for symbol in sp.sympify(side).free_symbols}


def _fixed_by_rules(lets: tuple[Let, ...], free: set) -> set:
    """What the rules of the matrices in a relation are about: nothing else may stand for it."""
    fixed = set()
    for position, let in enumerate(lets):
        if let.hypothesis or (let.rule is not None and let.symbol in free):
            value = write_out(let.value, lets[:position], matrices=True)
            fixed |= {let.symbol} | _free_symbols(value, *let.rule)
    return fixed


def _refuse_running(page: Derivation, step: Step, use: Use, sides) -> None:
    """Refuse a sum or an integral of a relation over something that a condition, a size or a rule is about."""
    if use.over is None:
        return
    running = use.over if isinstance(use.over, sp.Symbol) else use.over[0]
    lets = page.written_lets(step.title)
    values = [write_out(let.value, lets, matrices=True) for let in lets if let.rule is not None]
    parts = (*sides, *map(sp.sympify, (*use.put.values(), use.times)))
    shapes = [sp.sympify(side) for part in parts for matrix in part.atoms(sp.MatrixExpr) for side in matrix.shape]
    values += [
        value for value in use.put.values() if isinstance(value, sp.MatrixExpr) and isinstance(use.over, sp.Symbol)
    ]
    if any(part.has(running) for part in (*page.conditions(step), *values, *shapes)):
        raise Refused(f"{use.step} runs over {running}, which a condition, a matrix or a size is about")


def _refuse_captured(use: Use, sides, put) -> None:
    """Refuse values that contain a variable over which a sum, an integral or a derivative of the relation runs."""
    running = {variable for side in sides for _, variable in binding(side)}
    for symbol, value in put.items():
        if symbol in running or value.free_symbols & running:
            raise Refused(f"{use.step}: {symbol} is put {value}, and one of them is a variable of the relation")


def _kind_fault(symbol, value, sizes, other: Derivation, page: Derivation, signs: Signs) -> str | None:
    """Why a value may not stand for a symbol, if it may not."""
    if isinstance(symbol, sp.MatrixSymbol):
        wanted = tuple(sp.sympify(side).xreplace(sizes) for side in symbol.shape)
        found = tuple(getattr(value, "shape", ()))
        if len(found) != 2 or any(sp.simplify(a - b) != 0 for a, b in zip(wanted, found, strict=True)):
            return f"{symbol} is put {value}, which is not {wanted[0]} x {wanted[1]}"
        kind, kinds = other.matrices.get(symbol), page.matrices
        is_kind = {
            None: lambda: True,
            "positive": lambda: is_positive_definite(value, kinds, signs),
            "symmetric": lambda: is_symmetric(value, kinds),
            "invertible": lambda: is_invertible(value, kinds, signs),
        }.get(kind, lambda: kinds.get(value) == kind)
        return None if is_kind() else f"{symbol} is put {value}, which is not evidently {kind}"
    value = sp.sympify(value)
    if isinstance(value, sp.MatrixExpr | sp.MatrixBase):
        return f"{symbol} is put {value}, which is a matrix"
    if symbol.is_integer:
        evident = value.is_integer and value.is_positive
    elif symbol.is_positive:
        evident = signs.of(value) is Sign.POSITIVE
    elif symbol.is_nonnegative:
        evident = signs.of(value).is_nonnegative
    else:
        evident = value.is_real is not False
    return None if evident else f"{symbol} is put {value}, which is not evidently of its range"


def _holds(condition: Relation, known, signs: Signs) -> bool:
    """Whether a condition is among those known, or follows from signs."""
    if is_about_matrices(condition):
        wanted = condition.lhs - condition.rhs
        excluded = [one.lhs - one.rhs for one in known if is_about_matrices(one)]
        return any((wanted - one).doit().is_ZeroMatrix or (wanted + one).doit().is_ZeroMatrix for one in excluded)
    return signs.hold(condition)

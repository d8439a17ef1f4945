"""Signs that the kinds of the symbols and the conditions of a step force on an expression.

A condition that bounds a symbol is used by substitution: l > t becomes l = t + d, and -1 < r < 1 becomes r = (u - 1)/
(u + 1), with positive d and u. After that an expression is positive if every term of its numerator and its denominator
is. Any other condition is used as it stands: a factor that is a multiple of its difference has its sign.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cached_property
from types import MappingProxyType

import sympy as sp

__all__ = ["Sign", "Signs", "is_strict"]


def is_strict(relation: sp.core.relational.Relational) -> bool:
    """Whether a relation is one of > and <."""
    return isinstance(relation, sp.StrictGreaterThan | sp.StrictLessThan)


class Sign(Enum):
    """What is known of the sign of a real number."""

    POSITIVE = (1, True)
    NONNEGATIVE = (1, False)
    NEGATIVE = (-1, True)
    NONPOSITIVE = (-1, False)
    NONZERO = (0, True)
    UNKNOWN = (0, False)

    def __neg__(self) -> Sign:
        direction, strict = self.value
        return Sign((-direction, strict))

    def __mul__(self, other: Sign) -> Sign:
        (first, first_strict), (second, second_strict) = self.value, other.value
        return Sign((first * second, first_strict and second_strict))

    @property
    def is_nonzero(self) -> bool:
        return self.value[1]

    @property
    def is_nonnegative(self) -> bool:
        return self.value[0] == 1

    def proves(self, strict: bool) -> bool:
        """Whether it says that a number is not negative, or if strict that it is positive."""
        return self.is_nonnegative and (self.is_nonzero or not strict)


class Signs:
    """The signs of expressions under conditions: relations between scalars, each `>`, `>=`, `<`, `<=` or `Ne`.

    Nothing is substituted for the symbols `fixed`; conditions on them are used as they stand. `values` are other forms
    of parts of the expressions, such as traces, for those who ask for signs.
    """

    def __init__(
        self,
        conditions: Iterable[sp.core.relational.Relational] = (),
        fixed: Iterable[sp.Symbol] = (),
        values: Mapping[sp.Basic, sp.Expr] = MappingProxyType({}),
    ):
        self.conditions, self.fixed, self.values = tuple(conditions), frozenset(fixed), dict(values)
        self._found: dict[sp.Expr, Sign] = {}

    def with_values(self, values: Mapping[sp.Basic, sp.Expr]) -> Signs:
        """The same conditions, with other forms of some parts."""
        return Signs(self.conditions, self.fixed, values) if values else self

    def and_also(self, conditions: Iterable[sp.core.relational.Relational]) -> Signs:
        """More conditions."""
        return Signs([*self.conditions, *conditions], self.fixed, self.values)

    @cached_property
    def _bounds(self) -> tuple[dict[sp.Symbol, sp.Expr], list[tuple[sp.Expr, Sign]]]:
        """The substitutions for symbols with bounds, and the differences whose sign the other conditions state."""
        lower: dict[sp.Symbol, tuple[sp.Expr, bool]] = {}
        upper: dict[sp.Symbol, tuple[sp.Expr, bool]] = {}
        stated = []
        for condition in self.conditions:
            if isinstance(condition, sp.Ne):
                stated.append((condition.lhs - condition.rhs, Sign.NONZERO))
                continue
            strict = is_strict(condition)
            small, large = condition.lts, condition.gts
            if self._can_be_bounded(large, small, lower, {*lower, *upper}):
                lower[large] = small, strict
            elif self._can_be_bounded(small, large, upper, {*lower, *upper}):
                upper[small] = large, strict
            else:
                stated.append((large - small, Sign.POSITIVE if strict else Sign.NONNEGATIVE))
        substitutions = {}
        for symbol in {**lower, **upper}:
            if symbol in upper and (symbol in lower or symbol.is_nonnegative):
                low, above_low = lower.get(symbol, (sp.Integer(0), bool(symbol.is_positive)))
                high, below_high = upper[symbol]
                if not (above_low or below_high):
                    raise ValueError(f"bound {symbol} on one side by a strict inequality")
                both = above_low and below_high
                u = sp.Dummy(f"u_{symbol}", **({"positive": True} if both else {"nonnegative": True}))
                substitutions[symbol] = ((low + high * u) if below_high else (high + low * u)) / (1 + u)
            else:
                (bound, strict), way = (lower[symbol], 1) if symbol in lower else (upper[symbol], -1)
                d = sp.Dummy(f"d_{symbol}", **({"positive": True} if strict else {"nonnegative": True}))
                substitutions[symbol] = bound + way * d
        return substitutions, stated

    def _can_be_bounded(self, symbol, bound, bounded: dict, all_bounded: set) -> bool:
        """Whether a side of a condition is a symbol that the other side may bound, without a circle of bounds."""
        return (
            symbol.is_Symbol
            and symbol not in self.fixed
            and symbol not in bounded
            and not bound.has(symbol, *all_bounded)
            and not any(value.has(symbol) for value, _ in bounded.values())
        )

    def substituted(self, expression: sp.Basic) -> sp.Basic:
        """An expression with positive symbols in place of those that conditions bound."""
        substitutions, _ = self._bounds
        for _ in range(len(substitutions)):
            expression = expression.xreplace(substitutions)
        return expression

    @property
    def substitutions(self) -> dict[sp.Symbol, sp.Expr]:
        """What stands for each symbol that conditions bound."""
        return {symbol: self.substituted(symbol) for symbol in self._bounds[0]}

    def of(self, expression: sp.Expr) -> Sign:
        """The sign of a real expression."""
        expression = sp.sympify(expression)
        if expression not in self._found:
            known = found = _assumed(expression)
            if not (known.value[0] and known.is_nonzero):
                found = _common([self._of_product(form) for form in _without_even_angles(expression)])
            self._found[expression] = known if found is Sign.UNKNOWN else found
        return self._found[expression]

    def hold(self, relation: sp.core.relational.Relational) -> bool:
        """Whether a relation between numbers follows."""
        if isinstance(relation, sp.Ne):
            return self.of(relation.lhs - relation.rhs).is_nonzero
        return self.of(relation.gts - relation.lts).proves(is_strict(relation))

    def of_sum(self, expression: sp.Expr) -> Sign:
        """The sign that the terms of an expression share as they stand, if each has one; else that of its factors."""
        found = _of_all([self.of(term) for term in sp.Add.make_args(expression)])
        return self.of(expression) if found is Sign.UNKNOWN else found

    def _of_product(self, expression: sp.Expr) -> Sign:
        if isinstance(expression, sp.log):
            return self.of(expression.args[0] - 1)
        total = Sign.POSITIVE
        for factor in sp.Mul.make_args(sp.factor(sp.together(self.substituted(expression)))):
            base, exponent = factor.as_base_exp()
            if exponent.is_even and base.is_real is not False:
                squared = self._of_factor(base).is_nonzero
                total = total * (Sign.POSITIVE if squared else Sign.NONNEGATIVE)
            elif exponent.is_odd:
                total = total * self._of_factor(base)
            else:
                total = total * _assumed(factor)
        return total

    def _of_factor(self, factor: sp.Expr) -> Sign:
        known = _assumed(factor)
        if known.value[0] and known.is_nonzero:
            return known
        for difference, sign in self._bounds[1]:
            ratio = sign * self._of_ratio(factor, difference)
            if ratio is not Sign.UNKNOWN:
                return ratio
        found = _of_terms(factor)
        if found is Sign.UNKNOWN:
            found = self._of_root_and_rest(factor)
        return known if found is Sign.UNKNOWN else found

    def _of_ratio(self, factor: sp.Expr, difference: sp.Expr) -> Sign:
        """The sign of a factor over a difference whose sign is stated, by their terms."""
        above, below = sp.fraction(sp.cancel(factor / self.substituted(difference)))
        divisor = _of_terms(below)
        return _of_terms(above) * divisor if divisor.is_nonzero else Sign.UNKNOWN

    def _of_root_and_rest(self, expression: sp.Expr) -> Sign:
        """The sign of c sqrt(y) + x, which is that of c if c^2 y > x^2."""
        terms = sp.Add.make_args(expression)
        roots = [
            (term, factor)
            for term in terms
            for factor in sp.Mul.make_args(term)
            if isinstance(factor, sp.Pow) and factor.exp == sp.Rational(1, 2)
        ]
        if len(roots) == 1 and len(terms) > 1:
            ((term, root),) = roots
            if self.of(sp.expand(term**2 - (expression - term) ** 2)) is Sign.POSITIVE:
                return self.of(term / root)
        return Sign.UNKNOWN


def _common(signs: list[Sign]) -> Sign:
    """What all of several signs have in common."""
    directions = {sign.value[0] for sign in signs}
    strict = all(sign.is_nonzero for sign in signs)
    return Sign((directions.pop() if len(directions) == 1 else 0, strict))


def _without_even_angles(expression: sp.Expr) -> list[sp.Expr]:
    """The squares of cosine and sine of an angle as 1/(1 + q) and q/(1 + q) with q >= 0, and as 0 and 1."""
    forms = [expression]
    for angle in sorted({part.args[0] for part in expression.atoms(sp.cos, sp.sin)}, key=str):
        q = sp.Dummy("q", nonnegative=True)
        squares = (1 / (1 + q), q / (1 + q)), (sp.Integer(0), sp.Integer(1))
        forms = [_with_squares(form, angle, *values) for form in forms for values in squares]
    return forms


def _with_squares(expression: sp.Expr, angle: sp.Expr, cosine: sp.Expr, sine: sp.Expr) -> sp.Expr:
    for wanted, square in ((sp.cos(angle), cosine), (sp.sin(angle), sine)):
        expression = expression.replace(
            lambda part, wanted=wanted: part.is_Pow and part.base == wanted and part.exp.is_even,
            lambda part, square=square: square ** (part.exp / 2),
        )
    return expression


def _assumed(expression: sp.Expr) -> Sign:
    """The sign that the assumptions about its symbols give an expression."""
    if expression.is_positive:
        return Sign.POSITIVE
    if expression.is_negative:
        return Sign.NEGATIVE
    if expression.is_nonnegative:
        return Sign.NONNEGATIVE
    if expression.is_nonpositive:
        return Sign.NONPOSITIVE
    return Sign.NONZERO if expression.is_nonzero else Sign.UNKNOWN


def _of_term(term: sp.Expr) -> Sign:
    """The sign of a product; a root is not negative where it is defined, which is checked for itself."""
    total = Sign.POSITIVE
    for factor in sp.Mul.make_args(term):
        is_root = isinstance(factor, sp.Pow) and factor.exp.is_Rational and not factor.exp.is_integer
        known = _assumed(factor)
        total = total * (Sign.NONNEGATIVE if is_root and known is Sign.UNKNOWN else known)
    return total


def _of_terms(expression: sp.Expr) -> Sign:
    """The sign that all terms of a sum share."""
    return _of_all([_of_term(term) for term in sp.Add.make_args(sp.expand(expression))])


def _of_all(signs: list[Sign]) -> Sign:
    """The sign of a sum of terms of these signs, if they have one direction."""
    for way in (1, -1):
        if all(sign.value[0] == way for sign in signs):
            return Sign((way, any(sign.is_nonzero for sign in signs)))
    return Sign.UNKNOWN

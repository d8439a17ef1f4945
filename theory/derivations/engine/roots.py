"""The number of positive roots of a polynomial whose coefficients contain symbols, by Descartes' rule of signs.

The number of positive roots, with their multiplicity, is the number of changes of sign in the sequence of coefficients,
or less by an even number: no change means no root, and one change means one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product

import sympy as sp

from theory.derivations.engine.signs import Sign, Signs

__all__ = ["positive_roots"]


def positive_roots(polynomial: sp.Expr, symbol: sp.Symbol, signs: Signs) -> sp.Integer:
    """The number of positive roots if the coefficients change their sign at most once, whatever the symbols are.

    Raises
    ------
    NotImplementedError
        if that is not evident.
    """
    coefficients = [_numerator(value, signs) for value in sp.Poly(polynomial, symbol).all_coeffs()]
    first, last = signs.of(coefficients[0]), signs.of(coefficients[-1])
    known = [signs.of(value) for value in coefficients]
    if first.is_nonzero and all(sign * first in (Sign.POSITIVE, Sign.NONNEGATIVE) for sign in known):
        return sp.Integer(0)
    if first.is_nonzero and last is -first and first is not Sign.NONZERO:
        way = 1 if first is Sign.POSITIVE else -1
        if all(_stays_negative(way * one, way * after, signs) for one, after in pairwise(coefficients)):
            return sp.Integer(1)
    raise NotImplementedError(f"the signs of the coefficients of a polynomial in {symbol} are not evident")


def _numerator(coefficient: sp.Expr, signs: Signs) -> sp.Expr:
    """A multiple of a coefficient, by a positive number, that is a polynomial in symbols of evident sign."""
    numerator, denominator = sp.fraction(sp.factor(sp.together(signs.substituted(coefficient))))
    sign = signs.of(denominator)
    if sign not in (Sign.POSITIVE, Sign.NEGATIVE):
        raise NotImplementedError(f"{denominator} may be zero")
    return sp.expand(numerator if sign is Sign.POSITIVE else -numerator)


def _stays_negative(coefficient: sp.Expr, following: sp.Expr, signs: Signs) -> bool:
    """Whether the next coefficient is negative if this one is not positive.

    With c = p - n and c' = p' - n', n and n' positive, p n' > p' n says so: c <= 0 makes p' n < p n' <= n n'.
    """
    if signs.of(coefficient) is Sign.POSITIVE or signs.of(following) is Sign.NEGATIVE:
        return True
    return any(
        signs.of(sp.expand(p * other_n - other_p * n)) is Sign.POSITIVE
        for (p, n), (other_p, other_n) in product(_splits(coefficient), list(_splits(following)))
        if Sign.POSITIVE is signs.of(n) is signs.of(other_n)
    )


def _splits(coefficient: sp.Expr) -> Iterator[tuple[sp.Expr, sp.Expr]]:
    """Ways to write a coefficient as p - n: by the signs of its terms, and by its lowest power of a symbol."""
    terms = sp.Add.make_args(coefficient)
    negative = [-term for term in terms if term.could_extract_minus_sign()]
    yield coefficient + sp.Add(*negative), sp.Add(*negative)
    for symbol in sorted(coefficient.free_symbols, key=str):
        powers = sp.Poly(coefficient, symbol)
        lowest = min(power for (power,) in powers.monoms())
        part = powers.coeff_monomial(symbol**lowest) * symbol**lowest
        yield sp.expand(coefficient - part), sp.expand(-part)

"""The exact proof of a relation: both sides are brought to a canonical form and compared.

Matrix expressions become sums of words (all sizes at once) or are written out entry by entry. An equation is proved if
the difference of its sides is zero (`zeros`), an inequality if the difference has an evident sign (`signs`) or is
convex and least where it is not negative (`convexity`). Earlier relations that the step uses are taken off first
(`facts`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations

import sympy as sp

from theory.derivations.engine.convexity import sign_of_convex, sign_of_convex_in_matrix
from theory.derivations.engine.definedness import Kept, undefined_parts, written_out
from theory.derivations.engine.definite import is_invertible, is_positive_definite, is_symmetric
from theory.derivations.engine.evaluation import evaluate
from theory.derivations.engine.facts import Refused, used_relation
from theory.derivations.engine.matrix_algebra import Algebra
from theory.derivations.engine.operators import Expectation, LogDet, OverAll, PositiveRoots, SquaredNorm
from theory.derivations.engine.page import (
    Derivation,
    Let,
    Step,
    Use,
    is_about_matrices,
    write_out,
    written_conditions,
)
from theory.derivations.engine.roots import positive_roots
from theory.derivations.engine.signs import Sign, Signs, is_strict
from theory.derivations.engine.zeros import carried_out, is_zero, merged_totals, with_logs_collected

__all__ = ["Proof"]


class Proof:
    """Canonical forms of the sides of relations: for all sizes at once, or entry by entry for the sizes of the step."""

    def __init__(self, page: Derivation, step: Step):
        self.page, self.step, self.sizes, self.lets = page, step, step.sizes, page.written_lets(step.title)
        self.made = tuple(let for let in self.lets if not let.hypothesis)
        self.kept = tuple(
            let if isinstance(let.symbol, sp.MatrixExpr) else replace(let, value=Kept.of(let.symbol, let.value))
            for let in self.made
        )
        self._refuse_samples()
        self.entries: dict = {}
        self.taken: dict = {}
        of_numbers, self.of_matrices = written_conditions(page.conditions(step), self.lets)
        self.signs = Signs([*of_numbers, *self._principal_minors()])
        self.algebra = Algebra.of(page, self.lets, self.signs)
        self.sides: dict = {}

    def _refuse_samples(self) -> None:
        """Refuse what would be proved of the sample of an assumed matrix, of which only the rule is known."""
        assumed = {let.symbol for let in self.lets if let.hypothesis}
        formulas = [one for one in self.page.conditions(self.step) if not is_about_matrices(one)]
        if self.sizes:
            formulas += [self.step.relation.lhs, self.step.relation.rhs]
        for formula in formulas:
            if assumed & write_out(formula, self.made, matrices=True).atoms(sp.MatrixSymbol):
                raise NotImplementedError(f"{formula} is about a matrix of which only the rule is known")

    def algebra_before(self, let: Let) -> Algebra:
        """The algebra with the rules of the abbreviations that are made before one, wherever the page holds."""
        return Algebra.of(self.page, self.lets[: self.lets.index(let)], self._signs_of_page)

    @property
    def _signs_of_page(self) -> Signs:
        """What is known at every step, as abbreviations are in force at the later ones, too."""
        of_numbers, _ = written_conditions(self.page.where, self.lets)
        return Signs(of_numbers)

    def is_of_its_kind(self, let: Let) -> bool:
        """Whether the value of an abbreviated matrix is evidently of the kind that the page declares."""
        kinds = self.page.matrices
        before = self.lets[: self.lets.index(let)]
        value = write_out(let.value, tuple(one for one in before if not one.hypothesis), matrices=True)
        match kinds.get(let.symbol):
            case "positive":
                return is_positive_definite(value, kinds, self._signs_of_page)
            case "symmetric":
                return is_symmetric(value, kinds)
            case "invertible":
                return is_invertible(value, kinds, self._signs_of_page)
            case None:
                return True
        return False

    def _principal_minors(self) -> Iterator[sp.Gt]:
        """Of positive definite matrices that are written out entry by entry: their principal minors are positive."""
        for matrix, kind in self.page.matrices.items():
            for sizes in self.sizes if kind == "positive" else ():
                rows = sp.sympify(sp.sympify(matrix.rows).xreplace(dict(sizes)))
                if not rows.is_Integer:  # of another size, so not in this step
                    continue
                rows = int(rows)
                entries = sp.ImmutableMatrix(rows, rows, partial(self._entry, str(matrix), True))
                for count in range(1, rows + 1):
                    for chosen in combinations(range(rows), count):
                        yield sp.Gt(entries.extract(chosen, chosen).det(method="berkowitz"), 0)

    def proves(self, relation) -> bool:
        """Whether a relation is proved."""
        differences = [a - b for a, b in zip(self._side(relation.lhs), self._side(relation.rhs), strict=True)]
        if isinstance(relation, sp.Le | sp.Lt):
            differences = [-difference for difference in differences]
        strict = is_strict(relation)
        if self.step.least_at is not None:
            return not isinstance(relation, sp.Eq) and all(self._is_least(relation, strict, *differences))
        for use in self.step.uses:
            taken, positive, is_equation = self._taken(use)
            if isinstance(relation, sp.Eq) and not is_equation:
                raise Refused(f"{use.step} is an inequality, which proves no equation")
            differences = [difference - part for difference, part in zip(differences, taken, strict=True)]
            strict = strict and not positive
        equal = all(is_zero(difference, self.signs) for difference in differences)
        if equal or isinstance(relation, sp.Eq):
            return equal and not strict
        return all(self._sign(difference).proves(strict) for difference in differences)

    def _taken(self, use: Use) -> tuple[list[sp.Expr], bool, bool]:
        """What an earlier relation takes off each difference of the sides; whether it is strict, and an equation."""
        number = self.step.uses.index(use)
        if number not in self.taken:
            self.taken[number] = self._take(use)
        return self.taken[number]

    def _take(self, use: Use) -> tuple[list[sp.Expr], bool, bool]:
        used = used_relation(self.page, self.step, use, self.signs, self.needs)
        parts = [a - b for a, b in zip(self._side(used.lhs), self._side(used.rhs), strict=True)]
        if isinstance(used, sp.Le | sp.Lt):
            parts = [-part for part in parts]
        if needs := self.needs(sp.sympify(use.times)):
            raise Refused(f"{use.step} is taken {use.times} times, which needs {needs[0]}")
        (times,) = self._side(sp.sympify(use.times))
        is_equation = isinstance(used, sp.Eq)
        if not is_equation and not self.signs.of(times).is_nonnegative:
            raise Refused(f"{use.step} is an inequality, and is taken {use.times} times, which may be negative")
        parts = [times * part for part in parts]
        strict = is_strict(used) and self.signs.of(times).is_nonzero
        match use.over:
            case None:
                return parts, strict, is_equation
            case sp.Symbol():
                return [OverAll(part, use.over) for part in parts], False, is_equation
        index, first, last = map(sp.sympify, use.over)
        if not (index.is_integer and first.is_integer and first.is_positive and last.is_integer):
            raise Refused(f"{use.step} is summed over {index} from {first}: take an integer from 1 on")
        if not self.signs.of(last - first + 1).is_nonnegative:
            raise Refused(f"{use.step} is summed from {first} to {last}, which may run backwards")
        strict = strict and self.signs.of(last - first).is_nonnegative
        return [sp.Sum(part, use.over) for part in parts], strict, is_equation

    def _sign(self, difference: sp.Expr) -> Sign:
        """The evident sign of a difference; a sum, or an integral, has that of its terms."""

        def unknown(total):
            sign = self._sign_of(total.function)
            if not (sign.is_nonnegative or (-sign).is_nonnegative):
                return total
            return sp.Dummy(nonnegative=True) * (1 if sign.is_nonnegative else -1)

        merged = merged_totals(difference, self.signs)
        return self._sign_of(merged.replace(lambda part: isinstance(part, sp.Sum | OverAll), unknown))

    def _sign_of(self, expression: sp.Expr) -> Sign:
        found = self.signs.of(expression)
        if found is Sign.UNKNOWN and expression.has(sp.log):
            return self.signs.of(with_logs_collected(expression, self.signs))
        return found

    def _is_least(self, relation, strict: bool, *differences: sp.Expr) -> Iterator[bool]:
        """Whether each difference is convex and stationary at its least value, which is not negative."""
        symbol, place = map(sp.sympify, self.step.least_at)
        if needs := self.needs(place):
            raise NotImplementedError(f"the place {place} needs {needs[0]}")
        for side in (relation.lhs, relation.rhs):
            if any(self._undefined_numbers(write_out(side, self.kept, matrices=True), smooth=True)):
                raise NotImplementedError(f"{side} may have no derivatives")
        for difference in differences:
            if isinstance(symbol, sp.MatrixSymbol):
                sign = self._least_in_matrix(relation, symbol, place)
            else:
                place = write_out(place, self.made, matrices=True)
                sign = sign_of_convex(difference, symbol, place, self.signs)
            yield sign.proves(strict)

    def _least_in_matrix(self, relation, matrix: sp.MatrixSymbol, place: sp.MatrixExpr) -> Sign:
        function, place = (write_out(part, self.lets, matrices=False) for part in (relation.gts - relation.lts, place))
        kept = [let for let in self.lets if let.rule is not None]
        hidden = any(
            part.has(matrix) for let in kept for part in (write_out(let.value, self.lets, matrices=True), *let.rule)
        )
        random = matrix in (*self.page.moments, *self.page.moments.values())
        if self.sizes or hidden or random or function.has(Expectation):
            raise NotImplementedError(
                f"convexity in {matrix} is proved at all sizes, of a matrix that nothing abbreviates"
            )
        return sign_of_convex_in_matrix(function, matrix, place, self.algebra, self.page.matrices, self.of_matrices)

    def undefined(self, relation) -> list[str]:
        """The conditions, in words, without which a side is not defined."""
        return list(dict.fromkeys([*self.needs(relation.lhs), *self.needs(relation.rhs)]))

    def needs(self, expression) -> list[str]:
        """The conditions, in words, without which an expression is not defined."""
        kept = write_out(expression, self.kept, matrices=True)
        return sorted({*self._undefined_numbers(kept), *self._undefined_matrices(kept)})

    def _undefined_numbers(self, written, *, smooth: bool = False) -> Iterator[str]:
        """The conditions on numbers without which a formula is not defined, or has no derivatives."""
        signs = self.signs.with_values(self._values_of_traces(written))
        yield from undefined_parts(written, signs, smooth=smooth)

    def _values_of_traces(self, expression) -> dict:
        """What stands for each trace where its sign is asked for."""
        found = {}
        for part in expression.atoms(sp.Trace, SquaredNorm) if not self.sizes else ():
            try:
                found[part] = self.algebra.scalar(part)
            except NotImplementedError:
                continue
        return found

    def _undefined_matrices(self, side) -> Iterator[str]:
        """The matrices of log determinants and inverses that are not evidently definite, or invertible."""
        kinds = self.page.matrices
        side = side.replace(lambda part: isinstance(part, sp.Subs), _at_its_place)
        for part in side.atoms(LogDet):
            matrix = written_out(part.args[0]).doit()
            factors = matrix.args if isinstance(matrix, sp.MatMul) else (matrix,)
            evident = is_positive_definite(matrix, kinds, self.signs) or all(
                isinstance(factor, sp.MatrixExpr) and is_positive_definite(factor, kinds, self.signs)
                for factor in factors
            )
            if not evident and not self._has_determinant(matrix, Sign.POSITIVE):
                yield f"{matrix} has a positive determinant"
        for part in (power for power in side.atoms(sp.MatPow) if power.exp.is_negative):
            base = written_out(part.base).doit()
            if not is_invertible(base, kinds, self.signs) and not self._has_determinant(base, Sign.NONZERO):
                yield f"{base} is invertible"

    def _has_determinant(self, matrix, wanted: Sign) -> bool:
        """Whether the determinant of a matrix at the sizes of the step is positive, or not zero."""
        if not (self.sizes or all(sp.sympify(side).is_number for side in matrix.shape)):
            return False
        signs = []
        for sizes in self.sizes or ({},):
            values = {size: sp.Integer(value) for size, value in sizes.items()}
            letters = {letter: self._matrix(letter, values) for letter in matrix.atoms(sp.MatrixSymbol)}
            determinant = evaluate(sp.Determinant(matrix), {**values, **letters})
            signs.append(self.signs.of(sp.factor(determinant)))
        return all(sign is wanted or (wanted is Sign.NONZERO and sign.is_nonzero) for sign in signs)

    def _side(self, side) -> list[sp.Expr]:
        if side not in self.sides:
            written = write_out(side, self.lets, matrices=bool(self.sizes))
            entries = [entry for sizes in self.sizes or ({},) for entry in self._entries(written, sizes)]
            self.sides[side] = [self._with_roots_counted(carried_out(entry)) for entry in entries]
            if any(entry.has(sp.Integral, sp.Limit, sp.Piecewise) for entry in self.sides[side]):
                raise NotImplementedError(f"{side} has no value for all symbols that satisfy the conditions")
        return self.sides[side]

    def _with_roots_counted(self, expression: sp.Expr) -> sp.Expr:
        return expression.replace(
            lambda part: isinstance(part, PositiveRoots), lambda part: positive_roots(*part.args, self.signs)
        )

    def _matrix(self, matrix: sp.MatrixSymbol, sizes) -> sp.ImmutableMatrix:
        """A matrix written out entry by entry."""
        if self.page.matrices.get(matrix) == "partition":
            raise NotImplementedError(f"{matrix} is any partition, so it has no entries: abbreviate it")
        rows, columns = (int(sp.sympify(side).xreplace(sizes)) for side in matrix.shape)
        symmetric = self.page.matrices.get(matrix) in ("positive", "symmetric")
        return sp.ImmutableMatrix(rows, columns, partial(self._entry, str(matrix), symmetric))

    def _entry(self, name: str, symmetric: bool, row: int, column: int) -> sp.Dummy:
        """An entry of a matrix that is written out; no symbol of the page is the same."""
        if symmetric and column < row:
            row, column = column, row
        return self.entries.setdefault((name, row, column), sp.Dummy(f"{name}{row + 1}{column + 1}", real=True))

    def _entries(self, written, sizes) -> list[sp.Expr]:
        values: dict = {size: sp.Integer(value) for size, value in sizes.items()}
        if sizes and written.has(Expectation):
            raise NotImplementedError("an expectation is proved at all sizes only")
        if not written.has(sp.MatrixExpr):
            return [evaluate(written.xreplace(values), values)]
        if not sizes:
            matrix = isinstance(written, sp.MatrixExpr)
            return [self.algebra.matrix(written) if matrix else self.algebra.scalar(written)]
        values |= {matrix: self._matrix(matrix, values) for matrix in written.atoms(sp.MatrixSymbol)}
        value = evaluate(written, values)
        return list(value) if isinstance(value, sp.MatrixBase) else [value]


def _at_its_place(placed: sp.Subs) -> sp.Expr:
    """What must be defined near the place of a derivative, at the place; matrices that are definite there stay so."""
    inside = placed.expr.expr if isinstance(placed.expr, sp.Derivative) else placed.expr
    return inside.subs(dict(zip(placed.variables, placed.point, strict=True)))

"""The checks of a page: each step exactly, again at random rational points, and with formulas that must be refused.

1. Exact. The relation, with the abbreviations written out, is brought to zero: matrix expressions as words (all sizes at
   once), scalars as rational functions whose logarithms are split into those of irreducible factors. An inequality is
   proved from plain signs. Logarithms are taken of positive quantities, as everywhere in `theory`.
2. Points. The two sides are evaluated separately at random rational numbers and matrices; rational results must agree
   exactly, others to 30 digits (integrals, which are then done by quadrature, to 10).
3. Negative control. Every quantity of the right side in turn is put wrong by a seventh, and the slip of the step, if it has
   one, takes the place of the right side: each such formula must be refused, by the points and (one of them) by the proof.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import sympy as sp

from theory.derivations.heads import Degree, FactorCount
from theory.derivations.matrices import Algebra, evaluate, write_out
from theory.derivations.page import Derivation, Let, Step

__all__ = ["StepCheck", "check_derivation", "check_step"]

POINTS = 3
WRONG = sp.Rational(8, 7)
HEADS_TO_DO = (sp.Derivative, sp.Subs, sp.Sum, sp.Integral, sp.Limit, Degree, FactorCount)
OPPOSITE = {sp.Ge: sp.Lt, sp.Gt: sp.Le, sp.Le: sp.Gt, sp.Lt: sp.Ge}


@dataclass(frozen=True)
class StepCheck:
    """What came of checking one step.

    Attributes
    ----------
    exact : whether the relation was proved
    points : at how many random points it held, of `POINTS` per size
    controls : how many wrong formulas were refused
    fault : what went wrong, empty if the step stands
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
    proof, faults = _Proof(page, step), []

    exact = proof.shows(step.relation)
    if not exact:
        faults.append("not proved")
    if step.relation.lhs == step.relation.rhs:
        faults.append("says nothing: both sides are written alike")

    all_sizes = step.sizes or page.point_sizes
    if step.relation.has(sp.Integral):  # quadrature to this precision is slow, and sizes do not matter to it
        draws = [_Draw(page, step, all_sizes[0], rng)]
    else:
        draws = [_Draw(page, step, sizes, rng) for sizes in all_sizes for _ in range(POINTS)]
    held = sum(draw.holds(step.relation) for draw in draws)
    if held < len(draws):
        faults.append(f"fails at {len(draws) - held} of {len(draws)} random points")
    for let in step.let:
        if let.rule and not all(draw.holds(sp.Eq(*let.rule, evaluate=False)) for draw in draws):
            faults.append(f"the rule for {let.symbol} does not follow from its definition")

    wrong = dict(_wrong_formulas(step))
    if not wrong:
        faults.append("no negative control: give the step a slip")
    refused = 0
    for described, formula in wrong.items():
        if all(draw.holds(formula) for draw in draws):
            faults.append(f"accepts a wrong formula at every point: {described}")
        else:
            refused += 1
    if wrong and proof.shows(next(reversed(wrong.values()))):
        faults.append("proves a wrong formula")
    return StepCheck(page.name, step.title, exact, held, refused, time.perf_counter() - began, "; ".join(faults))


def _wrong_formulas(step: Step) -> Iterator[tuple[str, sp.Basic]]:
    """Formulas near the right one, which the check must refuse; the most telling one comes last."""
    left, right = step.relation.lhs, step.relation.rhs
    if not isinstance(step.relation, sp.Eq):
        yield "the opposite inequality", OPPOSITE[step.relation.func](left, right, evaluate=False)
    elif right not in (0, sp.ZeroMatrix(*getattr(right, "shape", (1, 1)))):
        bound = {variable for derivative in right.atoms(sp.Derivative) for variable in derivative.variables}
        for quantity in sorted(_quantities(right) - bound, key=str):
            yield (
                f"{quantity} wrong by a seventh",
                sp.Eq(left, right.xreplace({quantity: _spoilt(quantity)}), evaluate=False),
            )
        yield "right side wrong by a seventh", sp.Eq(left, WRONG * right, evaluate=False)
    if step.slip is not None:
        yield "the slip", step.relation.func(left, step.slip, evaluate=False)


def _spoilt(quantity):
    """A quantity wrong by a seventh. Square matrices are shifted, not scaled: many formulas are blind to a scale."""
    if isinstance(quantity, sp.MatrixExpr) and quantity.rows == quantity.cols:
        return quantity + sp.Identity(quantity.rows) / 7
    return WRONG * quantity


def _quantities(expression: sp.Basic) -> set:
    """The symbols, indexed symbols, functions and matrices in a formula; not sizes, not summation indices."""
    indexed = expression.atoms(sp.Indexed)
    inside = {symbol for entry in indexed for symbol in entry.free_symbols - {entry}}
    functions = expression.atoms(sp.core.function.AppliedUndef)
    return {
        found
        for found in expression.free_symbols | indexed | functions
        if found not in inside and not (isinstance(found, sp.Symbol) and found.is_integer)
    }


class _Draw:
    """One random point: numbers for the symbols and explicit matrices of the kinds that the page declares."""

    def __init__(self, page: Derivation, step: Step, sizes, rng: random.Random):
        self.page, self.step, self.lets, self.rng = page, step, page.lets(step.title), rng
        self.values: dict = {size: sp.Integer(value) for size, value in sizes.items()}
        self.samples: dict = {}
        self.sides: dict = {}

    def holds(self, relation) -> bool:
        """Whether a relation is true at this point."""
        left, right = self.value(relation.lhs), self.value(relation.rhs)
        if isinstance(relation, sp.Eq):
            pairs = zip(left, right, strict=True) if isinstance(left, sp.MatrixBase) else [(left, right)]
            return all(self._equal(a, b) for a, b in pairs)
        return bool(relation.func(sp.N(left, 40), sp.N(right, 40)))

    def value(self, side: sp.Basic):
        """One side of a relation at this point."""
        if side not in self.sides:
            written = write_out(side, self.lets, matrices=False)
            # Derivatives of scalars are taken before the numbers go in, those of matrix expressions afterwards, along
            # a line of numerical matrices.
            if not written.has(sp.MatrixExpr):
                written = written.xreplace(self.values).doit(integrals=False)
            self._fill(written)
            found = evaluate(written, self.values, self.samples)
            if written.has(sp.MatrixExpr) and written.has(*HEADS_TO_DO):
                found = found.doit()
            self.sides[side] = found if isinstance(found, sp.MatrixBase) or found.is_Rational else sp.N(found, 40)
        return self.sides[side]

    def _equal(self, a, b) -> bool:
        if a.is_Rational and b.is_Rational:
            return a == b
        has_integral = self.step.relation.has(sp.Integral)
        return bool(abs(sp.N(a - b, 40)) <= (1e-10 if has_integral else 1e-30) * (1 + abs(sp.N(a, 40))))

    def _fill(self, expression: sp.Basic) -> None:
        """Give a value to everything in an expression that has none yet."""
        rules = {let.symbol: let.value for let in self.lets if let.rule is not None}
        # An indexed symbol goes before its parts; names in order, so that every run draws the same numbers.
        atoms = expression.atoms(sp.Indexed, sp.Symbol, sp.MatrixSymbol)
        inside = {part for entry in expression.atoms(sp.Indexed) for part in entry.free_symbols - {entry}}
        for atom in sorted(atoms - inside, key=str):
            if atom in self.values or atom in self.samples:  # came with another one
                continue
            if isinstance(atom, sp.MatrixSymbol):
                if atom in self.page.moments:
                    self._draw_samples(atom)
                elif atom in rules:
                    self._fill(rules[atom])
                    self.values[atom] = sp.ImmutableMatrix(evaluate(rules[atom], self.values))
                else:
                    self._draw_matrix(atom)
            elif atom in expression.free_symbols:
                self.values[atom] = self._number(atom)

    def _number(self, symbol: sp.Basic) -> sp.Rational:
        if symbol.is_integer:
            raise ValueError(f"{self.page.name}, {self.step.title}: give the step sizes for {symbol}")
        low, high = self.step.domain.get(symbol, (0 if symbol.is_positive else -2, 3))
        return low + (high - low) * sp.Rational(self.rng.randint(1, 96), 97)

    def _rational_matrix(self, rows: int, columns: int) -> sp.ImmutableMatrix:
        """A random matrix, invertible if it is square."""
        while True:
            drawn = sp.ImmutableMatrix(rows, columns, self._entry)
            if rows != columns or drawn.det() != 0:
                return drawn

    def _entry(self, *_) -> sp.Rational:
        return sp.Rational(self.rng.randint(-9, 9), self.rng.randint(2, 5))

    def _shape(self, matrix: sp.MatrixSymbol) -> tuple[int, int]:
        return tuple(int(side.xreplace(self.values)) for side in matrix.shape)

    def _draw_matrix(self, matrix: sp.MatrixSymbol) -> None:
        for vector, moment in self.page.moments.items():
            if moment == matrix:
                self._draw_samples(vector)
                return
        rows, columns = self._shape(matrix)
        kind = self.page.matrices.get(matrix)
        drawn = self._rational_matrix(rows, max(rows, columns) if kind == "orthogonal" else columns)
        if kind == "positive":
            drawn = drawn * drawn.T + sp.eye(rows)
        elif kind == "symmetric":
            drawn = drawn + drawn.T
        elif kind == "orthogonal":  # Cayley's map of a skew-symmetric matrix
            skew = drawn - drawn.T
            drawn = ((sp.eye(rows) - skew) * (sp.eye(rows) + skew).inv())[:, :columns]
        self.values[matrix] = sp.ImmutableMatrix(drawn)

    def _draw_samples(self, vector: sp.MatrixSymbol) -> None:
        """A distribution on finitely many points, each with its mirror image, and its exact second moment."""
        rows, _ = self._shape(vector)
        points = self._rational_matrix(rows, rows + 1)
        self.samples[vector] = [sign * points[:, column] for column in range(rows + 1) for sign in (1, -1)]
        self.values[self.page.moments[vector]] = points * points.T / (rows + 1)


class _Proof:
    """Canonical forms of the sides of relations: for all sizes at once, or entry by entry for the sizes of the step."""

    def __init__(self, page: Derivation, step: Step):
        self.page, self.sizes, self.lets = page, step.sizes, page.lets(step.title)
        self.algebra = Algebra.of(page, self.lets)
        self.sides: dict = {}

    def shows(self, relation) -> bool:
        """Whether a relation is proved."""
        differences = [a - b for a, b in zip(self._side(relation.lhs), self._side(relation.rhs), strict=True)]
        if isinstance(relation, sp.Eq):
            return all(map(is_zero, differences))
        strict = isinstance(relation, sp.StrictGreaterThan | sp.StrictLessThan)
        downward = isinstance(relation, sp.Le | sp.Lt)
        return all(has_plain_sign(-value if downward else value, strict) for value in differences)

    def _side(self, side) -> list[sp.Expr]:
        if side not in self.sides:
            written = write_out(side, self.lets, matrices=bool(self.sizes))
            entries = [entry for sizes in self.sizes or ({},) for entry in self._entries(written, sizes)]
            self.sides[side] = [entry.doit() for entry in entries]
        return self.sides[side]

    def _entries(self, written, sizes) -> list[sp.Expr]:
        values: dict = {size: sp.Integer(value) for size, value in sizes.items()}
        if not written.has(sp.MatrixExpr):
            return [evaluate(written.xreplace(values), values)]
        if not sizes:
            matrix = isinstance(written, sp.MatrixExpr)
            return [self.algebra.matrix(written) if matrix else self.algebra.scalar(written)]
        for matrix in sorted(written.atoms(sp.MatrixSymbol), key=str):
            rows, columns = (int(side.xreplace(values)) for side in matrix.shape)
            symmetric = self.page.matrices.get(matrix) in ("positive", "symmetric")
            values[matrix] = sp.ImmutableMatrix(rows, columns, partial(_entry, str(matrix), symmetric))
        found = evaluate(written, values)
        return list(found) if isinstance(found, sp.MatrixBase) else [found]


def _entry(name: str, symmetric: bool, row: int, column: int) -> sp.Symbol:
    if symmetric and column < row:
        row, column = column, row
    return sp.Symbol(f"{name}_{row + 1}{column + 1}", real=True)


def is_zero(expression: sp.Expr) -> bool:
    """Whether an expression is zero for all values of its symbols, decided on canonical forms only."""
    canonical = _numerator(expression)
    return canonical == 0 or (canonical.has(sp.Pow) and bool(sp.simplify(canonical) == 0))


def _numerator(expression: sp.Expr) -> sp.Expr:
    expression = sp.sympify(expression).doit()
    if expression.has(sp.cos, sp.sin):
        expression = _half_angles(sp.expand_trig(expression))
    expression = expression.replace(sp.log, _log_of_factors)
    numerator, _ = sp.fraction(sp.together(sp.expand_power_base(expression, force=True)))
    return sp.expand(numerator)


def _half_angles(expression: sp.Expr) -> sp.Expr:
    """Sine and cosine as rational functions of the tangent of the half angle: every identity becomes a rational one."""
    angles = {function.args[0] for function in expression.atoms(sp.cos, sp.sin)}
    for angle in angles:
        tangent = sp.Symbol(f"tan({angle}/2)", real=True)
        expression = expression.xreplace(
            {
                sp.cos(angle): (1 - tangent**2) / (1 + tangent**2),
                sp.sin(angle): 2 * tangent / (1 + tangent**2),
            }
        )
    return expression


def _log_of_factors(argument: sp.Expr) -> sp.Expr:
    """log of a product as a sum over irreducible factors, each with its sign chosen by the order of its terms."""
    constant, factors = sp.Integer(1), sp.Integer(0)
    for base, exponent in sp.factor(sp.together(argument)).as_powers_dict().items():
        if base.is_Rational:
            constant *= base**exponent
        else:
            if base.could_extract_minus_sign():
                base, constant = -base, constant * (-1) ** exponent
            factors += exponent * sp.log(sp.expand(base), evaluate=False)
    for prime, power in sp.factorrat(constant).items() if constant.is_Rational and constant > 0 else [(constant, 1)]:
        factors += power * sp.log(prime)
    return factors


def has_plain_sign(expression: sp.Expr, strict: bool) -> bool:
    """Whether an expression is >= 0 (or > 0) because each of its factors has a sign that the signs of the symbols force."""
    upward = True
    for factor in sp.Mul.make_args(sp.factor(sp.together(sp.sympify(expression).doit()))):
        if factor.is_positive or (factor.is_nonnegative and not strict):
            continue
        if not (factor.is_negative or (factor.is_nonpositive and not strict)):
            return False
        upward = not upward
    return upward

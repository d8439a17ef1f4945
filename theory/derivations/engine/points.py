"""Evaluates relations at chosen points: rational numbers and matrices for the symbols of both sides.

The two sides are evaluated separately, as they are written. Rational results must agree exactly, others to 30 digits.
Derivatives, integrals and limits are computed by numbers alone (`numbers`), to fewer digits, so that sympy's calculus,
which the proof uses, has a second opinion.

The kinds of points and the sizes of matrices are the same for every step, whatever its page is called: symbols in
ascending and descending order, equal, zero, opposite, large and far apart; positive definite matrices and nearly
singular ones; rotations and reflections; fewer latents than data dimensions, more, and one. All kinds are tried at the
first sizes, one or two kinds at each of the others.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import product

import sympy as sp
from sympy import QQ
from sympy.core.function import AppliedUndef
from sympy.polys.matrices import DomainMatrix

from theory.derivations.engine.evaluation import explicit
from theory.derivations.engine.notation import SIZES, K
from theory.derivations.engine.numbers import ATOMS, Undefined, number_of, tolerance
from theory.derivations.engine.operators import OverAll, binding
from theory.derivations.engine.page import Derivation, Step, write_out, written_conditions
from theory.derivations.engine.signs import Signs

__all__ = ["Point", "points_of"]

KINDS = ("ascending", "descending", "equal", "zero", "opposite", "large", "far below", "wide", "wide")
OF_MATRICES = ("ascending", "wide")
OF_INTEGRALS = ("ascending", "equal", "wide")
TRIES = 200
MOST_SIZES = 16  # of a step without matrices, whose integers take all values up to 4 together


def points_of(page: Derivation, step: Step) -> Iterator[Point]:
    """The points at which a step is tested: those of its kinds that satisfy its conditions."""
    rng = random.Random(0)  # nosec: the same for every step
    of_numbers, of_matrices = written_conditions(page.conditions(step), page.lets(step.title))
    sides = page.written_sides(step)
    kinds = KINDS if _has_scalars(sides) else OF_MATRICES
    setting = _Setting(page, step, sides, of_numbers)
    if step.relation.has(OverAll):  # a power of a density takes long where the exponent is large
        kinds = tuple(kind for kind in kinds if kind not in ("large", "far below"))
    if step.relation.has(sp.Integral):  # quadrature takes long
        kinds = OF_INTEGRALS
    for number, sizes in enumerate(_all_sizes(page, step, sides, of_numbers)):
        numbers = {size: sp.Integer(value) for size, value in sizes.items()}
        wanted = setting.quantities(numbers)
        few = OF_MATRICES if of_matrices or kinds == OF_MATRICES else (OF_MATRICES[1 - number % 2],)
        for kind in kinds if number == 0 else few:
            point = Point(setting, numbers, wanted, kind, reflected=number % 2 == 0, rng=rng)
            if point.satisfies_conditions and all(point.value(one.lhs) != point.value(one.rhs) for one in of_matrices):
                yield point


def _has_scalars(sides) -> bool:
    """Whether a step has numbers or functions, of which points differ in order and size, besides matrices."""
    return any(
        side.has(AppliedUndef) or _quantities(side) - {part for total in side.atoms(sp.Sum) for part in total.variables}
        for side in sides
    )


def _all_sizes(page: Derivation, step: Step, sides, conditions) -> list[dict]:
    """Values of the sizes: of a general step those of the engine that its conditions allow; else its own and larger."""
    counts = sorted({symbol for side in sides for symbol in _sizes_in(side)}, key=str)
    if step.sizes:
        larger = {size: 1 + max(int(sizes[size]) for sizes in step.sizes) for size in step.sizes[0]}
        wanted = [dict(sizes) for sizes in step.sizes]
        return [*wanted, larger] if set(counts) & set(larger) else wanted
    if not counts:
        return [{}]
    counts = _ordered(counts)
    if len(counts) > len(SIZES[0]):
        raise ValueError(f"{page.name}, {step.title}: more than {len(SIZES[0])} sizes")
    bounds = [condition for condition in conditions if condition.free_symbols and condition.free_symbols <= set(counts)]
    if any(side.has(sp.MatrixExpr) for side in sides):
        chosen = [values[: len(counts)] for values in SIZES]
        if bounds:  # the smallest sizes that satisfy them, and those that are not all smallest
            chosen = [
                *chosen,
                *sorted(product(range(1, 7), repeat=len(counts)), key=lambda values: (max(values), values)),
            ]
    else:
        chosen = sorted(product(range(1, 5), repeat=len(counts)), key=sum)
    allowed = []
    for values in chosen:
        sizes = dict(zip(counts, values, strict=True))
        if sizes not in allowed and all(
            condition.xreplace({size: sp.Integer(value) for size, value in sizes.items()}) for condition in bounds
        ):
            allowed.append(sizes)
    if any(len({sizes[size] for sizes in allowed}) < 2 for size in counts):
        raise ValueError(f"{page.name}, {step.title}: its conditions leave too few sizes up to 6")
    return _varied(allowed, len(SIZES) if any(side.has(sp.MatrixExpr) for side in sides) else MOST_SIZES)


def _varied(allowed: list[dict], count: int) -> list[dict]:
    """The first sizes, and further ones until each size has two values above 1 if any of those allowed has."""
    chosen = allowed[:count]
    for size in allowed[0]:
        for sizes in allowed:
            if len({one[size] for one in chosen} - {1}) >= 2:
                break
            if sizes[size] > 1 and sizes[size] not in {one[size] for one in chosen}:
                chosen.append(sizes)
    return chosen


def _ordered(counts: list[sp.Symbol]) -> list[sp.Symbol]:
    """K first, then the others by name."""
    return sorted(counts, key=lambda size: (size != K, str(size)))


def _sizes_in(expression: sp.Basic) -> set[sp.Symbol]:
    """The integers in a formula that no sum runs over."""
    running = {limit[0] for total in expression.atoms(sp.Sum) for limit in total.limits}
    found = {symbol for symbol in expression.free_symbols if isinstance(symbol, sp.Symbol) and symbol.is_integer}
    for matrix in expression.atoms(sp.MatrixExpr):
        found |= {symbol for side in matrix.shape for symbol in sp.sympify(side).free_symbols}
    return found - running


@dataclass(frozen=True)
class _Setting:
    """What all points of a step share."""

    page: Derivation
    step: Step
    sides: tuple[sp.Basic, sp.Basic]  # with every abbreviation written out
    conditions: list  # on numbers, written out
    written: dict = field(default_factory=dict)  # sides in which matrices with a rule keep their names
    found: dict = field(default_factory=dict)  # the matrices and the numbers of expressions

    def quantities(self, sizes: Mapping[sp.Symbol, sp.Integer]) -> set[sp.Basic]:
        """The numbers of the step and its conditions at these sizes."""
        return {atom for one in (*self.sides, *self.conditions) for atom in _numbers_in(one, sizes)} - sizes.keys()

    def parts(self, expression: sp.Basic, sizes: Mapping[sp.Symbol, sp.Integer]) -> tuple[list, list]:
        """The matrices and the numbers of an expression, sorted so that every run draws the same values."""
        key = expression, *sizes.items()
        if key not in self.found:
            numbers = sorted(_numbers_in(expression, sizes), key=str)
            self.found[key] = sorted(expression.atoms(sp.MatrixSymbol), key=str), numbers
        return self.found[key]

    @cached_property
    def functions(self) -> list[AppliedUndef]:
        """The functions of the page in the step."""
        return sorted({part for side in self.sides for part in side.atoms(AppliedUndef)}, key=str)


class Point:
    """One point: numbers for the symbols and explicit matrices of the kinds that the page declares."""

    def __init__(
        self,
        setting: _Setting,
        sizes: Mapping[sp.Symbol, sp.Integer],
        wanted: set[sp.Basic],
        kind: str,
        *,
        reflected: bool,
        rng: random.Random,
    ):
        self.setting, self.sizes, self.kind, self.reflected, self.rng = setting, dict(sizes), kind, reflected, rng
        self.page, self.conditions = setting.page, setting.conditions
        self.lets = self.page.written_lets(setting.step.title)
        self.values: dict = dict(self.sizes)
        self.samples: dict = {}
        self.sides: dict = {}
        self.memo: dict = {}
        self._draw_functions()
        self.satisfies_conditions = self._draw_scalars(wanted)

    def holds(self, relation) -> bool:
        """Whether a relation is true at this point."""
        left, right = self.value(relation.lhs), self.value(relation.rhs)
        if isinstance(relation, sp.Eq):
            pairs = zip(left, right, strict=True) if isinstance(left, sp.MatrixBase) else [(left, right)]
            return all(self._equal(a, b, relation) for a, b in pairs)
        return bool(relation.func(sp.N(left, 40), sp.N(right, 40)))

    def value(self, side: sp.Basic):
        """One side of a relation at this point; raises `Undefined` where it has no real finite value."""
        if side not in self.sides:
            written = self.setting.written.get(side)
            if written is None:
                written = self.setting.written[side] = write_out(side, self.lets, matrices=False)
                self._require_visible(written)
            self._fill(written)
            self.sides[side] = number_of(written, self.values, self.samples, self.memo)
        return self.sides[side]

    @staticmethod
    def _equal(a, b, relation) -> bool:
        if a == b:
            return True
        if a.is_Rational and b.is_Rational and not relation.has(sp.Limit):
            return False
        return bool(abs(sp.N(a - b, 40)) <= tolerance(relation) * (1 + abs(sp.N(a, 40))))

    def _fill(self, expression: sp.Basic) -> None:
        """Give a value to every matrix in an expression that has none yet, and to symbols that only it has."""
        rules = {let.symbol: let.value for let in self.lets if let.rule is not None}
        matrices, numbers = self.setting.parts(expression, self.sizes)
        for atom in matrices:
            if atom in self.values or atom in self.samples:  # drawn together with another symbol
                continue
            if atom in self.page.moments:
                self._draw_samples(atom)
            elif atom in rules:
                self._fill(rules[atom])
                self.values[atom] = number_of(rules[atom], self.values, self.samples, self.memo)
                self._require_kind(atom)
            else:
                self._draw_matrix(atom)
        for atom in numbers:
            if atom not in self.values:
                self.values[atom] = self._number(atom)

    def _require_visible(self, side: sp.Basic) -> None:
        """Refuse a side that binds a number in the value of an abbreviated matrix, which is computed once."""
        bound = {variable for _, variable in binding(side)}
        for let in self.lets:
            if let.rule is not None and side.has(let.symbol):
                hidden = write_out(let.value, self.lets, matrices=True).free_symbols & bound
                if hidden:
                    raise NotImplementedError(
                        f"{let.symbol} contains {', '.join(map(str, hidden))}, which is bound here"
                    )

    def _require_kind(self, matrix: sp.MatrixSymbol) -> None:
        """Refuse an abbreviation whose value is not of the kind that the page declares."""
        value, kind = self.values[matrix], self.page.matrices.get(matrix)
        if kind in ("positive", "symmetric") and value != value.T:
            raise Undefined(f"{matrix} is declared {kind} and its value is not symmetric")
        if kind == "positive" and not _is_positive_definite(value):
            raise Undefined(f"{matrix} is declared positive and its value is not positive definite")
        if kind in ("independent", "invertible") and value.rank() < value.cols:
            raise Undefined(f"{matrix} is declared {kind} and the columns of its value are not independent")
        if kind == "orthogonal" and value.T * value != sp.eye(value.cols):
            raise Undefined(f"{matrix} is declared orthogonal and the columns of its value are not orthonormal")

    def _draw_functions(self) -> None:
        """Values of the functions of the page at all points of the space; those of a density add up to one."""
        places = [place for place, _ in ATOMS]
        for part in self.setting.functions:
            density, count = self.page.functions[part.func] == "density", len(part.args)
            drawn = {}
            for others in product(places, repeat=count - 1):
                found = [sp.Rational(self.rng.randint(1, 40), 7) - (0 if density else 3) for _ in places]
                total = sum(weight * value for (_, weight), value in zip(ATOMS, found, strict=True)) if density else 1
                drawn |= {(place, *others): value / total for place, value in zip(places, found, strict=True)}
            self.values.setdefault(part.func, drawn)

    def _draw_scalars(self, wanted: set[sp.Basic]) -> bool:
        """Numbers of this kind for all symbols of the step that satisfy the conditions; whether there are any."""
        wanted = wanted - self.values.keys()
        of_numbers = [condition for condition in self.conditions if condition.free_symbols - self.values.keys()]
        substitutions = Signs(of_numbers, fixed=self.values).substitutions
        unknowns = {symbol for value in substitutions.values() for symbol in value.free_symbols}
        free = sorted((wanted - substitutions.keys()) | (unknowns - self.values.keys()), key=str)
        for _ in range(TRIES if self.kind == "wide" else 1):
            drawn = dict(self.values)
            for position, symbol in enumerate(free):
                drawn[symbol] = self._number(symbol, position, len(free))
            drawn.update({symbol: value.xreplace(drawn) for symbol, value in substitutions.items()})
            if all(bool(condition.xreplace(drawn)) for condition in self.conditions):
                self.values = drawn
                return True
        return False

    def _number(self, symbol: sp.Basic, position: int = 0, count: int = 1) -> sp.Rational:
        """A rational number of the kind of this point."""
        if symbol in self.page.points:
            return self.rng.choice(ATOMS)[0]
        small = sp.Rational(self.rng.randint(1, 96), 97)
        if self.kind == "ascending":
            size = (position + small) / count + sp.Rational(1, 50)
        elif self.kind == "descending":
            size = (count - position - small) / count + 1
        elif self.kind == "equal":
            return sp.Integer(1)
        elif self.kind == "zero":
            return sp.Integer(1 if symbol.is_positive else 0)
        elif self.kind == "opposite":
            return sp.Integer(1 if symbol.is_nonnegative else (-1) ** position)
        elif self.kind in ("large", "far below"):
            size = small * 10**6
            return -size if self.kind == "far below" and not symbol.is_nonnegative else size
        else:
            size = small * sp.Rational(10) ** self.rng.randint(-2, 3)
        negative = not symbol.is_nonnegative and self.rng.random() < 0.5
        return -size if negative else size

    def _rational_matrix(self, rows: int, columns: int) -> sp.ImmutableMatrix:
        """A random matrix, invertible if it is square."""
        return explicit(self._drawn(rows, columns))

    def _drawn(self, rows: int, columns: int) -> DomainMatrix:
        while True:
            entries = [[QQ(self.rng.randint(-9, 9), 4) for _ in range(columns)] for _ in range(rows)]
            drawn = DomainMatrix(entries, (rows, columns), QQ)
            if rows != columns or drawn.det() != 0:
                return drawn

    def _shape(self, matrix: sp.MatrixSymbol) -> tuple[int, int]:
        return tuple(int(sp.sympify(side).xreplace(self.values)) for side in matrix.shape)

    def _draw_matrix(self, matrix: sp.MatrixSymbol) -> None:
        for vector, moment in self.page.moments.items():
            if moment == matrix:
                self._draw_samples(vector)
                return
        rows, columns = self._shape(matrix)
        kind = self.page.matrices.get(matrix)
        if kind in ("orthogonal", "independent") and rows < columns:
            raise ValueError(
                f"{matrix} is declared {kind}, so state the condition that it has no more columns than rows"
            )
        if kind == "positive":
            if self.kind == "wide":  # nearly singular
                factor = self._rational_matrix(rows, max(rows - 1, 1))
                drawn = factor * factor.T + sp.eye(rows) / 1000
            else:
                factor = self._rational_matrix(rows, rows)
                drawn = factor * factor.T
        elif kind == "symmetric":
            drawn = self._rational_matrix(rows, 1 if self.kind == "wide" else rows)  # one may be singular
            drawn = drawn * drawn.T if self.kind == "wide" else drawn + drawn.T
        elif kind == "partition":
            drawn = self._partition(rows)
        elif kind == "orthogonal":
            drawn = self._orthogonal(rows)[:, :columns]
        elif kind is None and self.kind == "wide":  # of rank one
            drawn = self._rational_matrix(rows, 1) * self._rational_matrix(1, columns)
        else:
            drawn = self._rational_matrix(rows, columns)
        self.values[matrix] = sp.ImmutableMatrix(drawn)

    def _partition(self, rows: int) -> sp.Matrix:
        """Single rows and columns, two blocks in any order, or one block."""
        numbers = self.rng.choice((range(rows), [self.rng.randint(0, rows - 1) for _ in range(rows)], [0] * rows))
        return sp.Matrix(rows, rows, lambda i, j: int(numbers[i] == numbers[j]))

    def _orthogonal(self, rows: int) -> sp.Matrix:
        """Cayley's map of a skew-symmetric matrix, and a reflection after it."""
        drawn = self._drawn(rows, rows)
        skew, identity = drawn - drawn.transpose(), DomainMatrix.eye(rows, QQ).to_dense()
        drawn = explicit((identity - skew) * (identity + skew).inv())
        return drawn * sp.diag(-1, *[1] * (rows - 1)) if self.reflected else drawn

    def _draw_samples(self, vector: sp.MatrixSymbol) -> None:
        """A distribution on finitely many points, with mean zero and its exact second moment; it is not symmetric."""
        rows, _ = self._shape(vector)
        moment = self.page.moments[vector]
        for other, same in self.page.moments.items():
            if same == moment and other in self.samples:  # independent, of the same distribution
                self.samples[vector] = self.samples[other]
                return
        while moment not in self.values or self.values[moment].det() == 0:
            count = rows + 1  # as few as a second moment of full rank can have
            points = self._rational_matrix(rows, count)
            centre = sum((points[:, column] for column in range(count)), sp.zeros(rows, 1)) / count
            self.samples[vector] = [points[:, column] - centre for column in range(count)]
            self.values[moment] = sum((x * x.T for x in self.samples[vector]), sp.zeros(rows)) / count


def _is_positive_definite(matrix: sp.ImmutableMatrix) -> bool:
    """Whether a symmetric matrix of numbers has positive pivots."""
    rows = [[_fraction(entry) for entry in matrix.row(i)] for i in range(matrix.rows)]
    for i, row in enumerate(rows):
        if row[i] <= 0:
            return False
        for other in rows[i + 1 :]:
            factor = other[i] / row[i]
            other[:] = [x - factor * y for x, y in zip(other, row, strict=True)]
    return True


def _fraction(number: sp.Expr):
    return Fraction(int(number.p), int(number.q)) if number.is_Rational else number


def _numbers_in(expression: sp.Basic, sizes: Mapping[sp.Symbol, sp.Integer]) -> set[sp.Basic]:
    """The scalars in a formula at these sizes that need a value; of families those that its sums run over."""
    if not expression.has(sp.Indexed):
        return _quantities(expression)
    expression = expression.xreplace(dict(sizes))
    return _quantities(expression.replace(lambda part: isinstance(part, sp.Sum), _written_out))


def _written_out(total: sp.Sum) -> sp.Expr:
    """A sum between numbers, term by term."""
    ((index, first, last),) = total.limits
    return sp.Add(*(total.function.xreplace({index: sp.Integer(k)}) for k in range(int(first), int(last) + 1)))


def _quantities(expression: sp.Basic) -> set[sp.Basic]:
    """The scalars in a formula that need a value: symbols and indexed symbols that nothing in it binds."""
    indexed = expression.atoms(sp.Indexed)
    inside = {part for entry in indexed for part in entry.free_symbols - {entry}}
    free = {atom for atom in expression.free_symbols if isinstance(atom, sp.Symbol | sp.Indexed)}
    return {atom for atom in free - inside if not atom.is_integer}

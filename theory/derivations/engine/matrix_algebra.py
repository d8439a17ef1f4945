"""Exact algebra of matrix expressions of any size: products are words, traces cyclic words, rules are rewriting rules.

A matrix expression becomes a sum of words whose letters are the matrices, their transposes and their inverses. A trace
does not change when its word is rotated or transposed, so each trace has one canonical form. Two expressions with the
same form are equal for all matrices of all sizes: this is how identities with general K and D are proved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import sympy as sp

from theory.derivations.engine.evaluation import evaluate
from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm
from theory.derivations.engine.page import Derivation, Let

__all__ = ["Algebra"]

# A letter is (matrix symbol, transposed, inverted); a word is a tuple of letters; a polynomial maps words to
# coefficients.
Letter = tuple[sp.MatrixSymbol, bool, bool]
Word = tuple[Letter, ...]
Polynomial = dict[Word, sp.Expr]


@dataclass(frozen=True)
class Algebra:
    """The rules under which words are rewritten: symmetry, orthogonality, products, moments of random vectors."""

    symmetric: frozenset[sp.MatrixSymbol]
    orthogonal: frozenset[sp.MatrixSymbol]
    rules: tuple[tuple[Word, Polynomial], ...]
    moments: Mapping[sp.MatrixSymbol, sp.MatrixSymbol]

    @classmethod
    def of(cls, page: Derivation, lets: tuple[Let, ...]) -> Algebra:
        """The algebra of a page after the abbreviations `lets`."""
        symmetric = frozenset(matrix for matrix, kind in page.matrices.items() if kind in ("positive", "symmetric"))
        orthogonal = frozenset(matrix for matrix, kind in page.matrices.items() if kind == "orthogonal")
        bare = cls(symmetric, orthogonal, (), page.moments)
        rules = [(let.rule[0], let.rule[1]) for let in lets if let.rule is not None]
        for matrix in sorted(orthogonal, key=str):
            rules.append((matrix.T * matrix, sp.Identity(matrix.cols)))
            if matrix.rows == matrix.cols:
                rules.append((matrix * matrix.T, sp.Identity(matrix.rows)))
        words = []
        for left, right in rules:
            ((word, coefficient),) = bare.polynomial(left).items()
            replacement = {other: value / coefficient for other, value in bare.polynomial(right).items()}
            words.append((word, replacement))
            mirrored = bare.transpose_word(word)
            if mirrored != word:
                words.append((mirrored, {bare.transpose_word(other): value for other, value in replacement.items()}))
        return cls(symmetric, orthogonal, tuple(words), page.moments)

    def letter(self, symbol: sp.MatrixSymbol, transposed: bool, inverted: bool) -> Letter:
        return symbol, transposed and symbol not in self.symmetric, inverted

    def transpose_word(self, word: Word) -> Word:
        return tuple(self.letter(symbol, not transposed, inverted) for symbol, transposed, inverted in reversed(word))

    def polynomial(self, expression: sp.MatrixExpr) -> Polynomial:
        """The words of a matrix expression, reduced by the rules."""
        return self._reduce(self._expand(expression), self._matrix_rewrite)

    def matrix(self, expression: sp.MatrixExpr) -> sp.Expr:
        """A matrix expression with one symbol in place of each word, so that it can be compared like a scalar."""
        words = self.polynomial(expression)
        return sp.Add(*(value * sp.Symbol(" ".join(map(_letter_name, word)) or "1") for word, value in words.items()))

    def scalar(self, expression: sp.Expr) -> sp.Expr:
        """A scalar expression with a canonical symbol in place of each trace, log det and expectation."""
        if not expression.has(sp.MatrixSymbol):
            return evaluate(expression, {})
        if isinstance(expression, SquaredNorm):
            return self.scalar(expression.as_trace())
        if isinstance(expression, Expectation):
            inside = expression.args[0].replace(lambda part: isinstance(part, SquaredNorm), SquaredNorm.as_trace)
            return self._linear(sp.expand(inside), random=True)
        if isinstance(expression, sp.Trace):
            return self._trace(expression.args[0], random=False)
        if isinstance(expression, LogDet):
            return self._log_determinant(expression.args[0])
        if isinstance(expression, sp.MatrixExpr):
            raise NotImplementedError(f"{expression} has no canonical form")
        return expression.func(*map(self.scalar, expression.args))

    def _linear(self, expression: sp.Expr, random: bool) -> sp.Expr:
        total = sp.Integer(0)
        for term in sp.Add.make_args(expression):
            coefficient, traces = term.as_independent(sp.Trace)
            if traces == 1:
                total += self.scalar(coefficient)
            elif isinstance(traces, sp.Trace):
                total += self.scalar(coefficient) * self._trace(traces.args[0], random)
            else:
                raise NotImplementedError(f"the expectation of {traces} needs more than second moments")
        return total

    def _expand(self, expression: sp.MatrixExpr) -> Polynomial:
        if isinstance(expression, sp.MatrixSymbol):
            return {(self.letter(expression, False, False),): sp.Integer(1)}
        if isinstance(expression, sp.Identity):
            return {(): sp.Integer(1)}
        if isinstance(expression, sp.ZeroMatrix):
            return {}
        if isinstance(expression, sp.MatAdd):
            return _collect((word, value) for term in expression.args for word, value in self._expand(term).items())
        if isinstance(expression, sp.MatMul):
            result: Polynomial = {(): sp.Integer(1)}
            for factor in expression.args:
                terms = self._expand(factor) if isinstance(factor, sp.MatrixExpr) else {(): self.scalar(factor)}
                result = _collect((a + b, x * y) for (a, x), (b, y) in product(result.items(), terms.items()))
            return result
        if isinstance(expression, sp.Transpose):
            return {self.transpose_word(word): value for word, value in self._expand(expression.args[0]).items()}
        if isinstance(expression, sp.MatPow) and expression.args[1].is_Integer:  # Inverse is a MatPow
            power = int(expression.args[1])
            base = self._expand(expression.args[0]) if power > 0 else self._invert(self._expand(expression.args[0]))
            result = {(): sp.Integer(1)}
            for _ in range(abs(power)):
                result = _collect((a + b, x * y) for (a, x), (b, y) in product(result.items(), base.items()))
            return result
        raise NotImplementedError(f"{type(expression).__name__} cannot be written as a sum of words: {expression}")

    def _invert(self, polynomial: Polynomial) -> Polynomial:
        if len(polynomial) != 1:
            raise NotImplementedError("the inverse of a sum has no word: abbreviate the sum by a Let with a rule")
        ((word, value),) = polynomial.items()
        return {tuple((symbol, transposed, not inverted) for symbol, transposed, inverted in reversed(word)): 1 / value}

    def _matrix_rewrite(self, word: Word) -> Polynomial | None:
        for start in range(len(word)):
            match = self._match(word[start:])
            if match is not None:
                length, replacement = match
                return {word[:start] + middle + word[start + length :]: value for middle, value in replacement.items()}
        return None

    def _match(self, word: Word) -> tuple[int, Polynomial] | None:
        """The length and the replacement of a letter and its inverse, or of a rule, at the beginning of a word."""
        if len(word) > 1 and word[0][:2] == word[1][:2] and word[0][2] != word[1][2]:
            return 2, {(): sp.Integer(1)}
        for left, right in self.rules:
            if word[: len(left)] == left:
                return len(left), right
        return None

    @staticmethod
    def _reduce(polynomial: Polynomial, rewrite) -> Polynomial:
        done: Polynomial = {}
        waiting = dict(polynomial)
        while waiting:
            word, value = waiting.popitem()
            replacement = rewrite(word)
            if replacement is None:
                done = _collect([*done.items(), (word, value)])
            else:
                waiting = _collect([*waiting.items(), *((new, value * factor) for new, factor in replacement.items())])
        return done

    def _trace(self, matrix: sp.MatrixExpr, random: bool) -> sp.Expr:
        """The sum of coefficients times traces; each word is rotated until no rule applies, then made canonical."""
        total = sp.Integer(0)
        waiting = [(word, value, matrix.rows) for word, value in self._expand(matrix).items()]
        while waiting:
            word, value, rows = waiting.pop()
            rewritten = self._rewrite_cycle(word, random)
            if rewritten is not None:
                rows, replacement = rewritten
                waiting.extend((new, value * factor, rows) for new, factor in replacement.items())
            elif not word:
                total += value * rows
            elif not (random and sum(letter[0] in self.moments for letter in word) == 1):  # means are zero
                total += value * self._cycle_symbol(word)
        return total

    def _rewrite_cycle(self, word: Word, random: bool) -> tuple[sp.Expr, Polynomial] | None:
        for shift in range(len(word)):
            rotated = word[shift:] + word[:shift]
            match = self._match(rotated)
            if match is None and random:
                match = self._moment(rotated)
            if match is not None:
                length, replacement = match
                return _rows(rotated[0]), {middle + rotated[length:]: value for middle, value in replacement.items()}
        return None

    def _moment(self, word: Word) -> tuple[int, Polynomial] | None:
        """x x^T is replaced by its expectation: the second moment of x, or zero for two independent vectors."""
        if len(word) < 2 or sum(letter[0] in self.moments for letter in word) != 2:
            return None
        (first, transposed, _), (second, also_transposed, _) = word[:2]
        if first not in self.moments or second not in self.moments or transposed or not also_transposed:
            return None
        return 2, {((self.moments[first], False, False),): sp.Integer(1)} if first == second else {}

    def _cycle_symbol(self, word: Word) -> sp.Symbol:
        rotations = [
            tuple(map(_letter_name, cycle[shift:] + cycle[:shift]))
            for cycle in (word, self.transpose_word(word))
            for shift in range(len(word))
        ]
        return sp.Symbol(f"tr({' '.join(min(rotations))})", real=True)

    def _log_determinant(self, matrix: sp.MatrixExpr) -> sp.Expr:
        polynomial = self.polynomial(matrix)
        if len(polynomial) == 1:
            ((word, value),) = polynomial.items()
            total = matrix.rows * sp.log(value)
            for symbol, _, inverted in word:
                if symbol in self.orthogonal:  # its determinant is one in absolute value
                    continue
                total += (-1 if inverted else 1) * sp.Symbol(f"logdet({symbol})", real=True)
            return total
        terms = sorted(f"{sp.factor(value)} {' '.join(map(_letter_name, word))}" for word, value in polynomial.items())
        return sp.Symbol(f"logdet({' + '.join(terms)})", real=True)


def _collect(terms) -> Polynomial:
    result: Polynomial = {}
    for word, value in terms:
        result[word] = result.get(word, sp.Integer(0)) + value
    return {word: value for word, value in result.items() if sp.cancel(value) != 0}


def _letter_name(letter: Letter) -> str:
    symbol, transposed, inverted = letter
    return f"{symbol}{'^T' if transposed else ''}{'^-1' if inverted else ''}"


def _rows(letter: Letter) -> sp.Expr:
    symbol, transposed, _ = letter
    return symbol.cols if transposed else symbol.rows

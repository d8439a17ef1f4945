"""Exact algebra of matrix expressions of any size: products are words, traces cyclic words, rules are rewriting rules.

A matrix expression becomes a sum of words whose letters are the matrices, their transposes and their inverses. A trace
does not change when its word is rotated or transposed, so each trace has one canonical form. Two expressions with the
same form are equal for all matrices of all sizes: this is how identities with general K and D are proved.

The blocks X o B of a matrix under a partition B are a letter of their own. Such letters form an algebra, and a trace
sees only the blocks: tr(A X) = tr(A (X o B)) for a block-diagonal A.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

import sympy as sp

from theory.derivations.engine.derivatives import derivative
from theory.derivations.engine.evaluation import evaluate
from theory.derivations.engine.operators import Expectation, LogDet, OverAll, SquaredNorm
from theory.derivations.engine.page import Derivation, Let, write_out
from theory.derivations.engine.signs import Sign, Signs

__all__ = ["Algebra"]

# Operations that bind a variable. An abbreviated determinant or trace would hide the variable from them.
BINDING = (sp.Derivative, sp.Subs, sp.Sum, sp.Integral, sp.Limit)

# A letter is (matrix symbol, transposed, inverted); a word is a tuple of letters; a polynomial maps words to
# coefficients.
Letter = tuple[sp.MatrixSymbol, bool, bool]
Word = tuple[Letter, ...]
Polynomial = dict[Word, sp.Expr]


NONZERO = ("positive", "orthogonal", "independent", "invertible")

# A partition of rows and columns, which is a matrix symbol; the identity is that into single ones.
Mask = sp.MatrixExpr


@dataclass(frozen=True)
class Algebra:
    """The rules under which words are rewritten: symmetry, orthogonality, products, moments of random vectors.

    Attributes
    ----------
    symmetric, positive, orthogonal, partitions : the letters of these kinds
    rules : (word, what replaces it)
    moments : the second moment of each random vector
    signs : what is known of numbers
    nonzero : the letters that are not zero
    hidden : the numbers in the values of abbreviated matrices, for which letters stand
    """

    symmetric: frozenset[sp.MatrixSymbol]
    positive: frozenset[sp.MatrixSymbol]
    orthogonal: frozenset[sp.MatrixSymbol]
    rules: tuple[tuple[Word, Polynomial], ...]
    moments: Mapping[sp.MatrixSymbol, sp.MatrixSymbol]
    signs: Signs
    partitions: frozenset[sp.MatrixSymbol] = frozenset()
    nonzero: frozenset[sp.MatrixSymbol] = frozenset()
    hidden: frozenset[sp.Symbol] = frozenset()
    unknowns: dict = field(default_factory=dict, compare=False, repr=False)
    blocks: dict[sp.MatrixSymbol, tuple[Mask, Word]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, page: Derivation, lets: tuple[Let, ...], signs: Signs) -> Algebra:
        """The algebra of a page after the abbreviations `lets`."""
        kinds = {
            kind: frozenset(matrix for matrix, declared in page.matrices.items() if declared == kind)
            for kind in ("symmetric", "positive", "orthogonal", "partition")
        }
        bare = cls(
            kinds["symmetric"] | kinds["positive"],
            kinds["positive"],
            kinds["orthogonal"],
            (),
            page.moments,
            signs,
            kinds["partition"],
            frozenset(matrix for matrix, kind in page.matrices.items() if kind in NONZERO),
            _hidden_in(lets),
        )
        rules = [let.rule for let in lets if let.rule is not None]
        for matrix in sorted(kinds["orthogonal"], key=str):
            if not signs.of(sp.sympify(matrix.rows - matrix.cols)).is_nonnegative:
                continue  # there may be no such matrix
            rules.append((matrix.T * matrix, sp.Identity(matrix.cols)))
            if _is_square(matrix):
                rules.append((matrix * matrix.T, sp.Identity(matrix.rows)))
        return bare.with_rules(rules)

    def with_rules(self, rules: Iterable[tuple[sp.MatrixExpr, sp.MatrixExpr]]) -> Algebra:
        """The same algebra with more rules: each product on the left is replaced by what is on the right."""
        words = list(self.rules)
        for left, right in rules:
            ((word, coefficient),) = self._expand(left).items()
            if not self.signs.of(coefficient).is_nonzero:
                raise NotImplementedError(f"a rule with the coefficient {coefficient}, which may be zero")
            replacement = {other: value / coefficient for other, value in self._expand(right).items()}
            words.append((word, replacement))
            mirrored = self.transpose_word(word)
            if mirrored != word:
                words.append((mirrored, {self.transpose_word(other): value for other, value in replacement.items()}))
        return replace(self, rules=tuple(words), unknowns={})

    def with_letters(self, **kinds: frozenset) -> Algebra:
        """The same algebra with other letters of some kinds."""
        return replace(self, **kinds, unknowns={})

    def follows(self, let: Let) -> bool:
        """Whether the rule of an abbreviation follows from its value.

        The inverse of a sum or of a rectangular product in the value becomes a letter X with Z X = I and X Z = I.
        """
        left, right = (side.xreplace({let.symbol.I: let.value.I, let.symbol: let.value}).doit() for side in let.rule)
        try:
            if not self.polynomial(left - right):
                return True
        except NotImplementedError:  # an inverse that has no word
            pass
        value, algebra = let.value, self
        inverses = value.atoms(sp.Inverse) if isinstance(value, sp.MatrixExpr) else set()
        for position, inverse in enumerate(sorted(inverses, key=lambda part: part.count(sp.MatrixSymbol))):
            inverted = self._expand(inverse.args[0])
            if len(inverted) == 1 and all(map(_is_square_letter, *inverted)):
                continue
            letter = sp.MatrixSymbol(f"inverse {position}", *inverse.shape)
            value = value.xreplace({inverse: letter})
            leading = max((word for word, value in inverted.items() if self.signs.of(value).is_nonzero), key=len)
            product_ = _matrix_of(leading)
            rest = (sp.Identity(inverse.rows) - letter * (inverse.args[0] - inverted[leading] * product_)).doit()
            after = (sp.Identity(inverse.rows) - (inverse.args[0] - inverted[leading] * product_) * letter).doit()
            algebra = algebra.with_rules(
                [(letter * product_, rest / inverted[leading]), (product_ * letter, after / inverted[leading])]
            )
        left, right = (side.xreplace({let.symbol: value}) for side in let.rule)
        return not algebra.polynomial(left - right)

    def letter(self, symbol: sp.MatrixSymbol, transposed: bool, inverted: bool) -> Letter:
        return symbol, transposed and not self._is_symmetric(symbol), inverted

    def _is_symmetric(self, symbol: sp.MatrixSymbol) -> bool:
        if symbol in self.blocks:
            mask, word = self.blocks[symbol]
            return isinstance(mask, sp.Identity) or word == self.transpose_word(word)
        return symbol in self.symmetric

    def _is_positive(self, symbol: sp.MatrixSymbol) -> bool:
        """Whether a letter is positive definite; blocks of a positive definite matrix are."""
        if symbol in self.blocks:
            _, ((letter, _, _), *others) = self.blocks[symbol]
            return not others and self._is_positive(letter)
        return symbol in self.positive

    def transpose_word(self, word: Word) -> Word:
        return tuple(self.letter(symbol, not transposed, inverted) for symbol, transposed, inverted in reversed(word))

    def polynomial(self, expression: sp.MatrixExpr) -> Polynomial:
        """The words of a matrix expression, reduced by the rules."""
        return self._reduce(self._expand(expression), self._matrix_rewrite)

    def matrix(self, expression: sp.MatrixExpr) -> sp.Expr:
        """A matrix expression with one symbol in place of each word, so that it can be compared like a scalar."""
        words = self.polynomial(expression)
        return sp.Add(
            *(value * self._unknown(" ".join(map(_letter_name, word)) or "1") for word, value in words.items())
        )

    def scalar(self, expression: sp.Expr) -> sp.Expr:
        """A scalar expression with a canonical symbol in place of each trace, log det and expectation."""
        if not expression.has(sp.MatrixSymbol, sp.Identity, sp.ZeroMatrix):
            return evaluate(expression, {})
        if isinstance(expression, sp.Subs) and self.hidden & {*expression.variables}:
            raise NotImplementedError(f"an abbreviated matrix contains {expression.variables}, which has a value here")
        if (
            isinstance(expression, sp.Subs)
            and isinstance(expression.expr, sp.Derivative)
            and len(expression.point) == 1
        ):
            return self.scalar(self._derivative(expression.expr).subs(expression.variables[0], expression.point[0]))
        if isinstance(expression, sp.Derivative):
            return self.scalar(self._derivative(expression))
        if isinstance(expression, OverAll) and self._hides(expression):
            raise NotImplementedError(f"a matrix contains {expression.variable}, over which it is integrated")
        if isinstance(expression, BINDING):
            raise NotImplementedError(
                f"{type(expression).__name__} of a matrix expression is proved at given sizes only"
            )
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

    def _hides(self, total: OverAll) -> bool:
        """Whether a trace or a log determinant in an integral contains its variable."""
        parts = total.function.atoms(sp.Trace, LogDet, SquaredNorm, Expectation)
        return total.variable in self.hidden or any(part.has(total.variable) for part in parts)

    def _derivative(self, expression: sp.Derivative) -> sp.Expr:
        """A derivative in a number that no abbreviated matrix contains, taken."""
        ((variable, order),) = expression.variable_count
        if variable in self.hidden:
            raise NotImplementedError(f"an abbreviated matrix contains {variable}, so its derivative is not taken")
        taken = expression.expr
        for _ in range(int(order)):
            taken = derivative(taken, variable)
        return taken

    def _linear(self, expression: sp.Expr, random: bool) -> sp.Expr:
        total = sp.Integer(0)
        for term in sp.Add.make_args(expression):
            coefficient, traces = term.as_independent(sp.Trace)
            if coefficient.has(*self.moments):
                raise NotImplementedError(f"the expectation of {coefficient} needs more than second moments")
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
                if not isinstance(factor, sp.MatrixExpr) and factor.has(*self.moments):
                    raise NotImplementedError(f"the expectation of {factor} times a matrix needs higher moments")
                terms = self._expand(factor) if isinstance(factor, sp.MatrixExpr) else {(): self.scalar(factor)}
                result = _collect((a + b, x * y) for (a, x), (b, y) in product(result.items(), terms.items()))
            return result
        if isinstance(expression, sp.Transpose):
            return {self.transpose_word(word): value for word, value in self._expand(expression.args[0]).items()}
        if isinstance(expression, sp.MatPow) and expression.args[1].is_Integer:  # Inverse is a MatPow
            power = int(expression.args[1])
            base = self._expand(expression.args[0]) if power > 0 else self._inverse(expression.args[0])
            result = {(): sp.Integer(1)}
            for _ in range(abs(power)):
                result = _collect((a + b, x * y) for (a, x), (b, y) in product(result.items(), base.items()))
            return result
        if isinstance(expression, sp.HadamardProduct):
            parts = [part.arg if self._is_transposed_mask(part) else part for part in expression.args]
            masks = [part for part in parts if part in self.partitions]
            masks += [part for part in parts if isinstance(part, sp.Identity)]
            others = [part for part in parts if masks and part is not masks[0]]
            if len(others) == 1:
                words = self.polynomial(others[0])
                return _collect((self._blocks_of(word, masks[0]), value) for word, value in words.items())
        raise NotImplementedError(f"{type(expression).__name__} cannot be written as a sum of words: {expression}")

    def _is_transposed_mask(self, part: sp.MatrixExpr) -> bool:
        return isinstance(part, sp.Transpose) and part.arg in self.partitions

    def _is_block(self, letter: Letter, mask: Mask) -> bool:
        """Whether a letter is block-diagonal under a partition; diagonal letters are under each."""
        if letter[0] not in self.blocks:
            return False
        own, _ = self.blocks[letter[0]]
        return own == mask or isinstance(own, sp.Identity)

    def _blocks_of(self, word: Word, mask: Mask) -> Word:
        """The blocks of a word: letters at its ends that are block-diagonal already stay outside."""
        start, end = 0, len(word)
        while start < end and self._is_block(word[start], mask):
            start += 1
        while end > start and self._is_block(word[end - 1], mask):
            end -= 1
        return word if start == end else (*word[:start], self._block_letter(word[start:end], mask), *word[end:])

    def _block_letter(self, word: Word, mask: Mask) -> Letter:
        """The letter for the blocks of a word."""
        if len(word) == 1 and word[0][0] in self.blocks and not word[0][2] and isinstance(mask, sp.Identity):
            _, inner = self.blocks[word[0][0]]  # the diagonal of blocks of a matrix is that of the matrix
            word = self.transpose_word(inner) if word[0][1] else inner
        mirrored = self.transpose_word(word)
        first = min(word, mirrored, key=lambda one: " ".join(map(_letter_name, one)))
        if any(letter[0] in self.moments for letter in word):
            raise NotImplementedError("blocks of a random vector have more than second moments")
        size = _rows(word[0])
        symbol = sp.MatrixSymbol(f"({' '.join(map(_letter_name, first))})o{mask}", size, size)
        self.blocks[symbol] = mask, first
        return self.letter(symbol, first != word, False)

    def _inverse(self, matrix: sp.MatrixExpr) -> Polynomial:
        """The words of an inverse; the rules may make one word of a sum."""
        expanded = self._expand(matrix)
        return self._invert(expanded if len(expanded) == 1 else self.polynomial(matrix))

    def _invert(self, polynomial: Polynomial) -> Polynomial:
        if len(polynomial) != 1:
            raise NotImplementedError("the inverse of a sum has no word: abbreviate the sum by a Let with a rule")
        ((word, value),) = polynomial.items()
        if not all(map(_is_square_letter, word)):
            raise NotImplementedError("the inverse of a product of rectangular matrices has no word: abbreviate it")
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
        found = self._trace_of_blocks(word)
        return None if found is None else (_rows(word[0]), {found: sp.Integer(1)})

    def _trace_of_blocks(self, word: Word) -> Word | None:
        """A cyclic word of which only the blocks of one part matter, as all other letters are block-diagonal."""
        if len(word) == 1 and word[0][0] in self.blocks and not word[0][2]:
            _, inner = self.blocks[word[0][0]]
            return self.transpose_word(inner) if word[0][1] else inner
        masks = {self.blocks[letter[0]][0] for letter in word if letter[0] in self.blocks}
        for mask in sorted(masks, key=lambda one: (not isinstance(one, sp.Identity), str(one))):
            inside = [self._is_block(letter, mask) for letter in word]
            starts = [place for place in range(len(word)) if not inside[place] and inside[place - 1]]
            if len(starts) != 1:
                continue
            rotated = word[starts[0] :] + word[: starts[0]]
            length = next(place for place, letter in enumerate(rotated) if self._is_block(letter, mask))
            return (self._block_letter(rotated[:length], mask), *rotated[length:])
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
        return self._unknown(f"tr({' '.join(min(rotations))})", self._sign_of_cycle(word))

    def _sign_of_cycle(self, word: Word) -> Sign:
        """The sign of a trace tr(X P X^T Q) with positive definite P and Q, or without them."""
        for shift in range(len(word)):
            rotated = word[shift:] + word[:shift]
            for length in (0, 1):
                outer, inner = rotated[:length], rotated[length:]
                half = inner[: len(inner) // 2]
                centre = inner[len(half) : len(inner) - len(half)]
                if inner == self.transpose_word(inner) and all(self._is_positive(x) for x, _, _ in outer + centre):
                    others = [x for x, _, _ in half if not self._is_positive(x)]
                    strict = not others or (len(others) == 1 and others[0] in self.nonzero)
                    return Sign.POSITIVE if strict else Sign.NONNEGATIVE
        return Sign.UNKNOWN

    def _unknown(self, name: str, sign: Sign = Sign.UNKNOWN) -> sp.Dummy:
        """A symbol for a quantity that has no simpler form, the same whenever it is asked for."""
        kind = {Sign.POSITIVE: "positive", Sign.NONNEGATIVE: "nonnegative"}.get(sign, "real")
        return self.unknowns.setdefault(name, sp.Dummy(name, **{kind: True}))

    def _log_determinant(self, matrix: sp.MatrixExpr) -> sp.Expr:
        """The log determinants of single letters, if a form of the matrix is their product, else one symbol for all."""
        polynomial = self.polynomial(matrix)
        constant = polynomial.get((), sp.Integer(0))
        if len(polynomial) > 1 and self.signs.of(constant) is Sign.POSITIVE:
            scale = matrix.rows * sp.log(constant)
            forms = list(self._forms({word: value / constant for word, value in polynomial.items()}, matrix.rows))
        else:
            scale, forms = sp.Integer(0), [(polynomial, matrix.rows)]
        for form, rows in forms:
            product_ = self._log_determinant_of_letters(form, rows)
            if product_ is not None:
                return scale + product_
        forms += [({self.transpose_word(word): value for word, value in form.items()}, rows) for form, rows in forms]
        return scale + self._unknown(f"logdet({min(_name(form) for form, _ in forms)})")

    def _forms(self, polynomial: Polynomial, rows) -> Iterator[tuple[Polynomial, sp.Expr]]:
        """I + X Y, and I + Y X of the same determinant (Sylvester), for each letter X with which all words begin."""
        seen = []
        while polynomial not in seen:
            seen.append(polynomial)
            yield polynomial, rows
            words = [word for word in polynomial if word]
            if polynomial.get((), 0) != 1 or len({word[0] for word in words}) != 1:
                return
            rows = _columns(words[0][0])
            turned = {word[1:] + word[:1]: value for word, value in polynomial.items()}
            polynomial = self._reduce(turned, self._matrix_rewrite)

    def _log_determinant_of_letters(self, polynomial: Polynomial, rows) -> sp.Expr | None:
        """Of a product of square letters in which the determinants that may be negative come in pairs."""
        if len(polynomial) != 1:
            return None
        ((word, value),) = polynomial.items()
        letters = [symbol for symbol, _, _ in word]
        paired = all(self._is_positive(symbol) or letters.count(symbol) % 2 == 0 for symbol in letters)
        if not (paired and all(map(_is_square_letter, word)) and self.signs.of(value) is Sign.POSITIVE):
            return None
        powers = {symbol: 0 for symbol in letters if symbol not in self.orthogonal}  # |det| of those is one
        for symbol, _, inverted in word:
            if symbol in powers:
                powers[symbol] += -1 if inverted else 1
        logs = (power * self._unknown(f"log|det {symbol}|") for symbol, power in powers.items())
        return sp.Add(rows * sp.log(value), *logs)


def _hidden_in(lets: tuple[Let, ...]) -> frozenset[sp.Symbol]:
    """The numbers in the values of matrices with a rule, which keep their letter."""
    parts = (
        write_out(part, lets[:n], matrices=True)
        for n, let in enumerate(lets)
        if let.rule is not None
        for part in (let.value, *let.rule)
    )
    return frozenset().union(*(part.free_symbols for part in parts))


def _collect(terms) -> Polynomial:
    result: Polynomial = {}
    for word, value in terms:
        result[word] = result.get(word, sp.Integer(0)) + value
    return {word: value for word, value in result.items() if not _vanishes(value)}


def _vanishes(value: sp.Expr) -> bool:
    """Whether a coefficient is zero; a number or a product shows it."""
    return value == 0 if not value.has(sp.Add) else sp.cancel(value) == 0


def _name(polynomial: Polynomial) -> str:
    terms = (f"{sp.factor(value)} {' '.join(map(_letter_name, word))}" for word, value in polynomial.items())
    return " + ".join(sorted(terms))


def _is_square(matrix: sp.MatrixExpr) -> bool:
    return matrix.rows == matrix.cols


def _is_square_letter(letter: Letter) -> bool:
    return _is_square(letter[0])


def _matrix_of(word: Word) -> sp.MatrixExpr:
    """The product that a word stands for."""
    factors = []
    for symbol, transposed, inverted in word:
        factor = symbol.T if transposed else symbol
        factors.append(factor.I if inverted else factor)
    return sp.MatMul(*factors) if len(factors) > 1 else factors[0]


def _letter_name(letter: Letter) -> str:
    symbol, transposed, inverted = letter
    return f"{symbol.name}{'^T' if transposed else ''}{'^-1' if inverted else ''}"


def _rows(letter: Letter) -> sp.Expr:
    symbol, transposed, _ = letter
    return symbol.cols if transposed else symbol.rows


def _columns(letter: Letter) -> sp.Expr:
    symbol, transposed, _ = letter
    return symbol.rows if transposed else symbol.cols

"""Reads tables of numbers from text files: what is a comment, a header, a number, and where the first error is.

**Format.** UTF-8 text with commas (or another delimiter that is named) between columns and points for decimals. Cells
may be quoted; blank lines are ignored.

**Comments.** A line that begins with `#` is a comment, except a row with an error of a spreadsheet. After a number and
a space, `#` begins a comment, too.

**Errors of spreadsheets** are recognised in two ways:

1. By the first cell, such as `#DIV/0!`, `#N/A` or `#NAME?`, in any language: one word that ends with `!` or `?`, two
   letters around a slash, with or without words after them, or capitals without a space (`#NV`).
2. Inside the table, by a line that looks like a row with an error of any other name (`#Error`): its other cells are
   numbers or such words, or the table has one column. In a comment a space follows `#`, or a number, as in an
   observation that is commented out (`#7,8`).

Marks alone (`####`) are a comment above the table; inside it they are a cell that was too narrow for its number.

**Header.** At most one line. By default the first line is a header if it holds no number. It is refused in case of
doubt: consecutive numbers, such as pandas writes for columns without names (`0,1,2`), or names that are almost numbers.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from theory import validation

__all__ = ["cell_number", "read_table", "table_column", "table_names"]

ERROR = re.compile(  # of a spreadsheet, except words in capitals
    r"#(\S*[!?]|[^\W\d_]/[^\W\d_](\s.*)?|N\.[A-Z]\.?|#*)", re.IGNORECASE
)
MISSING = {"", "na", "n/a", "nan", "nat", "null", "none", "nil", "missing", "-", "--", "?", ".", "<na>"}
LIKE_A_NUMBER = re.compile(r"[^\w#]*\d([^A-Za-z]|[eEjJ])*|0[xX][0-9a-fA-F]+")
UNNAMED = re.compile(r"Unnamed: \d+(\.\d+)?")  # what pandas writes for an empty name, numbered if it repeats
SEPARATORS = {",": "commas", ";": "';'", "\t": "tabs", "|": "'|'", " ": "spaces"}
NUMBERS = "points for decimals, nothing between thousands"
FORMAT = f"commas between columns, {NUMBERS}"
HEADER_REMEDY = (
    "state what that line is with --header or --no-header, where the command has them (in Python: header=True or "
    "False), or remove it if it holds names"
)


def read_table(
    file: Path, header: bool | None = None, delimiter: str = ",", keep: Sequence[int] | None = None
) -> np.ndarray:
    """The numbers of a text file, (rows, columns), all finite; read by numpy, or cell by cell to locate an error.

    Parameters
    ----------
    file : Path
    header : bool, optional
        whether the first line holds names; by default it does if it holds no number.
    delimiter : str
        one character; a space stands for any number of spaces.
    keep : sequence of int, optional
        the columns that are read, from 0; the others may hold any text.

    Raises
    ------
    ValueError
        with the file, the line and the column of the first error, and the remedy.
    """
    number, cells, named = _first_line(file, header, delimiter)
    skipped = number if named else number - 1
    finite = False
    if keep is None:
        try:
            split = None if delimiter == " " else delimiter
            table = np.loadtxt(file, delimiter=split, comments=None, skiprows=skipped, encoding="utf-8-sig", ndmin=2)
            finite = validation.first_not_finite(table) is None
        except ValueError:
            pass
    if not finite:
        table, width = _scan(file, delimiter, skipped, header is None and not named, keep)
    if named:
        _check_names(file, number, cells, table.shape[1] if finite else width, sure=header is True)
    elif header is None and len(table) > 1 and _column_numbers(file, number, cells, delimiter):
        shown = ", ".join(cells[:4]) + (", ..." if cells[4:] else "")
        raise ValueError(
            f"{file}: line {number} looks like column numbers ({shown}), as pandas writes them for columns without "
            f"names; {HEADER_REMEDY}, or write 0.0 in place of 0 in data"
        )
    return table


def table_names(file: Path, header: bool | None = None, delimiter: str = ",") -> tuple[list[str] | None, int]:
    """The names in the header of a text file, or None without a header; and the number of columns of its first line."""
    _, cells, named = _first_line(file, header, delimiter)
    return (cells if named else None), len(cells)


def table_column(file: Path, column: int, delimiter: str = ",") -> Iterator[str]:
    """The cells of a column below the first line, as text; a row that is too short has none."""
    lines = _lines(file, delimiter)
    next(lines, None)
    return (cells[column] for _, cells in lines if column < len(cells))


def cell_number(cell: str) -> float | None:
    """The number that a cell holds, or None; NaN and infinities count as numbers here."""
    try:
        return None if "_" in cell else float(cell)  # Python would read 1_000 as a number
    except ValueError:
        return None


def _first_line(file: Path, header: bool | None, delimiter: str) -> tuple[int, list[str], bool]:
    """The first line that is neither blank nor a comment: its number, its cells, and whether it is a header."""
    lines = _lines(file, delimiter)
    first, second = next(lines, None), next(lines, None)
    if first is None:
        raise ValueError(f"{file}: holds no numbers; save the table again")
    number, cells = first
    named = header
    if header is None:
        # consecutive numbers after an empty first name are column numbers, too
        named = all(cell_number(cell) is None for cell in cells) or (cells[0] == "" and _consecutive(cells[1:]) == 0)
    if not named:
        return number, cells, False
    if "" in cells:
        column = cells.index("") + 1
        origin = "of a row index" if column == 1 else "after a trailing comma"
        raise ValueError(
            f"{file}: line {number}, column {column} is '', an empty name, as {origin}; "
            "remove that column (pandas: to_csv(index=False)) or name it"
        )
    if second is None:
        raise ValueError(f"{file}: holds a header and no rows; save the table again")
    return number, cells, True


def _check_names(file: Path, number: int, names: list[str], width: int, sure: bool) -> None:
    """Refuse a header that does not fit the rows and, unless `sure`, one that may be a faulty observation."""
    if len(names) != width:
        remedy = "remove the row index, or name it" if len(names) == width - 1 else "give each column one name"
        raise ValueError(
            f"{file}: the header in line {number} has {len(names)} columns, the rows below it have {width}; {remedy}, "
            "or put # before a title"
        )
    unnamed = next((at for at, name in enumerate(names) if UNNAMED.fullmatch(name)), None)
    if not sure and unnamed is not None:
        raise ValueError(
            f"{file}: line {number}, column {unnamed + 1} is {names[unnamed]!r}, as pandas names a row index that it "
            "has read; remove that column (pandas: read_csv(index_col=0)), or name it"
        )
    if not sure and all(_is_missing(name) or LIKE_A_NUMBER.fullmatch(name) for name in names):
        raise ValueError(
            f"{file}: line {number}, column 1 is {names[0]!r}, neither a finite number nor clearly a name; "
            f"correct it, or {HEADER_REMEDY}"
        )


def _column_numbers(file: Path, number: int, cells: list[str], delimiter: str) -> bool:
    """Whether a first row may be column numbers: 0, 1, ..., or consecutive numbers above rows without whole numbers."""
    start = _consecutive(cells)
    if start is None or (len(cells) == 1 and start > 0):
        return False
    if start == 0 and len(cells) > 1:
        return True
    return not any(below > number and any(map(str.isdecimal, row)) for below, row in _lines(file, delimiter))


def _consecutive(cells: list[str]) -> int | None:
    """The first of consecutive whole numbers, or None if the cells hold anything else."""
    if not cells or not all(cell.isdecimal() and len(cell) < 16 for cell in cells):
        return None
    start = int(cells[0])
    return start if [int(cell) for cell in cells] == list(range(start, start + len(cells))) else None


def _scan(
    file: Path, delimiter: str, skipped: int, may_be_names: bool, keep: Sequence[int] | None
) -> tuple[np.ndarray, int]:
    """Read a text file cell by cell, and stop at the first faulty one; also the number of columns in the file."""
    rows, first, width = [], None, 0
    for number, cells in _lines(file, delimiter):
        if number <= skipped:
            continue
        first, width = first or number, width or len(cells)
        wanted = range(len(cells)) if keep is None else [column for column in keep if column < len(cells)]
        try:
            values = [float(cells[column]) for column in wanted]
        except ValueError:
            values = [math.nan]
        if not all(map(math.isfinite, values)) or any("_" in cells[column] for column in wanted):
            raise _fault(file, delimiter, number, cells, wanted, may_be_names and number == first)
        if len(cells) != width:
            raise ValueError(
                f"{file}: line {number} has {len(cells)} columns, line {first} has {width}; "
                "give every row the same columns"
            )
        rows.append(values)
    return np.array(rows), width


def _fault(
    file: Path, delimiter: str, number: int, cells: list[str], wanted: Sequence[int], may_be_names: bool
) -> ValueError:
    """The error for the first wanted cell of a line that does not hold a finite number."""
    values = ((at, cell_number(cells[at])) for at in wanted)
    column = next(at for at, value in values if value is None or not math.isfinite(value))
    shown, remedy = validation.shown(cells[column]), _remedy(cells, column, delimiter, may_be_names)
    return ValueError(f"{file}: line {number}, column {column + 1} is {shown}, not a finite number; {remedy}")


def _remedy(cells: list[str], column: int, delimiter: str, may_be_names: bool) -> str:
    cell, text = cells[column], delimiter.join(cells)
    for separator, name in SEPARATORS.items():
        parts = text.split() if separator == " " else text.split(separator)
        if (
            separator != delimiter
            and len(parts) > 1
            and all(cell_number(part.strip().replace(",", ".")) is not None for part in parts)
        ):
            option = "" if separator == "," else f", or pass --delimiter {separator!r} if its decimals are points"
            return f"the columns seem to be separated by {name}; save the table with {FORMAT}{option}"
    if _is_error(cell) or (column == 0 and cell.startswith("#")):
        return "correct that error of the spreadsheet, or remove its row; in a comment, a space follows #"
    if _is_missing(cell) or cell_number(cell) is not None:
        return "remove or fill in missing values"
    if delimiter != "," and cell_number(cell.replace(",", ".")) is not None:
        return f"save the table with {NUMBERS}"
    layout = FORMAT if delimiter == "," else NUMBERS
    remedy = f"keep columns of numbers only (--leave-out names those to omit), {layout}"
    return (
        f"{remedy}, and a header without numbers, or pass --header (in Python: header=True)" if may_be_names else remedy
    )


def _lines(file: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The lines of a text file that are neither blank nor comments: their number, from 1, and their cells."""
    width = 0  # cells of the first line of the table
    try:
        with file.open(encoding="utf-8-sig") as opened:
            for number, line in enumerate(opened, start=1):
                if "\0" in line:
                    raise UnicodeError
                text = line.strip(" \r\n\f\v") if delimiter == "\t" else line.strip()
                if not text or _is_comment(text, width, delimiter):
                    continue
                if not width and _declares_delimiter(file, number, text, delimiter):
                    continue
                cells = _cells(file, number, text, delimiter)
                width = width or len(cells)
                yield number, cells
    except UnicodeError:
        raise ValueError(f"{file}: is not a text table in UTF-8; save it as CSV UTF-8, or as .npy") from None


def _declares_delimiter(file: Path, number: int, text: str, delimiter: str) -> bool:
    """Whether a line declares, as spreadsheets do, what separates the columns; another separator is refused."""
    declared = re.fullmatch(r'"?sep=(.?)"?', text, re.IGNORECASE)
    if declared and (declared[1] or "\t") != delimiter:
        name = SEPARATORS.get(declared[1] or "\t", repr(declared[1]))
        raise ValueError(
            f"{file}: line {number} declares {name} as separator; save the table with {FORMAT}, or pass --delimiter"
        )
    return declared is not None


def _cells(file: Path, number: int, text: str, delimiter: str) -> list[str]:
    before, mark, after = text.partition("#")
    if mark and before[-1:].isspace() and not _is_error(mark + after):
        last = before.rstrip().rpartition(delimiter)[2].strip().strip('"')
        text = before if cell_number(last) is not None else text
    if '"' not in text:
        return [cell.strip() for cell in (text.split() if delimiter == " " else text.split(delimiter))]
    blank = " +" if delimiter == "\t" else r"\s+"
    closed = text if delimiter == " " else re.sub(rf'"{blank}(?={re.escape(delimiter)}|$)', '"', text)
    try:
        (cells,) = csv.reader([closed], delimiter=delimiter, skipinitialspace=True, strict=True)
    except csv.Error as error:
        raise ValueError(
            f"{file}: line {number} cannot be split into cells ({error}); close each quote on the line that opens it"
        ) from None
    return [cell.strip() for cell in cells]


def _is_comment(text: str, width: int, delimiter: str) -> bool:
    """Whether a line is a comment; `width` is the number of columns, zero above the table."""
    if not text.startswith("#"):
        return False
    if not text.strip("#"):
        return not width or text == "#"
    if delimiter == " " and text[1] == " ":
        return True
    if width and _is_row([cell.strip() for cell in text.split(delimiter)], width):
        return False
    return not _is_error(text.partition(delimiter)[0].rstrip())


def _is_row(cells: list[str], width: int) -> bool:
    """Whether a line that begins with # is a faulty row: words after #, and otherwise only numbers.

    A single word is one in a table of one column.
    """
    words = [cell[1:] for cell in cells if cell.startswith("#") and not _is_missing(cell)]
    others = [cell for cell in cells if not cell.startswith("#")]
    return (
        (len(cells) > 1 or width == 1)
        and all(word and not (word[0].isspace() or word[0] == "#") and cell_number(word) is None for word in words)
        and all(_is_missing(cell) or cell_number(cell) is not None for cell in others)
    )


def _is_error(cell: str) -> bool:
    """Whether a cell holds an error of a spreadsheet, in any language."""
    word = cell[1:]
    capitals = word == word.upper() and word.replace("_", "").isalpha() and len(word) > 1
    return cell.startswith("#") and (capitals or ERROR.fullmatch(cell) is not None)


def _is_missing(cell: str) -> bool:
    return cell.lower() in MISSING or _is_error(cell)

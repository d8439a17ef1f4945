"""Text tables: comments, headers, numbers and other cells are distinguished, or the file is refused."""

from __future__ import annotations

import numpy as np
import pytest

from theory.interface import text_table


@pytest.fixture
def read(tmp_path):
    """Read text as if it stood in a file."""

    def read(text, header=None):
        file = tmp_path / "x.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return text_table.read_table(file, header).tolist()

    return read


@pytest.fixture
def fault(read):
    def fault(text, header=None) -> str:
        with pytest.raises(ValueError) as caught:
            read(text, header)
        return str(caught.value)

    return fault


ERRORS = ["#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#N/A", "#SPILL!", "#CALC!", "#GETTING_DATA"]
LOCAL = [
    "#BEZUG!",
    "#WERT!",
    "#NV",
    "#N/D",
    "#NOMBRE?",
    "#¡DIV/0!",
    "#¿NOMBRE?",
    "#Н/Д",
    "#I/T",
    "#YOK",
    "#n/a",
    "####",
]


@pytest.mark.parametrize("error", ERRORS + LOCAL)
def test_errors_of_spreadsheets_are_cells_not_comments(fault, error):
    """As comments, they would make the row or the cell vanish."""
    for text, line, column in [
        (f"a,b\n1,2\n{error},1\n3,4\n", 3, 1),
        (f"1,2\n3,{error}\n", 2, 2),
        (f"1,2\n3, {error} \n", 2, 2),
        (f'1,2\n"{error}",3\n', 2, 1),
        (f"1,2\n  {error},3\n", 2, 1),
        (f"1\n2\n{error}\n", 3, 1),
    ]:
        assert f"line {line}, column {column} is '{error}', not a finite number; correct that error" in fault(text)
    for text in (f"{error},1\n1,2\n", f"{error},{error}\n1,2\n"):
        assert "line 1, column 1 is" in fault(text) or error == "####"
    assert f"'1 {error}'" in fault(f"2,1 {error}\n3,4\n")  # behind a number it is no comment either


@pytest.mark.parametrize(
    "cell",
    [
        "#N/A N/A",
        "#N/A Field Not Applicable",
        "#N/A Requesting Data...",
        "#Error",
        "#Null",
        "#nv",
        "#REF!+1",
        "#missing",
    ],
)
def test_a_word_after_the_mark_and_otherwise_numbers_is_a_faulty_row(fault, read, cell):
    """Errors that add-ins of spreadsheets write, and export in other letters: as comments their rows would vanish."""
    for text in (f"a,b,c\n1,2,3\n{cell},3,4\n5,6,7\n", f"1,2,3\n  {cell} ,,-4e1\n"):
        assert f"column 1 is '{cell}', not a finite number; correct that error of the spreadsheet" in fault(text)
    for text in (f"1,2\n{cell},{cell}\n", f"1\n{cell}\n2\n"):  # all of a row, as of one that Access deleted
        assert f"line 2, column 1 is '{cell}'" in fault(text)
    for comment in (f"# {cell},3,4", "#9,3,4", "#-1e3,3,4", "## part 2,1,2", f"{cell},see note,4"):
        assert cell.startswith(("#N/A ", "#REF")) or read(f"1,2,3\n{comment}\n5,6,7\n") == [[1, 2, 3], [5, 6, 7]]
    assert read("#seed,0\n#rows,2\n1,2\n3,4\n") == [[1, 2], [3, 4]]  # above the table


def test_a_row_index_that_pandas_wrote_and_read_is_refused(fault, read):
    """DataFrame.to_csv writes the index under an empty name; read_csv calls it so, and to_csv(index=False) keeps it."""
    text = "Unnamed: 0,a\n0,1.5\n1,2.5\n"
    assert "line 1, column 1 is 'Unnamed: 0', as pandas names a row index that it has read; remove that" in fault(text)
    assert "column 2 is 'Unnamed: 0.1'" in fault("a,Unnamed: 0.1\n1.5,0\n2.5,1\n")
    assert read(text, header=True) == [[0, 1.5], [1, 2.5]]


@pytest.mark.parametrize(
    "comment", ["# text", "#made by hand", "#7,8", "#", "# N/A: not available", "#x,y", "## part 2", "#a,b #DIV/0!"]
)
def test_comments_are_ignored(read, comment):
    assert read(f"{comment}\na,b\n1,2\n{comment}\n3,4\n") == [[1, 2], [3, 4]]
    assert read("1,2 # first, with a comma\n3,4 #second\n") == [[1, 2], [3, 4]]
    assert read("#####\n# title\n#####\n1,2\n3,4\n") == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0,1,2\n1.5,2.5,3.5\n4.0,5.0,6.0\n", "0, 1, 2"),  # pandas.DataFrame(floats).to_csv(index=False)
        ("0,1,2\n5,3,4\n2,2,1\n", "0, 1, 2"),  # of whole numbers
        ('"0","1"\n1.5,2.5\n', "0, 1"),
        ("0\n1.5\n2.5\n", "0"),
        ("1,2,3\n1.5,2.5,3.5\n", "1, 2, 3"),
        ("2019,2020,2021,2022,2023\n1.5,2.5,3.5,1e0,2.\n", "2019, 2020, 2021, 2022, ..."),
    ],
)
def test_column_numbers_are_no_observation_unless_header_says_so(read, fault, text, shown):
    assert f"line 1 looks like column numbers ({shown}), as pandas writes them" in fault(text)
    with_first = [[float(cell.strip('"')) for cell in line.split(",")] for line in text.splitlines()]
    assert read(text, header=False) == with_first
    assert read(text, header=True) == with_first[1:]


@pytest.mark.parametrize(
    "text",
    ["1,2\n3,4\n", "0\n1\n2\n", "1,2\n1.5,2\n", "2,4\n1.5,2.5\n", "0.0,1,2\n1.5,2.5,3.5\n", "0,1,2\n", "1,0\n0,1\n"],
)
def test_rows_of_whole_numbers_that_are_not_column_numbers(read, text):
    assert read(text) == [[float(cell) for cell in line.split(",")] for line in text.splitlines()]


def test_header_says_what_the_first_line_is(read, fault):
    assert read("a,b\n1,2\n", header=True) == [[1, 2]]
    assert read("# c\n\na,1\n1,2\n", header=True) == [[1, 2]]
    assert "line 1, column 1 is 'a'" in fault("a,b\n1,2\n", header=False)
    assert "holds a header and no rows" in fault("1,2\n", header=True)
    assert "or pass --header (in Python: header=True)" in fault("a,1\n1,2\n")


@pytest.mark.parametrize(
    "first", ["1_000", "5%", "1 2 3", "2020-01-01", "$5", "#N/A", "NA", "-", "0x1F", "1+2j", "1\u200b"]
)
def test_a_faulty_observation_is_not_a_header(read, fault, first):
    """One column, so that nothing else tells the first line from a name: the observation would be lost."""
    assert f"line 1, column 1 is {first!r}, neither a finite number nor clearly a name" in fault(
        f"# c\n{first}\n4\n5\n"[4:]
    )
    assert read(f"{first}\n4\n5\n", header=True) == [[4], [5]]
    assert read(f"x {first}\n4\n5\n") == [[4], [5]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (",0,1,2\n0,1.5,2,3\n", ["line 1, column 1 is ''", "row index", "to_csv(index=False)"]),
        ("a,b\n0,1,2\n1,3,4\n", ["header in line 1 has 2 columns, the rows below it have 3", "row index"]),
        ("a,b,c\n1,2\n3,4\n", ["header in line 1 has 3 columns, the rows below it have 2", "one name"]),
        ("a,b,\n1,2,\n", ["line 1, column 3 is ''", "trailing comma"]),
        ("1,2,\n3,4,\n", ["line 1, column 3 is ''"]),
        ("1,2\n,,\n3,4\n", ["line 2, column 1 is ''"]),
        ('"1,2\n3,4\n', ["line 1 cannot be split into cells", "close each quote"]),
        ('1,2\n3,"4\n5,6\n', ["line 2 cannot be split"]),
        ('"1,2\n3",4\n5,6\n7,8\n', ["line 1 cannot be split"]),
        ('"a\nb",c\n1,2\n3,4\n', ["line 1 cannot be split"]),
        ('1,2\n"3"4,5\n', ["line 2 cannot be split"]),
        ('1,2\n"' + 200_000 * "3" + '",4\n', ["line 2 cannot be split", "131072"]),
        ("1," + 200_000 * "2" + "\n3,4\n", ["line 1, column 2 is '22222", "..."]),
        ("a;b\n1;2\n3;4\n", ["line 2", "separated by ';'"]),
        ("1,5;2,5\n3,5;4,5\n", ["line 1", "separated by ';'"]),
        ("1\t2\n3\t4\n", ["line 2", "separated by tabs"]),
        ("1 2\n3 4\n", ["line 2", "separated by spaces"]),
        ("a|b\n1|2\n", ["line 2", "separated by '|'"]),
        ("sep=;\n1;2\n", ["line 1 declares ';' as separator"]),
        ("sep=\t\n1\t2\n", ["line 1 declares tabs as separator"]),
        ('1,2\n"1,234",5\n', ["line 2, column 1 is '1,234'", "nothing between thousands"]),
        ("1,2\n3,\0004\n", ["UTF-8"]),
        ("1,2\n3,4\n".encode("utf-16-le"), ["UTF-8"]),
        ("1,2\n3,5%\n", ["line 2, column 2 is '5%'"]),
        ("1,2\n3,1+2j\n", ["line 2, column 2 is '1+2j'"]),
        ("1,2\n3,0x10\n", ["line 2, column 2 is '0x10'"]),
        ("1,2\n3,NULL\n", ["line 2, column 2 is 'NULL'", "missing values"]),
        ("1,2# a\n3,4\n", ["line 1, column 2 is '2# a'"]),
    ],
)
def test_faults_are_named_with_their_place(fault, text, expected):
    message = fault(text)
    for part in expected:
        assert part in message


@pytest.mark.parametrize("first", ["sep=,", "SEP=,", '"sep=,"'])
def test_a_line_that_only_names_the_separator(read, first):
    assert read(f"{first}\na,b\n1,2\n3,4\n") == [[1, 2], [3, 4]] == read(f"{first}\r\n1,2\r\n3,4\r\n")


def test_names_may_hold_marks_and_quotes_spaces(read):
    assert read("item #,price #2\n1,2\n3,4\n") == [[1, 2], [3, 4]] == read('"1" , "2"\n"3","4" \n')
    assert read('"a, b","c ""d"""\n1,2\n3,4\n') == [[1, 2], [3, 4]] == read("2019Q1,2019Q2\n1,2\n3,4\n")
    assert read("١,２\n3,4\u00a0\n") == [[1, 2], [3, 4]]  # digits of other scripts are digits


def test_random_tables_are_read_as_written_or_refused(read):
    """Cells of many kinds in random places: a row is never lost, and a number never read as another one."""
    rng = np.random.default_rng(0)
    odd = ["#N/A", "", "nan", "1e999", "x", "1_0", '"', "#", "-", "1;2", "1 # c", "7.5"]
    refused = 0
    for _ in range(200):
        rows, columns = rng.integers(2, 6), rng.integers(1, 4)
        values = rng.standard_normal((rows, columns)) * 10.0 ** rng.integers(-9, 9)
        cells = [[repr(float(value)) for value in row] for row in values]
        cells[rng.integers(rows)][rng.integers(columns)] = odd[rng.integers(len(odd))]
        lines = [", ".join(row) for row in cells]
        if rng.random() < 0.5:
            lines.insert(0, ",".join(f"name {i}" for i in range(columns)))
        try:
            table = read("\n".join(lines))
        except ValueError as error:
            refused += 1
            assert "line " in str(error)
            continue
        # What is read: a remark behind a number counts for nothing, a "#" alone is a comment, a blank line
        # is nothing, and "x" alone above numbers is a name.
        kept = [[cell.removesuffix(" # c") for cell in row] for row in cells]
        kept = [row for at, row in enumerate(kept) if row not in (["#"], [""]) and not (row == ["x"] and at == 0)]
        assert table == [[float(cell) for cell in row] for row in kept]
    assert 100 < refused < 190

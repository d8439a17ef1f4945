"""What the command lines share: exit codes, one-line errors, values read from text, tables and JSON."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import math
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from theory.interface import options, report, run


def door(function):
    """A parser with one command, which calls `function`."""
    parser = run.Parser(prog="door")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    command = run.add_command(commands, "go", function, "Goes.", "  door go --number 1")
    command.add_argument("--number", default="1")
    command.add_argument("--flag", action="store_true")
    return parser


def raiser(error):
    def function(_):
        raise error

    return function


def test_text_or_json_to_stdout_and_exit_code(capsys):
    parser = door(lambda _: report.Report({"x": np.inf}, "x is infinite"))
    assert run.run_command(parser, ["go"]) == 0
    assert capsys.readouterr() == ("x is infinite\n", "")
    assert run.run_command(parser, ["go", "--json"]) == 0
    output, errors = capsys.readouterr()
    assert json.loads(output) == {"format": report.FORMAT, "x": "inf"} and errors == ""


def test_a_failed_check_is_printed_and_exits_with_one(capsys):
    assert run.run_command(door(lambda _: report.Report({}, "bad", failed=True)), ["go"]) == 1
    assert capsys.readouterr().out == "bad\n"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["stay"], "invalid choice: 'stay'"),
        (["go", "--speed", "1"], "unrecognized arguments: --speed 1"),
        (["go", "--number"], "--number: expected one argument; see door go --help"),
    ],
)
def test_bad_usage_is_one_line_on_stderr_and_exits_with_two(capsys, argv, said):
    assert run.run_command(door(raiser(AssertionError)), argv) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("door: error: ") and said in errors and errors.count("\n") == 1


def test_a_value_error_of_many_lines_becomes_one(capsys):
    assert run.run_command(door(raiser(ValueError("bad\n  value"))), ["go"]) == 2
    assert capsys.readouterr().err == "door: error: bad value\n"


@pytest.mark.parametrize("error", [np.linalg.LinAlgError("singular"), ZeroDivisionError(), KeyError("x")])
def test_an_internal_error_is_not_passed_off_as_bad_usage(error):
    with pytest.raises(type(error)):
        run.run_command(door(raiser(error)), ["go"])


def test_an_interrupt_ends_without_a_traceback(capsys):
    assert run.run_command(door(raiser(KeyboardInterrupt)), ["go"]) == 130
    assert capsys.readouterr().err == "door: interrupted\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (PermissionError(13, "Permission denied", "/root/x.npz"), "/root/x.npz: Permission denied"),
        (OSError("cannot read\nthat"), "cannot read that"),
    ],
)
def test_an_error_of_the_system_is_one_line_and_exits_with_two(capsys, error, said):
    assert run.run_command(door(raiser(error)), ["go"]) == 2
    assert capsys.readouterr() == ("", f"door: error: {said}\n")


def test_what_was_finished_before_an_interrupt_is_printed(capsys):
    assert run.run_command(door(lambda _: report.Report({}, "half", interrupted=True)), ["go"]) == 130
    assert capsys.readouterr().out == "half\n"


def test_help_lists_the_examples(capsys):
    with pytest.raises(SystemExit) as ended:
        run.run_command(door(raiser(AssertionError)), ["go", "--help"])
    assert ended.value.code == 0
    assert "examples:\n  door go --number 1" in capsys.readouterr().out


@pytest.mark.parametrize("value", ["-1,.9;0,1", "-.5", "-3"])
def test_values_may_begin_with_a_minus_sign(capsys, value):
    parser = door(lambda arguments: report.Report({}, arguments.number))
    assert run.run_command(parser, ["go", "--number", value]) == 0
    assert capsys.readouterr().out == f"{value}\n"
    assert run.run_command(parser, ["go", f"--number={value}"]) == 0


LONG = (
    "from theory.interface import report, run; p = run.Parser(prog='door'); c = p.add_subparsers(); "
    "run.add_command(c, 'go', lambda a: report.Report({}, 'line\\n' * 100_000), 'Goes.', ''); "
    "raise SystemExit(run.run_command(p, ['go']))"
)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_under_stdout_is_one_line():
    with open("/dev/full", "wb") as full:
        run = subprocess.run(
            [sys.executable, "-c", LONG],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
            check=False,
        )
    assert (run.returncode, run.stderr) == (2, "door: error: stdout: No space left on device\n")


def through_shell(redirection, code=LONG):
    """Run a door with its streams as a shell leaves them."""
    command = ["sh", "-c", f'exec "$0" "$@" {redirection}', sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3], check=False)


REFUSED = (
    "from theory.interface import run; p = run.Parser(prog='door'); c = p.add_subparsers(); "
    "raise SystemExit(run.run_command(p, ['go']))"
)


def test_a_closed_stdout_is_said_before_the_work():
    run = through_shell(">&-", LONG.replace("lambda a:", "lambda a: print('worked') or"))
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr == (
        "door: error: stdout is closed, so that no result can be printed; send it to a file, or to /dev/null\n"
    )


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_without_a_stderr_an_error_goes_nowhere_else(redirection):
    run = through_shell(redirection, REFUSED)
    assert (run.returncode, run.stdout, run.stderr) == (2, "", "")


def test_without_a_stderr_a_result_is_printed():
    run = through_shell("2>&-")
    assert (run.returncode, run.stdout, run.stderr) == (0, "line\n" * 100_000 + "\n", "")


def test_no_file_is_opened_in_the_place_of_a_closed_stream(tmp_path):
    """What a library writes to stderr would go into it."""
    code = LONG.replace(
        "lambda a:", "lambda a: __import__('os').write(1, str(open('/dev/null').fileno()).encode()) and"
    )
    run = through_shell("<&- 2>&-", code)
    assert int(run.stdout.partition("line")[0]) > 2


def full_disk(_):
    raise OSError(28, "No space left on device")


def test_a_report_is_printed_where_its_file_cannot_be_written(capsys, tmp_path):
    parser = door(lambda _: report.Report({}, "hours of work", files={tmp_path / "x.csv": full_disk}))
    assert run.run_command(parser, ["go"]) == 2
    output, errors = capsys.readouterr()
    assert output == "hours of work\n"
    assert errors == f"door: error: {tmp_path / 'x.csv'}: No space left on device\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_file_is_written_where_its_report_cannot_be_printed(tmp_path):
    run = through_shell(
        ">/dev/full", LONG.replace("100_000)", f"9, files={{{str(tmp_path / 'x')!r}: lambda o: o.write(b'x')}})")
    )
    assert (run.returncode, run.stderr) == (2, "door: error: stdout: No space left on device\n")
    assert (tmp_path / "x").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda _: np.float64(1e308) * 10, "numbers left the range of double precision (overflow encountered in"),
        (
            lambda _: np.inf - np.full(2, np.inf),
            "numbers left the range of double precision (invalid value encountered",
        ),
        (lambda _: math.exp(1e4), "numbers left the range of double precision (math range error); pass numbers nearer"),
        (lambda _: np.empty(2**50), "this machine has too little memory (Unable to allocate 8.00 PiB"),
        (raiser(MemoryError()), "this machine has too little memory (none left); ask for less"),
    ],
)
def test_arithmetic_and_memory_that_end_are_one_line(capsys, function, said):
    """A warning on stderr above a result would leave it to the reader to doubt it."""
    assert run.run_command(door(function), ["go"]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith(f"door: error: {said}") and errors.count("\n") == 1


def test_a_warning_for_the_user_is_one_line(capsys):
    def warn(_):
        warnings.warn("two\nlines", stacklevel=1)
        return report.Report({}, "result")

    assert run.run_command(door(warn), ["go"]) == 0
    assert capsys.readouterr() == ("result\n", "door: warning: two lines\n")


def test_characters_that_stdout_does_not_know_are_escaped():
    run = subprocess.run(
        [sys.executable, "-c", LONG.replace("'line\\n' * 100_000", "chr(0x2605) + chr(0xDC80)")],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, b"\\u2605\\udc80\n", b"")


def test_an_archive_carries_its_format_and_leaves_out_what_is_not_there(tmp_path):
    with (tmp_path / "x.npz").open("wb") as opened:
        report.npz_archive({"a": np.ones(2), "b": None, "c": "text"})(opened)
    with np.load(tmp_path / "x.npz") as saved:
        assert {name: saved[name].tolist() for name in saved} == {"format": report.FORMAT, "a": [1.0, 1.0], "c": "text"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_help_that_cannot_be_printed_is_one_line():
    run = through_shell(">/dev/full", LONG.replace("['go']", "['--help']"))
    assert (run.returncode, run.stderr) == (2, "door: error: stdout: No space left on device\n")


def test_a_reader_that_stops_early_is_no_error():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        run = subprocess.run(
            [sys.executable, "-c", LONG],
            stdout=pipe,
            stderr=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
            check=False,
        )
    assert (run.returncode, run.stderr) == (0, b"")


def test_positive_numbers():
    np.testing.assert_array_equal(options.positive_numbers("--beta", "2"), [2])
    np.testing.assert_array_equal(options.positive_numbers("--beta", "0.5, 1,2e0"), [0.5, 1, 2])
    values = options.positive_numbers("--beta", "0.1:10:5")
    np.testing.assert_allclose(values, [0.1, 10**-0.5, 1, 10**0.5, 10], rtol=1e-14)
    assert (values[0], values[-1]) == (0.1, 10)  # the ends as they were written


@pytest.mark.parametrize(
    "text", ["", "x", "1,,2", "1:2", "1:2:x", "1:2:3:4", "2:1:5", "0:1:5", "1:2:1", "1:inf:5", "1:2:2.5"]
)
def test_what_is_neither_number_list_nor_range(text):
    with pytest.raises(ValueError, match=r"--beta must be a number, a list such as 0.5,1,2 or a range low:high:count"):
        options.positive_numbers("--beta", text)


@pytest.mark.parametrize("text", ["0", "-1", "1,-2", "nan", "inf", "1,nan"])
def test_numbers_that_are_not_positive(text):
    with pytest.raises(ValueError, match=r"--beta must be > 0 and finite, got .*; pass positive numbers"):
        options.positive_numbers("--beta", text)


def test_a_range_of_too_many_numbers():
    assert len(options.positive_numbers("--beta", "1:2:1000000")) == 1_000_000
    for count in (1_000_001, 10**12, 10**30):
        with pytest.raises(ValueError, match="the count of --beta must be <= 1000000, got 10000"):
            options.positive_numbers("--beta", f"1:2:{count}")


@pytest.mark.parametrize("text", [None, 1, 1j, b"1", ["1"], np.ones(2), object(), str, {}])
def test_what_is_no_text_is_named(text):
    for read in (
        lambda: options.positive_numbers("--beta", text),
        lambda: options.number_or_keyword("--beta", text, "learned"),
        lambda: options.posterior_family("--beta", text),
        lambda: options.chosen_names("--beta", [text], ["a"]),
    ):
        with pytest.raises(ValueError, match="--beta must be a str, got"):
            read()


@pytest.mark.parametrize("text", ["1_0", "0.5,1_0", "1:2:1_0", "1_0:20:3", "0_1;2"])
def test_underscores_between_digits_make_no_number(text):
    """Python reads 1_0 as 10; no one means that, and tables refuse it too."""
    with pytest.raises(ValueError, match=f"--beta must be a number, a list .*, got '{text}'"):
        options.positive_numbers("--beta", text)
    with pytest.raises(ValueError, match=f"--beta must be a number or learned, got '{text}'"):
        options.number_or_keyword("--beta", text, "learned")
    with pytest.raises(ValueError, match=f"--beta must be diagonal, full, or groups .*, got '{text}'"):
        options.posterior_family("--beta", text)
    with pytest.raises(ValueError, match=f"--beta must be whole numbers separated by commas, got '{text}'"):
        options.whole_numbers("--beta", text)


@pytest.mark.parametrize("kind", [int, float])
def test_options_read_numbers_as_tables_do(capsys, kind):
    parser = run.Parser(prog="door")
    command = run.add_command(
        parser.add_subparsers(), "go", lambda arguments: report.Report({}, repr(arguments.size)), "Goes.", ""
    )
    command.add_argument("--size", type=kind)
    assert run.run_command(parser, ["go", "--size", "10"]) == 0
    assert capsys.readouterr().out == f"{kind(10)!r}\n"
    assert run.run_command(parser, ["go", "--size", "1_0"]) == 2
    assert f"argument --size: invalid {kind.__name__} value: '1_0'" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["go", "--number", "9" * 10_000], ["9" * 10_000], ["go", "9" * 10_000]])
def test_an_error_does_not_repeat_a_long_argument(capsys, argv):
    parser = door(lambda arguments: options.positive_numbers("--number", f"{arguments.number}x"))
    assert run.run_command(parser, argv) == 2
    assert len(capsys.readouterr().err) < 1200


def test_whole_numbers():
    assert options.whole_numbers("--sizes", "1, 2,-4") == [1, 2, -4]
    with pytest.raises(ValueError, match=r"--sizes must be whole numbers separated by commas, got '1,2\.0'"):
        options.whole_numbers("--sizes", "1,2.0")


def test_version_of_the_project(capsys):
    parser = run.Parser(prog="door")
    run.add_version_option(parser)
    parser.add_subparsers(required=True)
    with pytest.raises(SystemExit) as ended:
        run.run_command(parser, ["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"linear-beta-vae {importlib.metadata.version('linear-beta-vae')}\n"


def test_number_or_word():
    assert options.number_or_keyword("--noise", "learned", "true", "learned") == "learned"
    assert options.number_or_keyword("--noise", "0.5", "learned") == 0.5
    with pytest.raises(ValueError, match=r"--noise must be a number or true or learned, got 'lerned'"):
        options.number_or_keyword("--noise", "lerned", "true", "learned")


def test_chosen_names_come_once_each_in_the_order_given():
    assert options.chosen_names("--only", None, {"a": 1, "b": 2}) == ["a", "b"]
    assert options.chosen_names("--only", ["b, a", "b"], {"a": 1, "b": 2}) == ["b", "a"]
    with pytest.raises(ValueError, match=r"--only must be one of 'a', 'b', got 'c'"):
        options.chosen_names("--only", ["a,c"], {"a": 1, "b": 2})


def test_posterior_family():
    assert options.posterior_family("--posterior", "diagonal") == "diagonal"
    assert options.posterior_family("--posterior", "full") == "full"
    assert options.posterior_family("--posterior", "0, 1;2") == [[0, 1], [2]]
    with pytest.raises(ValueError, match=r"--posterior must be diagonal, full, or groups .* got 'ful'"):
        options.posterior_family("--posterior", "ful")


def test_table_aligns_numbers_right_and_text_left():
    text = report.aligned_table(
        {"name": ["a", "long name"], "x": [1.0, -1 / 3], "n": (12, None), "ok": np.array([True, False])}
    )
    assert text.split("\n") == [
        "name               x   n   ok",
        "a                  1  12  yes",
        "long name  -0.333333   -   no",
    ]
    assert report.aligned_table({"x": [-0.0, np.inf, np.nan]}).split() == ["x", "0", "inf", "nan"]


def test_facts_are_aligned():
    assert (
        report.aligned_facts({"beta": 1.0, "latent_dim": 2, "none": None})
        == "beta        1\nlatent_dim  2\nnone        -"
    )


def test_json_is_valid_keeps_digits_and_writes_what_is_not_finite_as_strings():
    @dataclasses.dataclass
    class Record:
        value: float
        values: np.ndarray

    third = 1 / 3
    text = report.to_json(
        {
            "record": Record(np.float64(third), np.array([[third, -np.inf], [np.nan, 0]])),
            "numpy": [np.int64(3), np.bool_(True), np.str_("s"), np.array(["a"])],
            "plain": (1, None, True, "x", np.inf, Path("out")),
            2: {},
        }
    )
    assert json.loads(text, parse_constant=pytest.fail) == {
        "record": {"value": third, "values": [[third, "-inf"], ["nan", 0.0]]},
        "numpy": [3, True, "s", ["a"]],
        "plain": [1, None, True, "x", "inf", "out"],
        "2": {},
    }
    with pytest.raises(TypeError):
        report.to_json({"function": print})


def test_without_a_command_the_help_is_printed_or_the_default_runs(capsys):
    parser = door(lambda arguments: report.Report({}, f"ran {arguments.number}"))
    with pytest.raises(SystemExit) as ended:
        run.run_command(parser, [])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: door")
    for argv in (["--number", "2"], ["go", "--number", "2"]):
        assert run.run_command(parser, argv, default="go") == 0
        assert capsys.readouterr().out == "ran 2\n"
    with pytest.raises(SystemExit):
        run.run_command(parser, ["--help"], default="go")
    assert capsys.readouterr().out.startswith("usage: door [-h]")

"""How a command runs: exit codes, one-line errors, and results that reach stdout or a file."""

from __future__ import annotations

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


def program(function):
    """A parser with one command, which calls `function`."""
    parser = run.Parser(prog="program")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    command = run.add_command(commands, "go", function, "Goes.", "  program go --number 1")
    command.add_argument("--number", default="1")
    command.add_argument("--flag", action="store_true")
    return parser


def raiser(error):
    def function(_):
        raise error

    return function


def test_text_or_json_to_stdout_and_exit_code(capsys):
    parser = program(lambda _: report.Report({"x": np.inf}, "x is infinite"))
    assert run.run_command(parser, ["go"]) == 0
    assert capsys.readouterr() == ("x is infinite\n", "")
    assert run.run_command(parser, ["go", "--json"]) == 0
    output, errors = capsys.readouterr()
    assert json.loads(output) == {"format": report.FORMAT, "x": "inf"} and errors == ""


def test_a_failed_check_is_printed_and_exits_with_one(capsys):
    assert run.run_command(program(lambda _: report.Report({}, "bad", failed=True)), ["go"]) == 1
    assert capsys.readouterr().out == "bad\n"


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["stay"], "invalid choice: 'stay'"),
        (["go", "--speed", "1"], "unrecognized arguments: --speed 1; see program go --help"),
        (["go", "--number"], "--number: expected one argument; see program go --help"),
    ],
)
def test_bad_usage_is_one_line_on_stderr_and_exits_with_two(capsys, argv, expected):
    assert run.run_command(program(raiser(AssertionError)), argv) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("program: error: ") and expected in errors and errors.count("\n") == 1


def test_a_value_error_of_many_lines_becomes_one(capsys):
    assert run.run_command(program(raiser(ValueError("bad\n  value"))), ["go"]) == 2
    assert capsys.readouterr().err == "program: error: bad value\n"


@pytest.mark.parametrize("error", [np.linalg.LinAlgError("singular"), ZeroDivisionError(), KeyError("x")])
def test_an_internal_error_is_not_reported_as_bad_usage(error):
    with pytest.raises(type(error)):
        run.run_command(program(raiser(error)), ["go"])


def test_an_interrupt_ends_without_a_traceback(capsys):
    assert run.run_command(program(raiser(KeyboardInterrupt)), ["go"]) == 130
    assert capsys.readouterr().err == "program: interrupted\n"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (PermissionError(13, "Permission denied", "/root/x.npz"), "/root/x.npz: Permission denied"),
        (OSError("cannot read\nthat"), "cannot read that"),
    ],
)
def test_an_error_of_the_system_is_one_line_and_exits_with_two(capsys, error, expected):
    assert run.run_command(program(raiser(error)), ["go"]) == 2
    assert capsys.readouterr() == ("", f"program: error: {expected}\n")


def test_what_was_finished_before_an_interrupt_is_printed(capsys):
    assert run.run_command(program(lambda _: report.Report({}, "half", interrupted=True)), ["go"]) == 130
    assert capsys.readouterr().out == "half\n"


def test_help_lists_the_examples(capsys):
    with pytest.raises(SystemExit) as ended:
        run.run_command(program(raiser(AssertionError)), ["go", "--help"])
    assert ended.value.code == 0
    assert "examples:\n  program go --number 1" in capsys.readouterr().out


@pytest.mark.parametrize("value", ["-1,.9;0,1", "-.5", "-3"])
def test_values_may_begin_with_a_minus_sign(capsys, value):
    parser = program(lambda arguments: report.Report({}, arguments.number))
    assert run.run_command(parser, ["go", "--number", value]) == 0
    assert capsys.readouterr().out == f"{value}\n"
    assert run.run_command(parser, ["go", f"--number={value}"]) == 0


LONG = (
    "from theory.interface import report, run; p = run.Parser(prog='program'); c = p.add_subparsers(); "
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
    assert (run.returncode, run.stderr) == (2, "program: error: stdout: No space left on device\n")


def through_shell(redirection, code=LONG):
    """Run a command line with streams that a shell has redirected or closed."""
    command = ["sh", "-c", f'exec "$0" "$@" {redirection}', sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3], check=False)


REFUSED = (
    "from theory.interface import run; p = run.Parser(prog='program'); c = p.add_subparsers(); "
    "raise SystemExit(run.run_command(p, ['go']))"
)


def test_a_closed_stdout_is_reported_before_the_work():
    run = through_shell(">&-", LONG.replace("lambda a:", "lambda a: print('worked') or"))
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr == (
        "program: error: stdout is closed, so the result cannot be printed; redirect it to a file, or to /dev/null\n"
    )


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_without_a_stderr_an_error_is_not_printed_elsewhere(redirection):
    run = through_shell(redirection, REFUSED)
    assert (run.returncode, run.stdout, run.stderr) == (2, "", "")


def test_without_a_stderr_a_result_is_printed():
    run = through_shell("2>&-")
    assert (run.returncode, run.stdout, run.stderr) == (0, "line\n" * 100_000 + "\n", "")


def test_no_file_is_opened_under_the_number_of_a_closed_stream(tmp_path):
    """Otherwise what a library writes to stderr would go into that file."""
    code = LONG.replace(
        "lambda a:", "lambda a: __import__('os').write(1, str(open('/dev/null').fileno()).encode()) and"
    )
    run = through_shell("<&- 2>&-", code)
    assert int(run.stdout.partition("line")[0]) > 2


def full_disk(_):
    raise OSError(28, "No space left on device")


def test_a_report_is_printed_where_its_file_cannot_be_written(capsys, tmp_path):
    parser = program(lambda _: report.Report({}, "hours of work", files={tmp_path / "x.csv": full_disk}))
    assert run.run_command(parser, ["go"]) == 2
    output, errors = capsys.readouterr()
    assert output == "hours of work\n"
    assert errors == f"program: error: {tmp_path / 'x.csv'}: No space left on device\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_file_is_written_where_its_report_cannot_be_printed(tmp_path):
    run = through_shell(
        ">/dev/full", LONG.replace("100_000)", f"9, files={{{str(tmp_path / 'x')!r}: lambda o: o.write(b'x')}})")
    )
    assert (run.returncode, run.stderr) == (2, "program: error: stdout: No space left on device\n")
    assert (tmp_path / "x").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("function", "expected"),
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
def test_overflow_and_lack_of_memory_are_one_line(capsys, function, expected):
    """A warning above a result would leave its validity to the reader."""
    assert run.run_command(program(function), ["go"]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith(f"program: error: {expected}") and errors.count("\n") == 1


def test_a_warning_for_the_user_is_one_line(capsys):
    def warn(_):
        warnings.warn("two\nlines", stacklevel=1)
        return report.Report({}, "result")

    assert run.run_command(program(warn), ["go"]) == 0
    assert capsys.readouterr() == ("result\n", "program: warning: two lines\n")


def test_characters_that_stdout_cannot_encode_are_escaped():
    run = subprocess.run(
        [sys.executable, "-c", LONG.replace("'line\\n' * 100_000", "chr(0x2605) + chr(0xDC80)")],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, b"\\u2605\\udc80\n", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_help_that_cannot_be_printed_is_one_line():
    run = through_shell(">/dev/full", LONG.replace("['go']", "['--help']"))
    assert (run.returncode, run.stderr) == (2, "program: error: stdout: No space left on device\n")


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


@pytest.mark.parametrize("kind", [int, float])
def test_options_read_numbers_as_tables_do(capsys, kind):
    parser = run.Parser(prog="program")
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
    parser = program(lambda arguments: options.positive_numbers("--number", f"{arguments.number}x"))
    assert run.run_command(parser, argv) == 2
    assert len(capsys.readouterr().err) < 1200


def test_version_of_the_project(capsys):
    parser = run.Parser(prog="program")
    run.add_version_option(parser)
    parser.add_subparsers(required=True)
    with pytest.raises(SystemExit) as ended:
        run.run_command(parser, ["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"linear-beta-vae {importlib.metadata.version('linear-beta-vae')}\n"


def test_without_a_command_the_help_is_printed_or_the_default_runs(capsys):
    parser = program(lambda arguments: report.Report({}, f"ran {arguments.number}"))
    with pytest.raises(SystemExit) as ended:
        run.run_command(parser, [])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: program")
    for argv in (["--number", "2"], ["go", "--number", "2"]):
        assert run.run_command(parser, argv, default="go") == 0
        assert capsys.readouterr().out == "ran 2\n"
    with pytest.raises(SystemExit):
        run.run_command(parser, ["--help"], default="go")
    assert capsys.readouterr().out.startswith("usage: program [-h]")


def test_a_command_line_has_the_commands_of_its_rooms(capsys):
    class Room:
        @staticmethod
        def add_commands(commands):
            run.add_command(commands, "one", lambda _: report.Report({"x": 1}, "text"), "About.", "  program one")

    parser = run.command_line("program", "What it is.", (Room,))
    assert run.run_command(parser, ["one"]) == 0 and capsys.readouterr().out == "text\n"
    with pytest.raises(SystemExit):
        run.run_command(parser, [])
    assert "What it is." in (text := capsys.readouterr().out) and "--version" in text

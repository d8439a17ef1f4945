"""The command, on problems that take no time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numba
import pytest
from threadpoolctl import threadpool_info

from numerics.__main__ import main
from numerics.bench import commands, growth, numpy_peer, tables, threads
from theory.interface.interrupts import INTERRUPTED


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    for sizes in ("FULL_BATCH", "SWEEP", "MINIBATCH"):
        monkeypatch.setattr(tables, sizes, [(4, 2, 10)])
    monkeypatch.setattr(tables, "SWEPT", ((0.5, 2.0), (0, 1)))
    monkeypatch.setattr(commands, "QUICK_ROUNDS", 1)
    monkeypatch.setattr(commands, "load", lambda names: {name: {"numpy": numpy_peer}.get(name) for name in names})


def test_text_states_machine_threads_and_who_is_missing(capsys):
    assert main(["bench", "--quick", "--threads", "1", "--only", "full_batch,minibatch"]) == 0
    text = capsys.readouterr().out
    assert "1 each for numba" in text
    assert f"numba {numba.__version__}" in text
    assert text.count("not installed") == 6
    assert text.count("agrees") == 4


def test_json_and_choice_of_peers(capsys):
    assert main(["bench", "--quick", "--only", "sweep", "--peers", "numpy", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["agree"] is True
    assert list(found["tables"]) == ["sweep"]
    assert found["tables"]["sweep"]["contestant"] == ["ours", "numpy"]
    assert found["tables"]["sweep"]["runs"] == [4, 4]
    assert max(found["tables"]["sweep"]["difference"]) < 1e-8


def test_a_table_without_problems_says_why(capsys):
    assert main(["bench", "--quick", "--only", "closed_form", "--peers", "numpy"]) == 0
    assert "closed_form\nall its problems are too large for --quick: leave it out" in capsys.readouterr().out


def test_disagreement_is_exit_code_1(capsys, monkeypatch):
    monkeypatch.setattr("numerics.bench.numpy_peer.LEARNING_RATE", 0.02)
    assert main(["bench", "--quick", "--only", "full_batch", "--peers", "numpy"]) == 1
    assert "differs" in capsys.readouterr().out


def test_an_interrupt_keeps_the_finished_tables(capsys, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(tables, "minibatch", interrupted)
    assert main(["bench", "--quick", "--only", "full_batch,minibatch", "--peers", "numpy", "--json"]) == 130
    assert list(json.loads(capsys.readouterr().out)["tables"]) == ["full_batch"]


@pytest.mark.parametrize(
    "argv", [["--only", "nothing"], ["--peers", "nobody"], ["--threads", "0"], ["--threads", "100000"]]
)
def test_bad_usage(capsys, argv):
    assert main(["bench", "--quick", *argv]) == 2
    assert argv[0] in capsys.readouterr().err


def test_threads_are_limited_and_restored():
    before = numba.get_num_threads(), [pool["num_threads"] for pool in threadpool_info()]
    pinned = []
    peer = type("Peer", (), {"pin": staticmethod(pinned.append)})
    with threads.limited_threads(1, [peer, object()]):
        assert numba.get_num_threads() == 1
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
        assert "1 each for numba" in threads.machine(1, ["numpy"])["threads"]
    assert pinned == [1]
    assert (numba.get_num_threads(), [pool["num_threads"] for pool in threadpool_info()]) == before


def test_the_other_commands_load_no_peer():
    check = "import sys, numerics.__main__; assert not {'torch', 'jax'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True, env=os.environ, timeout=120)


def test_growth_states_exponents_and_fails_by_a_surprise(capsys, monkeypatch):
    """By a clock of its own, since a busy machine bends times."""
    clock = [0.0]

    def passes(seconds):
        clock[0] += seconds
        return clock[0]

    def work(expected):
        return growth.Work("squares", "n", expected, (2, 4, 8), (1, 2, 4), lambda size: lambda: passes(size**2))

    monkeypatch.setattr(growth, "time", SimpleNamespace(perf_counter=lambda: passes(1e-3)))
    monkeypatch.setattr(commands, "RUNS", 8)
    for expected, code, word in ((2, 0, "as expected"), (1, 1, "more than expected")):
        monkeypatch.setattr(growth, "WORKS", (work(expected),))
        assert main(["bench", "--growth", "--json"]) == code
        found = json.loads(capsys.readouterr().out)
        assert found["growth"]["status"] == [word] and found["as_expected"] == (code == 0)
        assert found["growth"]["exponent"][0] == pytest.approx(2, abs=1e-3)
        assert found["parallel_efficiency"] > 0
    assert main(["bench", "--growth", "--quick"]) == 1
    assert "more than expected" in capsys.readouterr().out
    assert main(["bench", "--growth", "--threads", "1"]) == 2
    assert "--threads is not for --growth" in capsys.readouterr().err


def test_an_interrupt_keeps_the_growth_that_is_measured(capsys, monkeypatch):
    def interrupted(size):
        raise KeyboardInterrupt

    first = growth.Work("nothing", "n", 1, (1, 2, 4), (1, 2, 4), lambda size: lambda: None)
    monkeypatch.setattr(growth, "WORKS", (first, growth.Work("later", "n", 1, (1, 2, 4), (1, 2, 4), interrupted)))
    assert main(["bench", "--growth", "--json"]) == INTERRUPTED
    assert json.loads(capsys.readouterr().out)["growth"]["work"] == ["nothing"]

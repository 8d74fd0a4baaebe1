"""The face itself: help, version, usage errors, speed, pipes, plain terminals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
from cli_running import COMMAND, QUICK, environment, run_process

import neuroscope as package
from neuroscope.cli._group import build, catalogue

WANTED = {"look", "train", "predict", "generate", "judge", "trace", "words", "runs", "data"}
VERBS = sorted(WANTED)


def command_of(name: str):
    group = build()
    return group.get_command(None, name)


def test_all_commands_of_the_issue_are_there():
    assert set(catalogue.names()) == WANTED


@pytest.mark.parametrize("name", VERBS)
def test_each_command_and_each_option_has_help(name, neuroscope):
    done = neuroscope(name, "--help")
    assert done.code == 0
    command = command_of(name)
    assert command.help and command.get_short_help_str(66) in command.help.replace("\n", " ") + "."
    for parameter in command.params:
        assert parameter.help, f"{name}: {parameter.name} has no help"
        assert max([*parameter.opts, ""], key=len) in done.out or parameter.opts[0].islower()


def test_the_list_of_commands_fits_on_a_narrow_terminal(neuroscope):
    done = neuroscope("--help")
    assert done.code == 0
    listed = done.out.split("Commands:")[1].split()
    assert set(listed) >= WANTED
    assert "..." not in done.out.split("Commands:")[1]


def test_version(neuroscope):
    assert neuroscope("--version").out.strip() == f"neuroscope {package.__version__}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("trian", "iris"), "did you mean 'train'"),
        (("train", "iris", "--taget", "x"), "did you mean '--target'"),
        (("train", "iris", "--seed", "x"), "--seed"),
        (("train", "iris", "--seed", "-1"), "--seed"),
        (("train", "iris", "--budget", "soon"), "write 30s, 5m, 2h or none"),
        (("train", "iris", "--budget", "0s"), "give e.g. 30s or 5m"),
        (("train", "iris", "--epochs", "0"), "--epochs"),
        (("train", "iris", "--rungs", "nueron"), "did you mean 'neuron'"),
        (("train", "iris", "--task", "tabel"), "did you mean 'table'"),
        (("train", "iris", "--cost", "misses=3"), "false_positive"),
        (("train", "iris", "--recipe", "none.json"), "no such recipe file"),
        (("train",), "SOURCE"),
        (("train", "iris", "--resume", "x"), "SOURCE"),
        (("train", "--resume", "x"), "there are no runs yet"),
        (("train", "--resume", "x", "--seed", "1"), "leave --seed out"),
        (("train", "--resume", "x", "--show-recipe"), "leave --show-recipe out"),
        (("judge",), "MODEL"),
        (("predict", "model"), "SOURCE"),
        (("predict", "model.neuroscope", "iris"), "no such model"),
        (("predict", "nothing", "iris"), "no run 'nothing'"),
        (("data", "irs"), "did you mean 'iris'"),
        (("data", "-o", "iris.csv"), "name the data set"),
        (("data", "iris", "-o", "iris.doc"), "end it in .csv"),
        (("look", "irs"), "did you mean 'iris'"),
        (("look", "iris", "--schema", "none.json"), "no such schema file"),
        (("runs", "a", "--delete", "b"), "--delete"),
        (("runs", "--delete", "b"), "no run 'b'"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(neuroscope, arguments, said):
    done = neuroscope(*arguments)
    assert done.code == 2
    assert said in done.complaint
    assert done.out == ""
    as_json = neuroscope(*arguments, "--json")
    assert as_json.code == 2
    assert set(as_json.json) == {"error", "exit_code"}
    assert said in as_json.json["error"]
    assert as_json.json["exit_code"] == 2


def test_an_unexpected_error_is_one_line_and_debug_shows_the_traceback(neuroscope, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("neuroscope.verbs.data.data", broken)
    done = neuroscope("data")
    assert done.code == 1
    assert "ZeroDivisionError" in done.complaint
    assert "--debug" in done.complaint
    debugged = neuroscope("data", "--debug")
    assert debugged.code == 1
    assert "Traceback" in debugged.err


def test_debug_shows_where_an_input_error_came_from(neuroscope):
    assert "Traceback" in neuroscope("look", "nothing.csv", "--debug").err


def test_help_loads_nothing_heavy_and_is_quick():
    code = (
        "import sys\nfrom neuroscope.cli import main\nmain(['--help'])\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True,
                          text=True, check=True)  # fmt: skip
    loaded = done.stderr
    for heavy in ("numpy", "pyarrow", "duckdb", "numba", "torch", "sklearn", "scipy", "rich"):
        assert f"'{heavy}'" not in loaded, heavy
    spent = []
    for _ in range(7):
        began = time.perf_counter()
        subprocess.run([*COMMAND, "--help"], env=environment(), capture_output=True, check=True)
        spent.append(time.perf_counter() - began)
    assert min(spent) <= 0.3, spent


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_reader_that_goes_away_is_no_error(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*COMMAND, "data"], env=environment(), stdout=writer, text=True,
                          stderr=subprocess.PIPE, check=False, cwd=tmp_path)  # fmt: skip
    os.close(writer)
    assert done.returncode == 0
    assert done.stderr == ""


def test_completion_script_names_the_command():
    shell = {"SHELL": "/bin/bash", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = run_process(["--show-completion", "bash"], env=shell)
    assert done.code == 0
    assert "neuroscope" in done.out
    words = {"_NEUROSCOPE_COMPLETE": "complete_bash", "COMP_WORDS": "neuroscope tr",
             "COMP_CWORD": "1"}  # fmt: skip
    assert set(run_process([], env=words).out.split()) == {"train", "trace"}


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_output_fits_the_terminal_and_is_plain_in_a_pipe(columns, points_file):
    done = run_process(["train", str(points_file), *QUICK], env={"COLUMNS": str(columns)})
    assert done.code == 0
    assert "\x1b" not in done.out + done.err
    free = ("model ", "report ", "neuroscope ")  # paths and commands are not broken, to be copied
    for line in done.out.splitlines():
        assert len(line.rstrip()) <= columns or line.strip().startswith(free), line


def test_no_color_leaves_no_colour_on_a_terminal(points_file):
    script = (
        "import sys\nfrom rich import console\nfrom neuroscope.cli import _out, main\n"
        "_out.stdout = lambda: console.Console(force_terminal=True, highlight=False)\n"
        f"sys.exit(main(['look', {str(points_file)!r}, '--quiet']))"
    )
    colours = {}
    for name, more in (("plain", {"NO_COLOR": "1"}), ("coloured", {"TERM": "xterm-256color"})):
        env = {k: v for k, v in environment(**more).items() if k != "NO_COLOR" or more.get(k)}
        done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True,
                              text=True, check=True)  # fmt: skip
        colours[name] = any(f"\x1b[{extra}3{n}m" in done.stdout
                            for n in range(8) for extra in ("", "1;"))  # fmt: skip
    assert colours == {"plain": False, "coloured": True}


def test_json_goes_to_stdout_and_everything_else_to_stderr(points_file):
    done = run_process(["train", str(points_file), *QUICK, "--json"])
    assert done.code == 0
    json.loads(done.out)
    assert "neuron:" in done.err
    quiet = run_process(["train", str(points_file), *QUICK, "--json", "--quiet"])
    assert quiet.err == ""


def test_the_database_engine_prints_no_bar_of_its_own_to_stdout():
    from neuroscope.data.sources._sql import connect

    with connect() as connection:
        shown = connection.execute("SELECT current_setting('enable_progress_bar')").fetchone()
    assert shown == (False,)

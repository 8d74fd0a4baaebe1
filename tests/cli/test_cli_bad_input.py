"""Bad input, each kind once, as a user meets it: refused in one line, or set aside and told."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cli_running import QUICK, environment, points, points_csv, run_process, write_csv

ROWS = points(80)
HEADER = ["x1", "x2", "y"]


def replaced(column: int, value, every: int) -> list[list]:
    """Return the rows with `value` in one column of every so-manieth row."""
    return [[value if c == column and i % every == 0 else cell for c, cell in enumerate(row)]
            for i, row in enumerate(ROWS)]  # fmt: skip


def refused(neuroscope, file: Path, *more: str) -> str:
    """Train and look; return the line that refuses the file, which must name it."""
    done = neuroscope("train", file, *QUICK, *more)
    assert done.code == 2
    assert done.out == ""
    line = done.complaint
    assert line.startswith(str(file))
    as_json = neuroscope("train", file, *QUICK, *more, "--json")
    assert as_json.code == 2
    assert as_json.json == {"error": line, "exit_code": 2}
    assert not Path("runs").exists()  # nothing half-made is left behind
    return line


def taken(neuroscope, file: Path, *more: str) -> dict:
    """Train on the file and return the result."""
    done = neuroscope("train", file, *QUICK, *more, "--json")
    assert done.code == 0, done.err
    return done.json


def told(result: dict) -> str:
    """Return everything a result says about the data."""
    return json.dumps([result["findings"], result["dropped"], result["warnings"],
                       result["origin"]], ensure_ascii=False)  # fmt: skip


def test_empty_file(neuroscope, tmp_path):
    file = tmp_path / "empty.csv"
    file.touch()
    assert "the file is empty" in refused(neuroscope, file)


def test_header_only(neuroscope, tmp_path):
    file = write_csv(tmp_path / "header.csv", HEADER, [])
    assert "a header and no rows" in refused(neuroscope, file)


def test_one_class(neuroscope, tmp_path):
    file = write_csv(tmp_path / "one.csv", HEADER, replaced(2, "yes", 1))
    assert "every row says 'yes'" in refused(neuroscope, file)


def test_target_constant(neuroscope, tmp_path):
    file = write_csv(tmp_path / "constant.csv", HEADER, replaced(2, "3.5", 1))
    assert "every row says 3.5" in refused(neuroscope, file)
    looked = neuroscope("look", file, "--json")
    assert looked.code == 0
    assert any("every row says 3.5" in blocker for blocker in looked.json["blockers"])
    assert "every row says 3.5" in neuroscope("look", file).out.replace("\n   ", " ")


def test_target_all_missing(neuroscope, tmp_path):
    file = write_csv(tmp_path / "blank.csv", HEADER, replaced(2, "", 1))
    assert "all values are missing" in refused(neuroscope, file)


def test_target_not_there_and_misspelt(neuroscope, points_file):
    assert "columns: x1, x2, y" in refused(neuroscope, points_file, "--target", "price")
    assert "did you mean 'x1'?" in refused(neuroscope, points_file, "--target", "X1 ")
    assert "did you mean 'x2'?" in refused(neuroscope, points_file, "--drop", "x22")


@pytest.mark.parametrize("blank", ["", "NaN", "NA"])
def test_target_with_missing_values(neuroscope, tmp_path, blank):
    file = write_csv(tmp_path / "gaps.csv", HEADER, replaced(2, blank, 8))
    result = taken(neuroscope, file)
    rows = result["rows"]
    assert rows["train"] + rows["valid"] + rows["test"] == 70
    assert "10 rows without a target" in told(result)


def test_numeric_target_with_nan(neuroscope, tmp_path):
    rows = [[a, b, "nan" if i % 8 == 0 else a - b] for i, (a, b, _) in enumerate(ROWS)]
    result = taken(neuroscope, write_csv(tmp_path / "nan.csv", HEADER, rows))
    assert "10 rows without a target" in told(result)


def test_numeric_target_with_an_infinite_value(neuroscope, tmp_path):
    rows = [[a, b, "inf" if i == 7 else a - b] for i, (a, b, _) in enumerate(ROWS)]
    assert "infinite" in refused(neuroscope, write_csv(tmp_path / "inf.csv", HEADER, rows))


def test_a_column_all_missing(neuroscope, tmp_path):
    rows = [[a, b, "", y] for a, b, y in ROWS]
    result = taken(neuroscope, write_csv(tmp_path / "void.csv", ["x1", "x2", "x3", "y"], rows))
    assert [d["column"] for d in result["dropped"]] == ["x3"]
    assert "x3" in " ".join(result["warnings"])


@pytest.mark.parametrize("every", [3, 9, 40])
def test_mixed_types(neuroscope, tmp_path, every):
    file = write_csv(tmp_path / "mixed.csv", HEADER, replaced(0, "oops", every))
    result = taken(neuroscope, file)
    reasons = [column["reason"] for column in result["schema"]["columns"]]
    assert "oops" in told(result) + " ".join(reasons)
    assert "oops" in neuroscope("look", file).out


def test_infinite_numbers(neuroscope, tmp_path):
    file = write_csv(tmp_path / "inf.csv", HEADER, replaced(0, "inf", 9))
    assert "infinite" in told(taken(neuroscope, file))


def test_duplicate_headers(neuroscope, tmp_path):
    file = write_csv(tmp_path / "twice.csv", ["x", "x", "y"], ROWS)
    assert "'x' in columns 1 and 2" in refused(neuroscope, file)


def test_a_ragged_line_is_named(neuroscope, tmp_path):
    rows = [list(row) for row in ROWS]
    rows[40] += ["and", "more"]
    file = write_csv(tmp_path / "ragged.csv", HEADER, rows)
    assert refused(neuroscope, file).startswith(f"{file}, line 42: expected 3 columns, received 5")


def test_another_encoding_is_found_and_told(neuroscope, tmp_path):
    lines = ["größe,x2,y", *(f"{a},{b},{'süß' if y == 'yes' else 'herb'}" for a, b, y in ROWS)]
    file = tmp_path / "latin.csv"
    file.write_bytes("\n".join(lines).encode("cp1252"))
    result = taken(neuroscope, file)
    assert "encoding" in told(result) and "utf-8" not in told(result).lower()
    assert [c["name"] for c in result["schema"]["columns"]] == ["größe", "x2", "y"]


def test_binary_rubbish_as_csv(neuroscope, tmp_path):
    file = tmp_path / "rubbish.csv"
    file.write_bytes(random.Random(0).randbytes(4000))
    assert "binary or damaged" in refused(neuroscope, file)


def test_ten_thousand_categories(neuroscope, tmp_path):
    chance = random.Random(0)
    rows = [[f"c{i % 10_000}", chance.random(), chance.choice("ab")] for i in range(12_000)]
    file = write_csv(tmp_path / "many.csv", ["shop", "x", "y"], rows)
    result = taken(neuroscope, file)
    assert all(rung["status"] == "done" for rung in result["rungs"])
    assert result["rungs"][1]["parameters"] < 5_000


def test_five_rows(neuroscope, tmp_path):
    file = write_csv(tmp_path / "five.csv", HEADER, ROWS[:5])
    assert "at least 20 are needed" in refused(neuroscope, file)
    looked = neuroscope("look", file, "--json").json
    assert looked["rows"] == 5
    assert any("at least 20" in blocker for blocker in looked["blockers"])


@pytest.mark.slow
def test_five_thousand_columns(neuroscope, tmp_path):
    chance = random.Random(0)
    rows = [[*(round(chance.random(), 2) for _ in range(5_000)), y] for *_, y in ROWS[:40]]
    header = [*(f"f{i}" for i in range(5_000)), "y"]
    result = taken(neuroscope, write_csv(tmp_path / "wide.csv", header, rows))
    assert result["rungs"][1]["parameters"] > 5_000
    shown = neuroscope("look", tmp_path / "wide.csv").out
    assert "4,961 more columns" in shown


@pytest.mark.slow
def test_a_million_rows_in_bounded_memory(tmp_path):
    import duckdb

    file = tmp_path / "million.csv"
    numbers = ", ".join(f"round(random(), 8) AS f{i}" for i in range(28))
    words = "['red', 'green', 'blue'][1 + (range % 3)::INT] AS colour"
    label = "CASE WHEN random() < 0.5 THEN 'yes' ELSE 'no' END AS y"
    duckdb.sql(f"COPY (SELECT {numbers}, {words}, {label} FROM range(1000000)) TO '{file}'")
    assert file.stat().st_size > 300e6
    limit = ["--rungs", "majority,neuron", "--epochs", "1", "--budget", "3m", "--json"]
    script = (
        "import resource, sys\nfrom neuroscope.cli import main\n"
        f"code = main(['train', {str(file)!r}, *{limit!r}])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environment(), text=True,
                          capture_output=True, check=False, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sum(json.loads(done.stdout)["rows"][p] for p in ("train", "valid", "test")) == 10**6
    peak_bytes = 1024 * int(done.stderr.splitlines()[-1])
    assert peak_bytes < 2e9


def model_file(neuroscope, model: str) -> Path:
    """Return the path of a run's model."""
    return Path("runs") / model / "model.neuroscope"


def test_a_model_cut_in_half(neuroscope, model, points_file, tmp_path):
    whole = model_file(neuroscope, model).read_bytes()
    cut = tmp_path / "cut.neuroscope"
    for share in (0.5, 0.9, 0.01, 0):
        cut.write_bytes(whole[: int(share * len(whole))])
        done = neuroscope("predict", cut, points_file)
        assert done.code == 2
        assert done.complaint.startswith(str(cut))


def rewritten(path: Path, out: Path, name: str, change) -> Path:
    """Copy a model and change one of its parts."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            new.writestr(entry, change(data) if entry == name else data)
    return out


def test_a_model_that_was_edited(neuroscope, model, points_file, tmp_path):
    path = model_file(neuroscope, model)
    for name in zipfile.ZipFile(path).namelist():
        edited = rewritten(path, tmp_path / f"{name}.neuroscope", name,
                           lambda data: data.replace(b"1", b"2"))  # fmt: skip
        done = neuroscope("judge", edited, points_file)
        assert done.code == 2
        assert done.complaint.startswith(str(edited))


def test_a_model_of_a_newer_version(neuroscope, model, points_file, tmp_path):
    newer = rewritten(model_file(neuroscope, model), tmp_path / "newer.neuroscope", "card.json",
                      lambda data: data.replace(b'"format_version": 1', b'"format_version": 9')
                      )  # fmt: skip
    done = neuroscope("predict", newer, points_file)
    assert done.code == 2
    assert "newer Neuroscope" in done.complaint
    assert "upgrade with" in done.complaint


def test_a_file_that_is_no_model(neuroscope, points_file):
    done = neuroscope("predict", points_file, points_file)
    assert done.code == 2
    assert done.complaint.startswith(str(points_file))


def test_a_value_of_another_kind_in_a_new_file(neuroscope, model, tmp_path):
    file = write_csv(tmp_path / "new.csv", ["x1", "x2"], [[1, 2], ["much", 3]])
    done = neuroscope("predict", model, file)
    assert done.code == 2
    assert "'much'" in done.complaint and "'x1'" in done.complaint


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
@pytest.mark.parametrize("kilobytes", [0, 3, 12])
def test_a_full_disk_is_one_line(tmp_path, kilobytes):
    import resource

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * kilobytes, 1024 * kilobytes))

    file = points_csv(tmp_path / "points.csv", rows=400)
    done = run_process(["train", str(file), *QUICK, "--json"], preexec_fn=limited, cwd=tmp_path)
    assert done.code == 1, done.err
    assert ("another disk" if kilobytes else "temporary directory") in done.complaint
    assert done.json["exit_code"] == 1


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written(neuroscope, points_file, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    done = neuroscope("train", points_file, *QUICK, "--out", closed / "runs")
    assert done.code == 1
    assert "no permission" in done.complaint


def test_a_file_where_the_runs_folder_should_be(neuroscope, points_file):
    Path("blocked").write_text("")
    done = neuroscope("train", points_file, *QUICK, "--out", "blocked")
    assert done.code == 1
    assert "a file stands where a folder is needed" in done.complaint
    answers = neuroscope("data", "iris", "-o", "blocked/iris.csv")
    assert answers.code == 1
    assert "Traceback" not in answers.err


@pytest.mark.parametrize("option", [("--target", "y"), ("--budget", "1m"), ("--show-recipe",)])
def test_a_resumed_run_takes_no_options_of_a_new_one(neuroscope, option):
    found = neuroscope("train", "--resume", "some-run", *option)
    assert found.code == 2
    assert f"leave {option[0]} out" in found.err

"""Pictures on the command line: a folder in, words about pictures out."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from neuroscope.cli.views.ladder import ladder


@pytest.fixture
def pictures(tmp_path):
    """A folder of light and dark pictures, and a file that cannot be read."""
    random = np.random.default_rng(0)
    for kind, level in (("dark", 40), ("light", 180)):
        (tmp_path / "pics" / kind).mkdir(parents=True)
        for number in range(30):
            pixels = random.integers(level - 30, level + 30, (10, 10), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pics" / kind / f"{number:02}.png")
    (tmp_path / "pics" / "dark" / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\nxx")
    return tmp_path / "pics"


def plain(text: str) -> str:
    return " ".join(text.split())


def test_a_folder_goes_the_whole_way(neuroscope, pictures, tmp_path) -> None:
    looked = neuroscope("look", pictures)
    assert looked.code == 0, looked.err
    said = plain(looked.out)
    assert "60 pictures, 2 columns" in said
    assert "all 10 x 10 pixels" in said
    assert "light 30 light/00.png" in said
    assert "dark/cut.png" in said
    assert neuroscope("look", pictures, "--json").json["pictures"]["pictures"] == 60

    trained = neuroscope("train", pictures, "--rungs", "majority,neuron,convolution",
                         "--epochs", "2", "--sensitivity", "0.9", "--name", "light")  # fmt: skip
    assert trained.code == 0, trained.err
    said = plain(trained.out)
    assert "48 pictures to learn from and to compare on" in said
    assert "Test (12 pictures that no rung had seen, opened once)" in said
    assert "pictures that are 'light' (sensitivity" in said
    assert "NEW_FOLDER -o predictions.csv" in said
    assert "LABELLED_FOLDER" in said

    run = next(word for word in said.split() if word.endswith("-light"))
    out = tmp_path / "answers.csv"
    predicted = neuroscope("predict", run, pictures, "-o", out)
    assert predicted.code == 0, predicted.err
    assert "60 predictions of 'label' written to" in predicted.out
    assert "contact sheet written to" in predicted.out
    assert (tmp_path / "answers-sheet.jpg").stat().st_size > 1000
    assert out.read_text().splitlines()[0].startswith('"picture","prediction"')
    assert "1 file has no prediction" in plain(predicted.err)
    asked = neuroscope("predict", run, pictures, "--sheet", tmp_path / "s.png", "--json").json
    assert asked["sheet"] == str(tmp_path / "s.png")
    assert asked["predictions"][-1]["picture"] == "dark/cut.png"

    judged = neuroscope("judge", run, pictures, "--cost", "false_negative=5")
    assert judged.code == 0, judged.err
    said = plain(judged.out)
    assert "60 pictures with a true 'label'" in said
    assert "a picture. On these pictures" in said
    assert "(sensitivity" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--sensitivity", "2"), "sensitivity is 2"),
        (("--sensitivity", "0.9", "--cost", "false_negative=2"), "both a cost and a sensitivity"),
    ],
)
def test_what_makes_no_sense_is_one_line(neuroscope, pictures, arguments, words) -> None:
    done = neuroscope("train", pictures, *arguments)
    assert done.code == 2
    assert words in done.complaint


def test_long_titles_stay_on_one_line_at_80_columns() -> None:
    from rich.console import Console

    rungs = [
        {"name": name, "title": title, "value": 0.9, "interval": [0.85, 0.95], "status": "done",
         "parameters": 2_236_682, "seconds": 62.0, "yardstick": False}
        for name, title in (("a", "guessing"), ("b", "transfer learning (fine-tuned)"))
    ]  # fmt: skip
    result = {"metric": {"title": "balanced accuracy"}, "rungs": rungs, "chosen": "b"}
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(ladder(result, console))
    lines = console.export_text().splitlines()
    assert sum("transfer learning (fine-tuned)" in line for line in lines) == 1
    assert all(len(line) <= 80 for line in lines)
    assert any("2,236,682" in line and "62 s" in line for line in lines)

"""A model comes back as it was saved, or is refused with the reason; nothing in it is run."""

from __future__ import annotations

import json
import os
import random
import stat
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from neuroscope.base.errors import InputError, ModelError, StorageError
from neuroscope.runs import _container
from neuroscope.runs.artefact import load, save
from neuroscope.runs.card import Card

CARD = Card(
    task="table",
    target="Churn",
    learner="neuron",
    metrics={"roc_auc": np.float64(0.842), "r2": float("nan")},
    rows={"train": 10},
    limitations=("only rows of 2024",),
    intended_use="to rank customers",
)
WEIGHTS = {"w": np.arange(6, dtype=np.float32).reshape(2, 3).T, "b": np.float64(0.5)}
PARTS = {
    "encoder": {"columns": [{"name": "größe", "median": np.float32(0.5), "codes": np.arange(3)}]},
    "target": {"classes": ["no", "yes"]},
}


@pytest.fixture(params=["model", "model.neuroscope"])
def path(request, tmp_path) -> Path:
    """Save the model as a folder, then as a zip."""
    return save(tmp_path / "new" / request.param, CARD, WEIGHTS, PARTS).path


def files_of(path: Path) -> dict[str, bytes]:
    if path.is_dir():
        return {p.name: p.read_bytes() for p in path.iterdir()}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path: Path, files: dict[str, bytes]) -> None:
    """Put files in place of an artefact's, as someone with an editor would."""
    if path.is_dir():
        for old in path.iterdir():
            old.unlink()
        for name, data in files.items():
            (path / name).write_bytes(data)
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_model_comes_back_as_it_was_saved(path) -> None:
    model = load(path)
    assert model.path == path
    assert np.array_equal(model.weights["w"], WEIGHTS["w"])
    assert model.weights["w"].dtype == np.float32
    assert model.weights["b"].shape == ()
    assert model.parts == {
        "encoder": {"columns": [{"name": "größe", "median": 0.5, "codes": [0, 1, 2]}]},
        "target": {"classes": ["no", "yes"]},
    }
    assert model.card.metrics == {"roc_auc": 0.842, "r2": None}
    for field in ("task", "target", "learner", "created", "versions", "limitations", "rows"):
        assert getattr(model.card, field) == getattr(CARD, field)
    assert {"python", "numpy", "neuroscope"} <= set(model.card.versions)
    assert set(model.card.checksums) == {
        "card.json", "encoder.json", "target.json", "weights.safetensors",
    }  # fmt: skip


def test_the_same_model_is_the_same_bytes(tmp_path) -> None:
    one, two = (save(tmp_path / f"{n}.neuroscope", CARD, WEIGHTS, PARTS).path for n in "ab")
    assert one.read_bytes() == two.read_bytes()


def test_saving_again_replaces_the_model(path) -> None:
    save(path, CARD, {"w": np.ones(2)}, {})
    model = load(path)
    assert set(model.weights) == {"w"}
    assert model.parts == {}
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_folder_with_other_things_is_not_replaced(tmp_path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds other things than a model \('notes.txt'\)"):
        save(tmp_path, CARD, WEIGHTS, PARTS)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_json_cannot_hold_is_refused_by_name_before_anything_is_written(tmp_path) -> None:
    path = tmp_path / "m.neuroscope"
    for parts in ({"encoder": {"a": float("nan")}}, {"encoder": {"a": np.array([np.inf])}}):
        with pytest.raises(ValueError, match="part 'encoder'"):
            save(path, CARD, WEIGHTS, parts)
    for name in ("../x", "card", "", "a/b"):
        with pytest.raises(ValueError, match="cannot be called"):
            save(path, CARD, WEIGHTS, {name: {}})
    assert not path.exists()


def test_a_disk_that_refuses_keeps_the_previous_model(path, monkeypatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="the disk is full"):
            save(path, CARD, {"w": np.ones(2)}, {})
    assert set(load(path).weights) == {"w", "b"}
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_swap_that_fails_half_way_puts_the_previous_folder_back(tmp_path, monkeypatch) -> None:
    path = save(tmp_path / "model", CARD, WEIGHTS, PARTS).path
    rename, renamed = Path.rename, []

    def fail_second(self, target):
        renamed.append(target)
        if len(renamed) == 2:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_second)
    with pytest.raises(StorageError, match="Input/output error"):
        save(path, CARD, {"w": np.ones(2)}, {})
    assert set(load(path).weights) == {"w", "b"}


# ------------------------------------------------------------------------------ refusals


def test_a_newer_format_says_how_to_upgrade(path) -> None:
    files = files_of(path)
    record = json.loads(files["card.json"]) | {"format_version": 2}
    rewrite(path, files | {"card.json": json.dumps(record).encode()})
    said = refused(path)
    assert "made by a newer Neuroscope (format 2" in said
    assert "pip install -U neuroscope" in said


@pytest.mark.parametrize("name", ["encoder.json", "weights.safetensors", "card.json"])
def test_an_edited_file_is_named(path, name) -> None:
    files = files_of(path)
    edited = {
        "encoder.json": b'{"columns": []}',
        "weights.safetensors": files["weights.safetensors"][:-1] + b"\x01",
        "card.json": files["card.json"].replace(b"0.842", b"0.999"),
    }
    rewrite(path, files | {name: edited[name]})
    assert f"'{name}' was changed after the model was saved" in refused(path)


def test_a_card_with_another_layout_is_the_same_card(path) -> None:
    files = files_of(path)
    record = json.loads(files["card.json"])
    rewrite(path, files | {"card.json": json.dumps(record, sort_keys=True).encode()})
    assert load(path).card.target == "Churn"


@pytest.mark.parametrize("name", ["encoder.json", "weights.safetensors"])
def test_a_missing_part_is_named(path, name) -> None:
    files = files_of(path)
    del files[name]
    rewrite(path, files)
    assert f"the part '{name}' is missing" in refused(path)


def test_a_cut_zip_is_said_to_be_cut(tmp_path) -> None:
    path = save(tmp_path / "m.neuroscope", CARD, WEIGHTS, PARTS).path
    whole = path.read_bytes()
    for length in (len(whole) // 2, len(whole) - 1, 100):
        path.write_bytes(whole[:length])
        assert "the file is cut or damaged" in refused(path)


def test_a_cut_file_in_a_folder_is_named(tmp_path) -> None:
    path = save(tmp_path / "m", CARD, WEIGHTS, PARTS).path
    card = path / "card.json"
    card.write_bytes(card.read_bytes()[:50])
    assert "'card.json' is damaged: not JSON" in refused(path)


def test_what_is_no_model_is_said_to_be_none(tmp_path) -> None:
    table = tmp_path / "houses.csv"
    table.write_text("a,b\n1,2\n")
    assert "not a Neuroscope model" in refused(table)
    pickled = tmp_path / "model.pkl"
    pickled.write_bytes(b"\x80\x04\x95")
    assert "not a Neuroscope model" in refused(pickled)
    (tmp_path / "empty.neuroscope").write_bytes(b"")
    assert "not a Neuroscope model" in refused(tmp_path / "empty.neuroscope")
    assert "it has no card.json" in refused(tmp_path)
    rewrite(tmp_path / "other.zip", {"data.pkl": b"x"})
    assert "it has no card.json" in refused(tmp_path / "other.zip")
    assert "no such model; did you mean 'model.pkl'?" in refused(tmp_path / "modle.pkl")
    assert "no such model" in refused(tmp_path / "nowhere" / "m")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[]", "not a JSON object"),
        (b"[" * 100_000, "not JSON"),
        (b"{}", "its card names no format"),
        (b'{"format_version": "1"}', "its card names no format"),
        (b'{"format_version": 1, "task": "table", "target": "y"}', "has no 'learner'"),
        (
            b'{"format_version": 1, "task": ["table"], "target": "y", "learner": "n"}',
            "'task' is list, not str",
        ),
        (
            b'{"format_version": 1, "task": "t", "target": "y", "learner": "n"}',
            "'card.json' was changed",
        ),
        (
            b'{"format_version": 1, "task": "t", "target": "y", "learner": "n", "checksums": []}',
            "'checksums' is list",
        ),
    ],
)
def test_a_card_that_is_none(path, content, said) -> None:
    rewrite(path, files_of(path) | {"card.json": content})
    assert said in refused(path)


# ------------------------------------------------------------------------------ hostile files


@pytest.mark.parametrize(
    "name", ["../evil.json", "/etc/evil.json", "a/b.json", "C:\\evil.json", ".hidden.json"]
)
def test_a_zip_with_an_unsafe_name_is_refused(tmp_path, name) -> None:
    path = save(tmp_path / "m.neuroscope", CARD, WEIGHTS, PARTS).path
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "{}")
    assert "unsafe name" in refused(path)


def forged(path: Path, listed: str) -> None:
    """Let the card list another file, with all checksums right, as a forger would."""
    from neuroscope.runs import artefact

    record = json.loads(files_of(path)["card.json"])
    checksums = record["checksums"] | {listed: "0" * 64}
    record["checksums"] = {name: s for name, s in checksums.items() if name != "card.json"}
    record["checksums"]["card.json"] = artefact._card_sha256(record)
    rewrite(path, files_of(path) | {"card.json": json.dumps(record).encode()})


@pytest.mark.parametrize("name", ["../../secret.json", "/etc/passwd", "code.py", "model.pkl"])
def test_a_forged_card_reaches_no_file_outside(path, name) -> None:
    forged(path, name)
    assert "unsafe name" in refused(path)


def test_a_link_in_a_folder_is_refused(tmp_path) -> None:
    secret = tmp_path / "secret.json"
    path = save(tmp_path / "m", CARD, WEIGHTS, PARTS).path
    (path / "encoder.json").rename(secret)
    (path / "encoder.json").symlink_to(secret)
    assert "'encoder.json' is a link or no plain file; refused" in refused(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_a_pipe_in_a_folder_does_not_hang(tmp_path) -> None:
    path = save(tmp_path / "m", CARD, WEIGHTS, PARTS).path
    (path / "card.json").unlink()
    os.mkfifo(path / "card.json")
    assert "no plain file; refused" in refused(path)


def test_a_link_and_a_double_in_a_zip_are_refused(tmp_path) -> None:
    path = save(tmp_path / "m.neuroscope", CARD, WEIGHTS, PARTS).path
    link = zipfile.ZipInfo("link.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "'link.json' is a link; refused" in refused(path)
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(path, "w") as archive,
    ):
        archive.writestr("card.json", "{}")
        archive.writestr("card.json", "{}")
    assert "holds 'card.json' twice" in refused(path)


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path) -> None:
    path = tmp_path / "m.neuroscope"
    rewrite(path, {"card.json": b"0" * 20_000_000})
    assert path.stat().st_size < 50_000
    assert "refused as a zip bomb" in refused(path)


def test_more_bytes_than_any_model_are_refused(path, monkeypatch) -> None:
    monkeypatch.setattr(_container, "MAX_BYTES", 100)
    assert "refused" in refused(path)


def test_an_unknown_packing_is_refused(tmp_path) -> None:
    path = tmp_path / "m.neuroscope"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("card.json", "{}")
    assert "packed in an unknown way" in refused(path)


def test_any_damage_is_refused_or_harmless(tmp_path) -> None:
    """Overwrite, cut or insert bytes anywhere: what opens is the saved model, the rest refused."""
    path = save(tmp_path / "m.neuroscope", CARD, WEIGHTS, PARTS).path
    whole, draw = path.read_bytes(), random.Random(0)
    outcomes = Counter()
    for _ in range(3_000):
        start = draw.randrange(len(whole))
        removed, inserted = draw.choice([(1, 1), (1, 1), (2, 2), (0, 1), (3, 0)])
        path.write_bytes(whole[:start] + draw.randbytes(inserted) + whole[start + removed :])
        try:
            model = load(path)
        except ModelError:
            outcomes["refused"] += 1
        else:
            outcomes["harmless"] += 1
            assert np.array_equal(model.weights["w"], WEIGHTS["w"])
            assert model.parts["target"] == PARTS["target"]
            assert model.card.target == "Churn"
    assert outcomes["refused"] > 2_000

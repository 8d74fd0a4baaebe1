"""Pictures as pixels, encoded, aligned, audited, summed up and shown."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from picture_making import encoded, folder, pixels, png_header, save
from PIL import Image

from neuroscope.base.errors import InputError, ModelError, SchemaError, SourceError, StorageError
from neuroscope.base.events import Progress
from neuroscope.data.align import align
from neuroscope.data.audit import Finding, audit
from neuroscope.data.encoders import Encoder
from neuroscope.data.fingerprint import fingerprint
from neuroscope.data.images import duplicates
from neuroscope.data.images import facts as facts_module
from neuroscope.data.images.audit import suspects
from neuroscope.data.images.duplicates import near_twins, twins
from neuroscope.data.images.encoder import PixelEncoder
from neuroscope.data.images.facts import check, facts
from neuroscope.data.images.pixels import Pixels, channels_of, suggest_size
from neuroscope.data.images.sheet import contact_sheet
from neuroscope.data.images.summary import summary
from neuroscope.data.schema import Schema, infer_schema
from neuroscope.data.sources import read
from neuroscope.data.splits import plan_split
from neuroscope.data.table import Table
from neuroscope.data.task_kind import target_kind
from neuroscope.data.writing import write

ARRAYS = np.stack([pixels(i, 24, 24) for i in range(6)])


# Pixels


def test_files_and_arrays_give_the_same_pixels() -> None:
    for i, picture in enumerate(ARRAYS):
        Path(f"{i}.png").write_bytes(encoded(picture))
    files, arrays = Pixels(read(Path.cwd())), Pixels(read(ARRAYS))
    for size, channels in ((24, 3), (24, 1), (16, 3), (40, 1)):
        a, b = files.at(size, channels), arrays.at(size, channels)
        assert a.shape == (6, size, size, channels)
        assert a.dtype == np.uint8
        assert np.array_equal(a, b)
    assert np.array_equal(files.at(24, 3), ARRAYS)


def test_arrays_of_the_right_size_are_not_copied() -> None:
    assert np.shares_memory(Pixels(read(ARRAYS)).at(24, 3), ARRAYS)


def test_rows_crop_and_progress() -> None:
    folder("pets", each=3)
    table, seen = read("pets"), []
    whole = Pixels(table, monitor=seen.append).at(12, 3)
    assert [(e.done, e.total) for e in seen if isinstance(e, Progress)] == [(6, 6)]
    some = Pixels(table).at(12, 3, rows=np.array([4, 0]))
    assert np.array_equal(some, whole[[4, 0]])
    assert not np.array_equal(Pixels(table).at(12, 3, crop="centre"), whole)
    assert Pixels(table).at(12, 3, rows=np.array([], int)).shape == (0, 12, 12, 3)
    with pytest.raises(ValueError, match="2 channels"):
        Pixels(table).at(12, 2)


def test_transparent_arrays_lie_on_white() -> None:
    clear = np.zeros((2, 8, 8, 4), np.uint8)
    assert (Pixels(read(clear)).at(8, 3) == 255).all()


def test_the_cache_spares_the_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    folder("pets", each=3)
    table, cache = read("pets"), Path("cache")
    first = Pixels(table).at(12, 3, cache=cache)
    assert isinstance(first, np.memmap)
    assert [path.suffix for path in cache.iterdir()] == [".npy"]
    assert np.array_equal(first, Pixels(table).at(12, 3))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", lambda path: pytest.fail("decoded again"))
        assert np.array_equal(Pixels(table).at(12, 3, cache=cache), first)
    first[:] = 0  # copy on write: the file stays
    assert Pixels(table).at(12, 3, cache=cache).any()
    Pixels(table).at(12, 1, cache=cache)
    Pixels(table).at(12, 3, cache=cache, crop="centre")
    Pixels(table).at(12, 3, cache=cache, rows=np.array([1]))
    assert len(list(cache.iterdir())) == 4


def test_the_cache_sees_a_changed_file() -> None:
    folder("pets", each=2)
    table = read("pets")
    before = np.array(Pixels(table).at(12, 3, cache=Path("cache")))
    save("pets/cat/01.png", 999)
    os.utime("pets/cat/01.png", ns=(1, 1))
    after = Pixels(table).at(12, 3, cache=Path("cache"))
    assert [i for i in range(4) if not np.array_equal(before[i], after[i])] == [1]


def test_nothing_half_written_is_taken_for_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    folder("pets", each=2)
    table = read("pets")
    Path("pets/dog/01.png").write_bytes(b"")
    with pytest.raises(SourceError, match=r"pets, dog/01.png: the picture is empty"):
        Pixels(table).at(12, 3, cache=Path("cache"))
    assert list(Path("cache").iterdir()) == []
    Path("file").write_text("")
    with pytest.raises(StorageError, match="cannot be kept"):
        Pixels(read(ARRAYS)).at(12, 3, cache=Path("file/below"))


def test_an_archive_changed_in_place_is_seen() -> None:
    def pack(seed: int) -> None:
        with zipfile.ZipFile("a.zip", "w") as archive:
            archive.writestr("a/1.png", encoded(pixels(seed)))
            archive.writestr("b/2.png", encoded(pixels(7)))

    pack(1)
    cache = Path("cache")
    before, mark = (
        np.array(Pixels(read("a.zip")).at(12, 3, cache=cache)),
        fingerprint(read("a.zip")),
    )
    pack(2)
    assert not np.array_equal(Pixels(read("a.zip")).at(12, 3, cache=cache), before)
    assert fingerprint(read("a.zip")) != mark


# Facts


def test_facts() -> None:
    save("a/1.png", 1, height=20, width=30)
    Path("a/2.png").write_bytes(encoded(pixels(2, channels=1)))
    Path("a/3.bmp").write_bytes(encoded(np.full((9, 9, 3), 7, np.uint8), "BMP"))
    found = facts(read("a"))
    assert found.width.tolist() == [30, 32, 9]
    assert found.height.tolist() == [20, 24, 9]
    assert found.channels.tolist() == [3, 1, 1]  # the third is grey, stored as colours
    assert found.format.tolist() == ["PNG", "PNG", "BMP"]
    assert found.spread[2] == 0
    assert found.spread[0] > 0
    assert channels_of(found) == 3


def test_what_took_long_to_find_out_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEUROSCOPE_CACHE", str(tmp_path / "kept"))
    folder("pets", each=2)
    table = read("pets")
    assert not (tmp_path / "kept").exists()
    monkeypatch.setattr(facts_module, "_WORTH_KEEPING", -1)
    monkeypatch.setattr(facts_module, "_known", {})
    first = facts(table)
    monkeypatch.setattr(facts_module, "_known", {})  # as in a new process
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", lambda path: pytest.fail("read again"))
        second = facts(table)
    assert all(np.array_equal(a, b) for a, b in zip(vars(first).values(), vars(second).values(),
                                                    strict=True))  # fmt: skip
    (kept,) = (tmp_path / "kept/pictures").iterdir()
    kept.write_bytes(b"damaged")
    monkeypatch.setattr(facts_module, "_known", {})
    assert np.array_equal(facts(table).content, first.content)


def test_check_sees_what_broke_after_reading() -> None:
    folder("pets", each=2)
    table = read("pets")
    Path("pets/dog/00.png").write_bytes(png_header(64, 64))
    Path("pets/cat/01.png").unlink()
    (gone, broken) = check(table)
    assert gone == (1, "cat/01.png", "is not there")
    assert broken[:2] == (2, "dog/00.png")


def test_suggested_sizes() -> None:
    assert suggest_size(facts(read(ARRAYS))).pixels == 24
    big = facts(read(np.zeros((3, 300, 200), np.uint8)))
    assert suggest_size(big).pixels == 96
    assert suggest_size(big, most=224).pixels == 200
    mixed = replace(facts(read(ARRAYS)), width=np.array([24, 30, 40, 40, 50, 60]),
                    height=np.full(6, 50))  # fmt: skip
    assert suggest_size(mixed).pixels == 40


# Encoder


def learnt() -> tuple[Table, Schema]:
    folder("pets", each=4)
    table = read("pets")
    return table, infer_schema(table)


def test_encoder_scales_by_the_training_rows() -> None:
    table, schema = learnt()
    rows = np.array([0, 1, 5, 6])
    encoder, train = PixelEncoder.fit_transform(table, schema, rows, size=10)
    assert train.x.shape == (4, 300)
    assert train.x.dtype == np.float32
    channels = train.x.reshape(4, 100, 3)
    assert np.allclose(channels.mean(axis=(0, 1)), 0, atol=1e-5)
    assert np.allclose(channels.std(axis=(0, 1)), 1, atol=1e-5)
    raw = encoder.pictures(table, np.array([7])).astype(np.float64)
    expected = (raw - encoder.means) / encoder.scales
    assert np.allclose(
        encoder.transform(table, np.array([7])).x, expected.reshape(1, -1), atol=1e-5
    )
    assert encoder.names[7] == "pixel 1,3 green"
    assert len(encoder.names) == len(encoder.sources) == 300
    assert "10 x 10" in encoder.describe()["image"]


def test_encoder_as_json() -> None:
    table, schema = learnt()
    encoder = PixelEncoder.fit(table, schema, size=8, crop="centre")
    record = encoder.to_json()
    assert record["kind"] == "pixels"
    assert PixelEncoder.from_json(record) == encoder
    for change in ({"kind": "choice"}, {"means": [1.0]}, {"scales": [0.0] * 3}, {"crop": "round"},
                   {"channels": 2}, {"size": 0}, {"means": None}, {"more": 1}):  # fmt: skip
        with pytest.raises(ModelError, match="encoder of pictures"):
            PixelEncoder.from_json(record | change)


def test_encoder_chooses_grey_and_size_by_the_pictures() -> None:
    table = read((ARRAYS[..., 0], [0, 1] * 3))
    encoder = PixelEncoder.fit(table, infer_schema(table))
    assert (encoder.size, encoder.channels) == (24, 1)
    blank = read((np.zeros((3, 8, 8), np.uint8), [0, 1, 0]))
    assert PixelEncoder.fit(blank, infer_schema(blank)).scales == (1.0,)


def test_encoder_needs_pictures() -> None:
    table = read("iris")
    with pytest.raises(SchemaError, match="no feature holds pictures"):
        PixelEncoder.fit(table, infer_schema(table))
    pets, schema = learnt()
    encoder = PixelEncoder.fit(pets, schema, size=8)
    with pytest.raises(SchemaError, match="'image' is not there"):
        encoder.transform(table)


# In the rest of the house


def test_tables_leave_pictures_out() -> None:
    table = read({"image": ARRAYS, "n": [1.5, 2.5, 3.5, 1.0, 2.0, 9.0], "label": list("ababab")})
    schema = infer_schema(table)
    encoder = Encoder.fit(table, schema)
    assert encoder.columns == ("n",)
    assert "an image task" in encoder.skipped["image"]


def test_kind_image_may_be_asked_for_or_away() -> None:
    table = read({"image": ARRAYS, "label": list("ababab")})
    with pytest.raises(SchemaError, match="cannot be numeric"):
        infer_schema(table, overrides={"image": {"kind": "numeric"}})
    folder("pets", each=2)
    words = infer_schema(read("pets"), overrides={"image": {"kind": "categorical"}})
    assert words.columns[0].kind == "categorical"
    schema = infer_schema(table)
    assert Schema.from_json(schema.to_json()) == schema


def test_pictures_align_whatever_they_are_stored_as() -> None:
    table, schema = learnt()
    save("new/1.png", 1)
    fitted, notes = align(read("new"), schema)
    assert fitted.names == ["image"]
    assert notes == []
    arrays = read({"photo": ARRAYS, "n": [1] * 6})
    fitted, notes = align(arrays, schema)
    assert fitted.names == ["image"]
    assert "the pictures of column 'photo' are taken as 'image'" in notes
    encoder = PixelEncoder.fit(table, schema, size=8)
    assert encoder.transform(fitted).x.shape == (6, 192)
    with pytest.raises(SchemaError, match="columns are missing: 'image'"):
        align(read("iris"), schema)


def test_fingerprint_sees_the_content_of_files() -> None:
    folder("pets", each=3)
    folder("same/pets", each=3)
    mark = fingerprint(read("pets"))
    assert fingerprint(read("same/pets")) == mark
    Path("pets/cat/01.png").write_bytes(encoded(pixels(999)))
    assert fingerprint(read("pets")) != mark
    changed = ARRAYS.copy()
    changed[3, 5, 5, 0] ^= 1
    assert fingerprint(read(ARRAYS)) == fingerprint(read(ARRAYS.copy()))
    assert fingerprint(read(ARRAYS)) != fingerprint(read(changed))


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_arrays_can_be_written(ending: str) -> None:
    with Path(f"a{ending}").open("wb") as file:
        write(read((ARRAYS[..., 0], list(range(6)))).arrow, file, ending)
    assert Path(f"a{ending}").stat().st_size > 6 * 576


# Audit


def audited(table: Table) -> dict[str, Finding]:
    schema = infer_schema(table)
    kind = target_kind(table, schema).kind
    split = plan_split(table, schema, seed=0, task_kind=kind)
    return {one.code: one for one in audit(table, schema, split=split, task_kind=kind)}


def test_a_clean_folder_has_no_serious_findings() -> None:
    folder("pets", each=30)
    found = audited(read("pets"))
    assert set(found) <= {"summary", "picture-sizes", "few-rows"}
    assert "60 pictures of 32 x 24 pixels, stored as RGB; in colour" in found["picture-sizes"].what


def test_copies_and_their_labels() -> None:
    root = folder("pets", each=20)
    (root / "cat/copy.bmp").write_bytes(encoded(pixels(3), "BMP"))  # other bytes, same pixels
    (root / "dog/wrong.png").write_bytes((root / "cat/05.png").read_bytes())
    near = np.clip(pixels(7).astype(int) + 6, 0, 255).astype(np.uint8)
    (root / "cat/near.jpg").write_bytes(encoded(near, "JPEG", quality=90))
    found = audited(read("pets"))
    assert found["duplicate-pictures"].count == 2
    assert "such as cat/03.png and cat/copy.bmp" in found["duplicate-pictures"].what
    assert "such as cat/07.png and cat/near.jpg" in found["near-duplicates"].what
    assert found["duplicate-pictures"].names == ("cat/copy.bmp", "dog/wrong.png")
    assert found["conflicting-pictures"].names == ("cat/05.png", "dog/wrong.png")
    assert found["near-duplicates"].names == ("cat/near.jpg",)
    assert found["near-duplicates"].to_json()["names"] == ["cat/near.jpg"]


def test_copies_stay_on_one_side_unless_a_column_says_otherwise() -> None:
    root = folder("pets/train", each=20)
    folder("pets/test", each=5)  # the first five of each class again
    table = read("pets")
    found = audited(table)
    assert found["split-duplicates"].severity == "serious"
    assert found["split-duplicates"].count == 10
    assert all(name.startswith("test/") for name in found["split-duplicates"].names)
    for j in range(5):
        Path(f"pets/test/cat/{j:02}.png").unlink()
        small = Image.fromarray(pixels(1000 + j)).resize((80, 60), Image.Resampling.BICUBIC)
        Path(f"pets/test/dog/{j:02}.png").write_bytes(encoded(small))
    found = audited(read("pets"))
    assert "split-duplicates" not in found
    assert found["split-near-duplicates"].count == 5
    assert found["split-near-duplicates"].severity == "serious"
    for j in range(3):
        (root / f"cat/copy{j}.png").write_bytes((root / f"cat/{j:02}.png").read_bytes())
    drawn = read("pets/train")
    schema = infer_schema(drawn)
    split = plan_split(drawn, schema, seed=0, task_kind="binary")
    codes = twins(drawn)
    assert not set(codes[split.test]) & set(codes[split.development])
    assert any("never drawn apart" in note for note in split.notes)


def test_near_twins_across_the_split_are_found_through_copies() -> None:
    """The near twin of a picture whose first copy stands on the other side."""
    random = [pixels(i) for i in range(40)]
    like = np.clip(random[0].astype(int) + 5, 0, 255).astype(np.uint8)
    x = np.stack([random[0], like, random[0], *random[1:]])
    table = read({"image": x, "label": ["a", "b"] * 21, "split": ["test"] + ["train"] * 31
                  + ["test"] * 10})  # fmt: skip
    found = audited(table)
    assert 1 in found["split-duplicates"].rows
    pairs = near_twins(facts(table), twins(table))
    assert pairs.tolist() == [[0, 1]]


def test_near_twins_agree_with_all_pairs() -> None:
    random = np.random.default_rng(0)
    base = [pixels(i, 16, 16, 1) for i in range(60)]
    noisy = [
        np.clip(p + random.normal(0, 3 * (i % 4), p.shape), 0, 255) for i, p in enumerate(base)
    ]
    x = np.concatenate([np.stack(base), np.stack(noisy).astype(np.uint8)])
    table = read(x)
    codes, found = twins(table), facts(table)
    units = x.reshape(len(x), -1) - x.reshape(len(x), -1).mean(axis=1, keepdims=True)
    units = units / np.linalg.norm(units, axis=1, keepdims=True)
    alike = np.triu(units @ units.T >= 0.9985, 1)
    alike[codes[:, None] == codes] = False
    expected = {tuple(pair) for pair in np.argwhere(alike).tolist()}
    later = {i for i in range(len(x)) if codes[i] in codes[:i]}
    expected = {pair for pair in expected if not later & set(pair)}
    assert expected
    assert {tuple(pair) for pair in near_twins(found, codes).tolist()} == expected


def test_of_heaps_of_like_pictures_each_is_paired_with_its_nearest(monkeypatch) -> None:
    """All pairs of a camera that does not move would not fit in memory."""
    rng = np.random.default_rng(0)
    scene, others = rng.integers(10, 240, (24, 24)), rng.integers(0, 256, (40, 24, 24))
    heap = scene + rng.integers(-3, 4, (200, 24, 24))
    table = read(np.concatenate([heap, others]).astype(np.uint8))
    known = facts(table)
    every = near_twins(known, twins(table))
    assert len(every) == 200 * 199 / 2
    monkeypatch.setattr(duplicates, "_MOST_PAIRS", 1000)
    few = near_twins(known, twins(table))
    assert len(few) <= 200 * 24
    assert {tuple(pair) for pair in few.tolist()} <= {tuple(pair) for pair in every.tolist()}
    assert set(few.ravel().tolist()) == set(range(200))
    assert (few[:, 0] < few[:, 1]).all()


def test_odd_sizes_blank_pictures_and_lone_classes() -> None:
    root = folder("pets", each=20)
    (root / "cat/blank.png").write_bytes(encoded(np.full((24, 32, 3), 200, np.uint8)))
    save(root / "cat/tiny.png", 80, height=5, width=6)
    save(root / "dog/tall.png", 81, height=90, width=20)
    (root / "dog/huge.png").write_bytes(encoded(np.tile(pixels(82, channels=1), (1, 150))))
    (root / "dog/broken.png").write_bytes(png_header(64, 64))
    save(root / "emu/only.png", 83)
    found = audited(read("pets"))
    assert found["blank-pictures"].names == ("cat/blank.png",)
    assert found["tiny-pictures"].names == ("cat/tiny.png",)
    assert found["huge-pictures"].names == ("dog/huge.png",)
    assert set(found["mixed-shapes"].names) == {"dog/tall.png", "dog/huge.png"}
    assert found["single-picture-classes"].names == ("emu/only.png",)
    assert found["unreadable-pictures"].names == ("dog/broken.png",)
    assert found["rare-classes"].count == 1


def test_many_classes() -> None:
    x = np.stack([pixels(i, 8, 8, 1) for i in range(240)])
    table = read({"image": x, "label": [f"class {i % 120}" for i in range(240)]})
    schema = infer_schema(table)
    codes = {one.code for one in audit(table, schema, task_kind="multiclass")}
    assert "many-classes" in codes


def test_rows_of_a_table_without_a_picture_are_used_nowhere() -> None:
    for i in range(30):
        save(f"p/{i}.png", i)
    lines = [f"p/{i}.png,{'ab'[i % 2]}" for i in range(30)] + ["p/gone.png,a", "p/30.png,"]
    save("p/30.png", 30)
    Path("list.csv").write_text("path,label\n" + "\n".join(lines))
    table = read("list.csv")
    schema = infer_schema(table)
    split = plan_split(table, schema, seed=0, task_kind="binary")
    assert split.unused.tolist() == [30, 31]
    assert split.notes[:2] == (
        "used nowhere: 1 row whose picture cannot be read",
        "used nowhere: 1 row without a target",
    )
    found = audited(table)
    assert found["unreadable-pictures"].rows == (31,)


def test_suspect_labels_are_named() -> None:
    table, schema = learnt()
    rows, y = np.arange(8), np.array([0] * 4 + [1] * 4)
    sure = np.eye(2)[y] * 0.9 + 0.05
    assert suspects(table, schema, rows, y, sure, ["cat", "dog"]) is None
    many = np.tile(rows, 5)
    y, sure = np.tile(y, 5), np.tile(sure, (5, 1))
    y[3] = 1
    finding = suspects(table, schema, many, y, sure, ["cat", "dog"])
    assert finding is not None
    assert finding.names == ("cat/03.png",)
    assert finding.rows == (4,)
    assert "cat/03.png is labelled 'dog', looks like 'cat'" in finding.what


# Summary and contact sheet


def test_summary() -> None:
    root = folder("pets", each=3)
    (root / "cat/notes.txt").write_text("x")
    table = read("pets")
    told = summary(table, infer_schema(table))
    assert told is not None
    assert told["pictures"] == 6
    assert told["width"] == [32, 32, 32]
    assert told["formats"] == {"PNG": 6}
    assert told["channels"] == 3
    assert told["size"]["pixels"] == 24
    assert told["classes"][0] == {"label": "cat", "count": 3, "rows": [1, 2, 3],
                                  "names": ["cat/00.png", "cat/01.png", "cat/02.png"]}  # fmt: skip
    assert told["set_aside"] == [{"name": "cat/notes.txt", "reason": "is no picture"}]
    iris = read("iris")
    assert summary(iris, infer_schema(iris)) is None


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_contact_sheet(ending: str) -> None:
    folder("pets", each=3)
    table = read("pets")
    Path("pets/dog/02.png").write_bytes(b"")
    captions = ["cat\n0.93", "dog", "a very long caption " * 9, "", "é", "broken"]
    path = contact_sheet(table, range(6), captions, f"sheet.{ending}", columns=4, side=64)
    sheet = Image.open(path)
    assert sheet.size == (4 * 72 + 8, 2 * (72 + 28) + 8)
    shown = np.asarray(sheet.convert("RGB")).astype(int)
    first = np.asarray(Image.fromarray(pixels(0)).resize((64, 48), Image.Resampling.NEAREST))
    assert np.abs(shown[16:64, 8:72] - first).mean() < (1 if ending == "png" else 12)
    assert shown[74:90, 8:72].min() < 100  # the caption is there


def test_contact_sheet_refuses() -> None:
    table = read(ARRAYS)
    with pytest.raises(InputError, match=r"\.png or \.jpg"):
        contact_sheet(table, [0], ["a"], "sheet.pdf")
    with pytest.raises(InputError, match="1 pictures and 2 captions"):
        contact_sheet(table, [0], ["a", "b"], "sheet.png")


# Memory


@pytest.mark.slow
def test_decoding_many_pictures_keeps_memory_bounded() -> None:
    """20,000 pictures of 64 x 64 (246 MB decoded) through the cache take far less than that."""
    code = """
import resource, io, zipfile, sys
from pathlib import Path
import numpy as np
from PIL import Image
from neuroscope.data.images.pixels import Pixels
from neuroscope.data.sources import read
random = np.random.default_rng(0)
with zipfile.ZipFile("many.zip", "w") as archive:
    for i in range(20_000):
        file = io.BytesIO()
        coarse = Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        coarse.resize((64, 64)).save(file, "JPEG")
        archive.writestr(f"{i % 10}/{i}.jpg", file.getvalue())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
table = read("many.zip")
pixels = Pixels(table).at(64, 3, cache=Path("cache"))
assert pixels.shape == (20_000, 64, 64, 3), pixels.shape
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    root = Path(__file__).parents[3] / "src"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(root)}, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 120_000  # kB


def test_pictures_of_real_sets(shared_data: Path) -> None:
    clothing = read(str(shared_data / "clothing-photos/clothing_160.zip"))
    assert clothing.rows == 1430
    assert clothing.origin.set_aside == ()
    counts = clothing.arrow.column("split").combine_chunks().value_counts().to_pylist()
    assert {one["values"]: one["counts"] for one in counts} == {
        "train": 999, "validation": 186, "test": 245,
    }  # fmt: skip
    xrays = read(str(shared_data / "chest-xray-28/pneumonia_mnist_balanced.npz"))
    assert xrays.names == ["image", "label", "split"]
    assert isinstance(xrays.arrow.column("image").type, pa.FixedShapeTensorType)

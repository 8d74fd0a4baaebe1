"""Folders, zip archives, IDX files and arrays become tables; what is unusable is named."""

from __future__ import annotations

import gzip
import io
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from picture_making import encoded, folder, pixels, png_header, save

from neuroscope.base.errors import SchemaError, SourceError, TargetError
from neuroscope.base.events import Progress
from neuroscope.data.images.column import is_arrays
from neuroscope.data.images.facts import check
from neuroscope.data.images.store import Pictures
from neuroscope.data.schema import infer_schema
from neuroscope.data.sources import CATALOGUE, read
from neuroscope.data.table import Table
from neuroscope.data.task_kind import target_kind


def aside(table: Table) -> dict[str, str]:
    return dict(table.origin.set_aside)


def column(table: Table, name: str) -> list:
    return table.arrow.column(name).to_pylist()


def array(table: Table, name: str = "image") -> np.ndarray:
    values = Pictures(table, name).array
    assert values is not None
    return values


# Folders


def test_a_folder_of_classes() -> None:
    folder("pets", each=3)
    save("pets/dog/small/deep.jpg", 5, "JPEG")
    Path("pets/.DS_Store").write_text("x")
    Path("pets/cat/Thumbs.db").write_text("x")
    table = read("pets")
    assert table.names == ["image", "label"]
    assert column(table, "image")[:2] == ["cat/00.png", "cat/01.png"]
    assert column(table, "label") == ["cat"] * 3 + ["dog"] * 4
    assert table.origin.set_aside == ()
    schema = infer_schema(table)
    assert [(c.kind, c.role) for c in schema.columns] == [
        ("image", "feature"), ("categorical", "target"),
    ]  # fmt: skip


def test_first_level_may_name_the_parts() -> None:
    for part in ("Train", "val", "test"):
        folder(f"pets/{part}", each=2)
    save("pets/test/unknown.png", 9)
    table = read("pets")
    assert table.names == ["image", "label", "split"]
    assert set(column(table, "split")) == {"Train", "val", "test"}
    assert column(table, "label").count(None) == 1
    assert infer_schema(table).by_role("split") is not None


def test_parts_without_classes_are_no_classes() -> None:
    save("a/train/1.png", 1)
    save("a/test/2.png", 2)
    assert read("a").names == ["image", "split"]


def test_a_class_may_be_called_like_a_part() -> None:
    folder("a", ("test", "control"), each=1)
    assert column(read("a"), "label") == ["control", "test"]


def test_a_folder_around_everything_is_looked_through() -> None:
    folder("a/archive/pets", each=2)
    table = read("a")
    assert set(column(table, "label")) == {"cat", "dog"}
    assert "looked into the folder 'archive/pets'" in table.origin.notes


def test_a_flat_folder_gives_pictures_only() -> None:
    save("new/1.png", 1)
    save("new/2.jpg", 2, "JPEG")
    table = read("new")
    assert table.names == ["image"]
    with pytest.raises(SchemaError, match=r"pictures and no labels.*one subfolder a class"):
        infer_schema(table)


def test_what_cannot_be_used_is_set_aside_and_named() -> None:
    root = folder("pets", each=3)
    whole = encoded(pixels(50, 200, 200), "JPEG")
    (root / "cat/cut.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "cat/empty.png").write_bytes(b"")
    (root / "cat/notes.txt").write_text("not a picture")
    (root / "dog/page.jpg").write_text("<html>")
    (root / "dog/huge.png").write_bytes(png_header(100_000, 10_000))
    (root / "dog/really.png").write_bytes(encoded(pixels(51), "JPEG"))
    (root / "dog/noending").write_bytes(encoded(pixels(52), "WEBP"))
    table = read("pets")
    assert table.rows == 8
    told = aside(table)
    assert told.keys() == {
        "cat/cut.jpg", "cat/empty.png", "cat/notes.txt", "dog/page.jpg", "dog/huge.png",
    }  # fmt: skip
    assert "truncated" in told["cat/cut.jpg"]
    assert told["cat/empty.png"] == "is empty (0 bytes)"
    assert told["cat/notes.txt"] == "is no picture"
    assert told["dog/page.jpg"] == "is no picture, though it ends in .jpg"
    assert "more than 89,478,485 pixels" in told["dog/huge.png"]
    notes = " ".join(table.origin.notes)
    assert "set aside: 5 files: cat/empty.png is empty (0 bytes); " in notes
    assert "and 2 more" in notes
    assert "by content, not by ending: 1 file: dog/really.png is JPEG" in notes
    assert "dog/noending" in column(table, "image")
    assert check(table) == []


def test_links_out_of_the_folder_are_not_followed() -> None:
    root = folder("pets", each=2)
    save("outside/secret.png", 70)
    (root / "cat/out.png").symlink_to(Path("outside/secret.png").resolve())
    (root / "cat/in.png").symlink_to(Path("pets/dog/00.png").resolve())
    (root / "dog/all").symlink_to(Path("outside").resolve())
    (root / "dog/gone.png").symlink_to(Path("pets/nothing.png").resolve())
    os.mkfifo(root / "dog/pipe.png")
    table = read("pets")
    assert aside(table) == {
        "cat/out.png": "is a link out of the folder",
        "dog/all": "is a link to a folder, which is not followed",
        "dog/gone.png": "is no regular file",
        "dog/pipe.png": "is no regular file",
    }
    assert "cat/in.png" in column(table, "image")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_files_without_permission_are_named() -> None:
    root = folder("pets", each=2)
    (root / "cat/00.png").chmod(0)
    (root / "dog").chmod(0)
    try:
        assert set(aside(read("pets")).values()) == {
            "may not be read by you", "may not be opened by you",
        }  # fmt: skip
    finally:
        (root / "dog").chmod(0o755)


def test_reading_without_permission_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As above, also for root: the system refuses one file."""
    folder("pets", each=2)
    real = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "01.png" and path.parent.name == "cat":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert aside(read("pets")) == {"cat/01.png": "may not be read by you"}


def test_folders_without_pictures() -> None:
    Path("empty").mkdir()
    with pytest.raises(SourceError, match="a folder without pictures"):
        read("empty")
    Path("empty/a.jpg").write_bytes(b"")
    with pytest.raises(SourceError, match=r"no picture can be read: a.jpg is empty"):
        read("empty")
    Path("empty/a.jpg").write_bytes(encoded(pixels(1), "JPEG")[:400])
    with pytest.raises(
        SourceError, match=r"no picture can be read \(1 looked at\): a.jpg has a damaged"
    ):
        read("empty")


def test_masks_and_annotations_are_not_classes() -> None:
    save("cells/images/1.png", 1)
    save("cells/masks/1.png", 2)
    with pytest.raises(SourceError):
        read("cells")


def test_one_class_and_many_classes() -> None:
    folder("one", ("cat",), each=3)
    table = read("one")
    with pytest.raises(TargetError, match=r"'cat'.*one class"):
        target_kind(table, infer_schema(table))
    tiny = encoded(np.zeros((4, 4), np.uint8))
    pack("many.zip", {f"{i:05}/a.png": tiny for i in range(10_000)})
    table = read("many.zip")
    assert table.rows == 10_000
    with pytest.raises(TargetError, match="10,000 different words"):
        target_kind(table, infer_schema(table))


def test_sql_over_a_folder_and_progress() -> None:
    folder("pets", each=4)
    seen = []
    table = read("pets", sql="SELECT * FROM data WHERE label = 'dog'", monitor=seen.append)
    assert column(table, "image") == [f"dog/{j:02}.png" for j in range(4)]
    assert infer_schema(table, target="label").columns[0].kind == "image"
    assert [event.done for event in seen if isinstance(event, Progress)] == [4]


# Zip archives


def pack(path: str, entries: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def test_an_archive_is_read_in_place() -> None:
    good = {f"pets/{c}/{i}.png": encoded(pixels(i + 9 * (c == "dog")))
            for c in ("cat", "dog") for i in range(3)}  # fmt: skip
    odd = {
        "../../evil.png": encoded(pixels(30)), "/abs.png": encoded(pixels(31)),
        "pets/cat/cut.png": encoded(pixels(32))[:300], "pets/cat/empty.jpg": b"",
        "pets/readme.txt": b"hello", "__MACOSX/pets/cat/._1.png": b"junk",
    }  # fmt: skip
    pack("pets.zip", good | odd)
    before = set(Path().rglob("*"))
    table = read("pets.zip")
    assert set(Path().rglob("*")) == before
    assert column(table, "label") == ["cat"] * 3 + ["dog"] * 3
    told = aside(table)
    assert told.keys() == odd.keys() - {"__MACOSX/pets/cat/._1.png"}
    assert "leads out" in told["../../evil.png"]
    assert "leads out" in told["/abs.png"]
    with Pictures(table) as pictures:
        assert np.array_equal(np.asarray(pictures.image(4)), pixels(10))


def test_a_zip_bomb_is_refused_and_named() -> None:
    pack("bomb.zip", {"cat/a.png": encoded(pixels(1)), "cat/b.bmp": b"BM" + bytes(1 << 26)})
    with pytest.raises(
        SourceError, match=r"bomb.zip: this is a zip bomb: 'cat/b.bmp' would unpack"
    ):
        read("bomb.zip")
    blank = b"BM" + bytes(1 << 24)
    pack("many.zip", {f"cat/{i}.bmp": blank for i in range(4)})
    with pytest.raises(SourceError, match="zip bomb: its entries would unpack"):
        read("many.zip")


def test_an_entry_that_lies_about_its_size() -> None:
    """The stated size bounds what is unpacked, so a lie is found and costs no memory."""
    pack("pets.zip", {"cat/a.png": encoded(pixels(1)), "cat/b.bmp": b"BM" + bytes(1 << 22)})
    data = bytearray(Path("pets.zip").read_bytes())
    true = struct.pack("<I", (1 << 22) + 2)
    assert data.count(true) == 2
    Path("pets.zip").write_bytes(bytes(data).replace(true, struct.pack("<I", 100)))
    told = aside(read("pets.zip"))
    assert told.keys() == {"cat/b.bmp"}
    assert "cannot be unpacked" in told["cat/b.bmp"] or "is no picture" in told["cat/b.bmp"]


def test_damaged_foreign_and_encrypted_archives() -> None:
    pack("a.zip", {"cat/a.png": encoded(pixels(1)), "cat/b.png": encoded(pixels(2))})
    whole = Path("a.zip").read_bytes()
    Path("cut.zip").write_bytes(whole[:-40])
    with pytest.raises(SourceError, match="cannot be read as a zip archive"):
        read("cut.zip")
    pack("text.zip", {"a.txt": b"words"})
    with pytest.raises(SourceError, match="not a known kind of file"):
        read("text.zip")
    data = bytearray(whole)  # the flag "encrypted" of the second entry, in the directory
    at = data.rindex(b"PK\1\2") + 8
    data[at] |= 1
    Path("locked.zip").write_bytes(bytes(data))
    assert aside(read("locked.zip")) == {"cat/b.png": "is encrypted"}


# Tables of paths


def test_a_table_of_paths_beside_it() -> None:
    for i in range(6):
        save(f"set/pictures/{i}.png", i)
    lines = [f"pictures/{i}.png,{'ab'[i % 2]},{i}.5" for i in range(6)]
    lines += ["pictures/gone.png,a,7", ",b,8"]
    Path("set/list.csv").write_text("path,label,weight\n" + "\n".join(lines))
    table = read("set/list.csv")
    assert table.rows == 8  # rows of a table keep their numbers
    assert aside(table) == {
        "row 7: pictures/gone.png": "is not there",
        "row 8": "has no picture: the cell is empty",
    }
    schema = infer_schema(table, target="label")
    assert schema.columns[0].kind == "image"
    assert "pictures/0.png" in schema.columns[0].reason
    assert [row for row, *_ in check(table, "path")] == [6, 7]


def test_names_of_pictures_that_are_not_there_stay_words() -> None:
    Path("list.csv").write_text("path,y\n" + "\n".join(f"p/{i}.jpg,{i % 2}" for i in range(30)))
    (first, _) = infer_schema(read("list.csv"), target="y").columns
    assert first.kind == "identifier"
    assert "named like pictures, but there are none" in first.reason


def test_urls_and_odd_words_are_no_paths() -> None:
    words = ["http://x/a.png", "file:///etc/passwd", "a\0b", "x" * 5000, "two\nlines"]
    table = Table(pa.table({"w": words}), read({"a": [1, 2]}).origin)
    assert infer_schema(table, target="w").columns[0].kind != "image"


# Arrays


@pytest.mark.parametrize("names", [("x_{}", "y_{}", "valid"), ("{}_images", "{}_labels", "val")])
def test_arrays_in_parts(names: tuple[str, str, str]) -> None:
    x, y, valid = names
    parts = {}
    for i, part in enumerate(("train", valid, "test")):
        parts[x.format(part)] = np.stack([pixels(10 * i + j, channels=1) for j in range(4)])
        parts[y.format(part)] = np.arange(4)[:, None] % 2
    np.savez("a.npz", **parts)
    table = read("a.npz")
    assert table.names == ["image", "label", "split"]
    assert column(table, "label") == [0, 1] * 6
    assert column(table, "split") == ["train"] * 4 + ["valid"] * 4 + ["test"] * 4
    assert np.array_equal(array(table)[7, ..., 0], pixels(13, channels=1))


PIXELS = np.stack([pixels(i) for i in range(3)])


@pytest.mark.parametrize(
    ("x", "shown", "note"),
    [
        (PIXELS, PIXELS, ""),
        (np.moveaxis(PIXELS, 3, 1), PIXELS, "channels moved"),
        (PIXELS.astype(np.float32) / 255, PIXELS, "float32 from 0 to 1 read as 0 to 255"),
        (PIXELS.astype(np.float64), PIXELS, "float64 from 0 to 255"),
        (PIXELS.astype(np.int64), PIXELS, "int64"),
        (PIXELS[..., :1], PIXELS[..., :1], ""),
        (PIXELS[..., 0], PIXELS[..., :1], ""),
    ],
)
def test_kinds_of_arrays(x: np.ndarray, shown: np.ndarray, note: str) -> None:
    np.savez("a.npz", x=x)  # without labels, as for predicting
    table = read("a.npz")
    assert table.names == ["image"]
    assert np.array_equal(array(table), shown)
    assert note in " ".join(table.origin.notes)
    assert bool(note) == bool(table.origin.notes)


@pytest.mark.parametrize(
    "x", [PIXELS[..., 0] * 2.0, PIXELS - 0.5, np.zeros((3, 2, 6)), np.full((3, 8, 8), np.nan)]
)
def test_other_arrays_stay_numbers(x: np.ndarray) -> None:
    np.savez("a.npz", x=x, y=np.arange(3))
    assert "image" not in read("a.npz").names


def test_parts_of_different_sizes() -> None:
    np.savez("a.npz", x_train=PIXELS, y_train=[1, 2, 3], x_test=PIXELS[:, :8], y_test=[1, 2, 3])
    with pytest.raises(SourceError, match="different sizes"):
        read("a.npz")


def test_arrays_from_python_are_not_copied() -> None:
    for source in (PIXELS, (PIXELS, ["a", "b", "a"]), {"image": PIXELS, "label": ["a", "b", "a"]}):
        table = read(source)
        assert np.shares_memory(array(table), PIXELS)
        assert is_arrays(table.arrow.column("image").type)
    assert table.names == ["image", "label"]
    answer = read(source, sql="SELECT label, image AS picture FROM data WHERE label = 'a'")
    assert np.array_equal(array(answer, "picture"), PIXELS[[0, 2]])
    with pytest.raises(SourceError, match="holds no pictures"):
        read((PIXELS - 0.5, [1, 2, 3]))


def test_digits_as_pictures() -> None:
    table = read("digits-images")
    flat = read("digits")
    assert array(table).shape == (1797, 8, 8, 1)
    assert array(table).max() == 255
    assert column(table, "digit") == column(flat, "digit")
    assert np.array_equal(np.rint(array(table)[:, 0, 2, 0] / (255 / 16)), column(flat, "pixel_0_2"))


# IDX


def idx(values: np.ndarray) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + (
        values.tobytes()
    )  # fmt: skip


def test_idx_files() -> None:
    grey = np.ascontiguousarray(PIXELS[..., 0])
    Path("mnist").mkdir()
    Path("mnist/train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(grey)))
    Path("mnist/train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.uint8([3, 1, 2]))))
    Path("mnist/t10k-images.idx3-ubyte").write_bytes(idx(grey[:2]))
    Path("mnist/t10k-labels.idx1-ubyte").write_bytes(idx(np.uint8([1, 1])))
    table = read("mnist")
    assert sorted(zip(column(table, "label"), column(table, "split"), strict=True)) == [
        (1, "test"), (1, "test"), (1, "train"), (2, "train"), (3, "train"),
    ]  # fmt: skip
    assert array(table).shape == (5, 24, 32, 1)
    one = read("mnist/t10k-images.idx3-ubyte")
    assert one.names == ["image", "label"]
    assert np.array_equal(array(one)[..., 0], grey[:2])
    Path("mnist/t10k-labels.idx1-ubyte").unlink()
    assert read("mnist/t10k-images.idx3-ubyte").names == ["image"]
    assert column(read("mnist"), "label").count(None) == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (idx(PIXELS[..., 0])[:-5], "states 2,304 values and holds 2,299"),
        (idx(PIXELS[..., 0]) + b"x", "holds more"),
        (b"\0\0\x0d\3" + bytes(12), "does not start like IDX"),
        (b"\0\0\x08\3\0\0", "header is cut short"),
        (b"\0\0\x08\3" + b"\xff" * 12, "it states the shape"),
        (gzip.compress(idx(PIXELS[..., 0]))[:-20], "gzip file is cut short"),
    ],
)
def test_bad_idx_files(data: bytes, message: str) -> None:
    Path("train-images-idx3-ubyte").write_bytes(data)
    with pytest.raises(SourceError, match=message):
        read("train-images-idx3-ubyte")


def test_idx_labels_that_do_not_fit() -> None:
    Path("train-images-idx3-ubyte").write_bytes(idx(PIXELS[..., 0]))
    Path("train-labels-idx1-ubyte").write_bytes(idx(np.uint8([1])))
    with pytest.raises(SourceError, match="1 labels for the 3 pictures"):
        read("train-images-idx3-ubyte")


# All


def test_no_two_sources_accept_the_same() -> None:
    folder("pets", each=1)
    folder("digits", each=1)  # a folder with the name of a built-in set
    pack("pets.zip", {"a.png": encoded(pixels(1))})
    Path("mnist").mkdir()
    Path("mnist/train-images-idx3-ubyte").write_bytes(idx(PIXELS[..., 0]))
    save("mnist/preview.png", 1)
    np.savez("a.npz", x=PIXELS)
    for source in ("pets", "digits", "./digits", "pets.zip", "mnist", "a.npz", PIXELS,
                   "mnist/train-images-idx3-ubyte", "digits-images"):  # fmt: skip
        assert len([1 for module in CATALOGUE if module.accepts(source)]) == 1
    assert read("digits").rows == 1797
    assert read("./digits").rows == 2


def test_nothing_is_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    folder("pets", each=3)
    read("pets")
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} read again"))
    read("pets")


def test_png_header_maker_makes_a_png() -> None:
    """Else the refusal of large headers would be tested on something else."""
    from PIL import Image

    assert Image.open(io.BytesIO(png_header(20, 10))).size == (20, 10)


def test_tables_do_not_load_pillow() -> None:
    """Reading a table costs no more for pictures being possible."""
    code = (
        "import sys; from neuroscope.data.sources import read; from neuroscope.data.schema import"
        " infer_schema; t = read({'a': [1, 2], 'b': ['x', 'y']}); infer_schema(t);"
        " assert 'PIL' not in sys.modules; read('digits-images'); assert 'PIL' not in sys.modules"
    )
    root = Path(__file__).parents[3] / "src"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(root)}, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

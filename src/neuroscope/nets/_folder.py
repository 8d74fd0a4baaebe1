"""The files of a pretrained net: a local folder, or the hub's copy of a name; never a pickle."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neuroscope.base.errors import MissingExtraError, ModelError

CONFIG, PROCESSOR = "config.json", "preprocessor_config.json"
TOKENIZER = "tokenizer.json"
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack")
LAYOUT = f"{CONFIG}, {WEIGHTS} and {PROCESSOR}"


def find(name: str | Path, besides: tuple[str, ...] = (PROCESSOR,)) -> Path:
    """Return the folder of a local net, or of the hub's net `name` (downloaded when not cached).

    A name that is neither, or a hub that cannot be reached, is a ModelError that says what to do.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_file() or not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", str(name)):
        raise ModelError(
            "no folder of a pretrained net", where=str(name), remedy=f"give a folder with {LAYOUT}"
        )
    return _from_hub(str(name), besides)


def _from_hub(name: str, besides: tuple[str, ...]) -> Path:
    """Return the folder in the hub's cache; what is cached already is not asked for again."""
    get = _fetcher(name)
    try:
        config = get(CONFIG, True) or get(CONFIG, False)
        if config is None:
            raise OSError(f"it has no {CONFIG}")
        local = get(WEIGHTS, True) is not None or get(INDEX, True) is not None
        if not local and get(WEIGHTS, False) is None:
            _shards(get, get(INDEX, False))
        for extra in (*besides, "README.md"):
            if get(extra, True) is None:
                get(extra, local)  # asked of the hub only when the weights came from there too
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(". ")
        raise ModelError(
            f"backbone {name!r} is no folder here, not in the local cache, and could not be "
            f"downloaded ({reason})",
            remedy=f"on a machine with internet access download {LAYOUT} from "
            f"https://huggingface.co/{name}, put them into one folder and give that folder",
        ) from error
    return Path(config).parent


def _fetcher(name: str) -> Callable[[str, bool], str | None]:
    try:
        from transformers.utils.hub import cached_file  # noqa: PLC0415 - optional package
    except ImportError as error:
        raise MissingExtraError("transformers", "transfer") from error

    def get(file: str, local: bool) -> str | None:
        return cached_file(
            name,
            file,
            local_files_only=local,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=not local,
        )

    return get


def _shards(get: Callable[[str, bool], str | None], index: str | None) -> None:
    if index is not None:
        for file in sorted(set(json.loads(Path(index).read_text("utf-8"))["weight_map"].values())):
            get(file, False)


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a folder; none, or pickles only, is a ModelError."""
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if (folder / INDEX).is_file():
        names = sorted(set(read_json(folder, INDEX).get("weight_map", {}).values()))
        outside = [name for name in names if Path(name).name != name]
        if outside:
            raise ModelError(f"{INDEX} points out of the folder: {outside[0]}", where=str(folder))
        gone = [name for name in names if not (folder / name).is_file()]
        if names and not gone:
            return [folder / name for name in names]
        raise ModelError(
            f"weight files are missing: {', '.join(gone) or 'none is named'}",
            where=str(folder),
            remedy="download the folder again",
        )
    pickles = sorted(path.name for kind in PICKLES for path in folder.glob(kind))
    if pickles:
        raise ModelError(
            f"the weights are in {pickles[0]}, a format that can run code when it is opened",
            where=str(folder),
            remedy=f"take a version with {WEIGHTS}, which holds numbers only",
        )
    raise ModelError("no weights here", where=str(folder), remedy=f"give a folder with {LAYOUT}")


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """Return the JSON object of a file in the folder; anything else is a ModelError."""
    try:
        record = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(
            f"there is no {name}", where=str(folder), remedy=f"give a folder with {LAYOUT}"
        ) from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{name} is not JSON ({error})", where=str(folder)) from error
    if not isinstance(record, dict):
        raise ModelError(f"{name} is not one JSON object", where=str(folder))
    return record


def sha256(path: Path) -> str:
    """Return the checksum of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def licence(folder: Path) -> str:
    """Return the licence as the README states it (front matter, or a line), "" when it does not."""
    try:
        text = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    said = re.search(r"^\W*licen[cs]e\b\W*(\S.*)$", text, re.IGNORECASE | re.MULTILINE)
    return said[1].strip().strip("*\"' ")[:200] if said else ""

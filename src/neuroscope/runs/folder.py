"""The run folder: everything a run leaves on disk, so it can be watched, resumed and deleted.

runs/20260314-092653-iris/
├── run.json                 name, time of creation, how the run ended
├── recipe.json, result.json what was chosen and what came out
├── events.jsonl             one event a line, as it happened
├── checkpoint.safetensors   state and arrays of the unfinished work, in one file
├── model.neuroscope         the model artefact
└── report.html
"""

from __future__ import annotations

import json
import os
import re
import weakref
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np

from neuroscope.base.errors import InputError, Interrupted, did_you_mean
from neuroscope.base.events import Event, RunFinished, from_json, to_json
from neuroscope.base.plain import plain
from neuroscope.base.version import __version__
from neuroscope.runs import _lock
from neuroscope.runs.disk import drafts, json_bytes, storing, write_atomic
from neuroscope.runs.tensors import pack, unpack

Status = Literal["running", "finished", "interrupted", "failed"]
_NAME_LENGTH = 80  # characters; file systems allow 255 bytes


class RunFolder:
    """One run on disk; as a context manager it is locked and records how the run ended.

    One process writes a run at a time. Reading (`events`, `read_json`, `status`) needs no lock
    and may happen while the run is going on.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._close_events: weakref.finalize | None = None
        self._events = -1  # descriptor of events.jsonl, opened at the first event
        self._lock: int | None = None

    @classmethod
    def create(cls, root: Path, name: str) -> RunFolder:
        """Make the folder `root/<UTC time>-<name>/`; each call makes a new one.

        Raises StorageError when the folder cannot be made.
        """
        now = datetime.now(UTC)
        stem = f"{now:%Y%m%d-%H%M%S}-{_slug(name)}"
        path = _make_new(Path(root), stem)
        run = cls(path)
        run.write_json(
            "run.json",
            {
                "name": name,
                "created": now.isoformat(timespec="milliseconds"),
                "neuroscope_version": __version__,
            },
        )
        return run

    @classmethod
    def open(cls, path_or_name: str | Path, root: Path) -> RunFolder:
        """Open a run by its path or by its folder name under `root`.

        Raises InputError, with the nearest name, when there is no such run.
        """
        for path in (Path(root) / path_or_name, Path(path_or_name)):
            if is_run(path):
                return cls(path)
        names = sorted(run.name for run in Path(root).glob("*") if is_run(run))
        asked = Path(path_or_name).name
        short = {name.split("-", 2)[-1]: name for name in names}
        hint = did_you_mean(asked, names)
        if not hint and asked in short:
            hint = f"did you mean {short[asked]!r}?"
        remedy = hint or (f"the newest run is {names[-1]!r}" if names else "there are no runs yet")
        raise InputError(f"no run {str(path_or_name)!r}", where=str(root), remedy=remedy)

    @property
    def name(self) -> str:
        """The folder's name, by which `open` finds it."""
        return self.path.name

    @property
    def model(self) -> Path:
        """Where the model artefact lies."""
        return self.path / "model.neuroscope"

    @property
    def report(self) -> Path:
        """Where the HTML report lies."""
        return self.path / "report.html"

    @property
    def lost(self) -> tuple[str, ...]:
        """Names of the files that a finished run cannot do without, and that are not there."""
        needed = (self.path / "result.json", self.model)
        return tuple(path.name for path in needed if not path.exists())

    @property
    def status(self) -> Status:
        """How the run stands; a run whose process is gone without a word is "interrupted"."""
        if _lock.held(self.path / ".lock"):
            return "running"
        ended = self.read_json("run.json").get("status")
        if ended:
            return ended
        return (
            "finished" if any(isinstance(e, RunFinished) for e in self.events()) else "interrupted"
        )

    def __enter__(self) -> Self:
        """Lock the run for this process; raises InputError when another process works on it."""
        with storing(self.path):
            self._lock = _lock.acquire(self.path / ".lock")
            if self._lock is None:
                raise InputError(
                    "this run is being worked on by another process",
                    where=str(self.path),
                    remedy="wait for it or stop it",
                )
            for draft in drafts(self.path):
                draft.unlink()
        self._record(None, "")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Record how the run ended and unlock it; an exception goes on its way."""
        try:
            if error is None:
                self._record("finished", "")
            elif isinstance(error, Interrupted | KeyboardInterrupt):
                self._record("interrupted", str(error))
            else:
                self._record("failed", f"{str(error) or type(error).__name__}")
        except Exception:
            if error is None:  # else the error that ended the run is the one to hear about
                raise
        finally:
            self.close()
            if self._lock is not None:
                _lock.release(self._lock)
                self._lock = None

    def _record(self, status: Status | None, message: str) -> None:
        record = self.read_json("run.json")
        now = datetime.now(UTC).isoformat(timespec="milliseconds") if status else None
        self.write_json("run.json", record | {"status": status, "message": message, "ended": now})

    def monitor(self, event: Event) -> None:
        """Append an event to `events.jsonl`; once this returns, a killed process loses it not."""
        line = json.dumps(to_json(event), ensure_ascii=False, allow_nan=False, default=plain)
        data = (line + "\n").encode()
        path = self.path / "events.jsonl"
        with storing(path):
            if self._close_events is None:
                self._events = _open_to_append(path)
                self._close_events = weakref.finalize(self, os.close, self._events)
            while data:
                data = data[os.write(self._events, data) :]

    def close(self) -> None:
        """Let go of `events.jsonl`; a later event opens it again."""
        if self._close_events is not None:
            self._close_events()
            self._close_events = None

    def events(self) -> Iterator[Event]:
        """Yield the events so far; half-written lines and kinds unknown here are passed over."""
        try:
            file = (self.path / "events.jsonl").open("rb")
        except FileNotFoundError:
            return
        with file:
            for line in file:
                event = _parse_event(line)
                if event is not None:
                    yield event

    def write_json(self, name: str, record: Mapping[str, Any]) -> Path:
        """Write a record atomically; NumPy values are taken, non-finite numbers become null."""
        path = self.path / name
        write_atomic(path, json_bytes(plain(record)))
        return path

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a record; one that is missing or damaged is an InputError that names it."""
        path = self.path / name
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise InputError("the run has no such record", where=str(path)) from error
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"the record is damaged: {error}", where=str(path)) from error
        if not isinstance(record, dict):
            raise InputError("the record is damaged: not a JSON object", where=str(path))
        return record

    def checkpoint(
        self,
        state: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray],
        name: str = "checkpoint",
    ) -> Path:
        """Save state and arrays as one file in one step: killed at any moment, one whole is left.

        The state is any JSON, with inf and nan allowed; arrays keep dtype and shape bit for bit.
        """
        path = self.path / f"{name}.safetensors"
        write_atomic(path, pack(arrays, {"state": json.dumps(state)}))
        return path

    def restore(self, name: str = "checkpoint") -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the (state, arrays) of the last checkpoint; InputError when there is none."""
        path = self.path / f"{name}.safetensors"
        try:
            arrays, metadata = unpack(path.read_bytes())
            return json.loads(metadata["state"]), arrays
        except FileNotFoundError as error:
            raise InputError(
                "the run has no checkpoint", where=str(path), remedy="start a new run"
            ) from error
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"the checkpoint is damaged: {error}", where=str(path), remedy="start a new run"
            ) from error

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"


def is_run(path: Path) -> bool:
    """Say whether a run wrote this folder, be it whole or damaged."""
    return (path / "run.json").is_file() or (path / "events.jsonl").is_file()


def _slug(name: str) -> str:
    """Return `name` as a part of a file name on every system."""
    return re.sub(r"[^\w.]+", "-", name)[:_NAME_LENGTH].strip("-.") or "run"


def _make_new(root: Path, stem: str) -> Path:
    with storing(root):
        root.mkdir(parents=True, exist_ok=True)
        path, number = root / stem, 1
        while True:
            try:
                path.mkdir()
                return path
            except FileExistsError:
                number += 1
                path = root / f"{stem}-{number}"


def _open_to_append(path: Path) -> int:
    """Open for appending and end a line that a killed process left half-written."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    end = os.fstat(descriptor).st_size
    if end:
        os.lseek(descriptor, end - 1, os.SEEK_SET)
        if os.read(descriptor, 1) != b"\n":
            os.write(descriptor, b"\n")
    return descriptor


def _parse_event(line: bytes) -> Event | None:
    try:
        record = json.loads(line)
        return from_json(record) if isinstance(record, dict) else None
    except (ValueError, TypeError):
        return None

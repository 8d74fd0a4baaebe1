"""Generate: a trained model writes, from a prompt or from nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroscope.base.errors import InputError, StorageError
from neuroscope.base.events import Monitor, WarningRaised, ignore
from neuroscope.runs.disk import write_atomic
from neuroscope.tasks._writing.model import TextModel
from neuroscope.verbs.load import load

LENGTH = 500  # tokens that a text goes on for
Tell = Callable[[int, str], None]  # which text goes on, and with what


@dataclass(frozen=True, kw_only=True)
class GenerateOptions:
    """How a model is to write."""

    prompt: str = ""
    count: int = 1  # texts
    length: int = LENGTH  # tokens that each goes on for, at most
    temperature: float = 0.8  # below 1: more of the likely; 0: the likeliest, always the same
    top_k: int = 0  # only the k likeliest tokens; 0 is all
    top_p: float = 1.0  # only the likeliest that have this probability together; 1 is all
    seed: int = 0
    out: str | None = None  # folder for one file a text


def generate(
    model: str | Path,
    options: GenerateOptions | None = None,
    *,
    tell: Tell | None = None,
    monitor: Monitor = ignore,
) -> dict[str, Any]:
    """Return the texts that a model writes; `tell` hears them grow, one token at a time.

    `monitor` hears the notes before anything is written.
    Raises InputError for a model that does not write and for options out of range.
    """
    from neuroscope.nets.sampling import Sampling  # noqa: PLC0415 - imports torch

    options = options or GenerateOptions()
    sampling = Sampling(options.temperature, options.top_k, options.top_p)
    there = load(model)
    if not isinstance(there, TextModel):
        raise InputError("this model does not write", where=str(model),
                         remedy="it answers for rows: use `neuroscope predict`")  # fmt: skip
    notes = _notes(there, options.prompt)
    for note in notes:
        monitor(WarningRaised(message=note))
    texts = [options.prompt] * options.count
    grow = tell or (lambda row, part: None)  # noqa: ARG005 - nobody listens
    for row in range(options.count):
        grow(row, options.prompt)
    for parts in there.write(options.prompt, count=options.count, length=options.length,
                             sampling=sampling, seed=options.seed):  # fmt: skip
        for row, part in enumerate(parts):
            texts[row] += part
            if part:
                grow(row, part)
    return {
        "model": str(there.artefact.path), "rung": there.artefact.card.learner,
        "prompt": options.prompt, "temperature": options.temperature, "top_k": options.top_k,
        "top_p": options.top_p, "seed": options.seed, "length": options.length, "notes": notes,
        "texts": texts, "files": _saved(texts, options.out),
    }  # fmt: skip


def _notes(model: TextModel, prompt: str) -> list[str]:
    """Say which characters of the prompt the model does not know, and what is done about them."""
    strange = model.unknown(prompt)
    if not strange:
        return []
    shown = " ".join(f"{sign!r}" for sign in strange[:20])
    more = " …" if len(strange) > 20 else ""
    return [f"the training text never had {shown}{more}: the model passes over them in the prompt"]


def _saved(texts: list[str], out: str | None) -> list[str]:
    """Write each text into a file of a folder; StorageError where that cannot be done."""
    if out is None:
        return []
    folder, digits = Path(out), len(str(len(texts)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"the folder cannot be made: {error.strerror}", where=out,
                           remedy="choose another one") from error  # fmt: skip
    files = []
    for number, text in enumerate(texts, 1):
        path = folder / f"text-{number:0{digits}}.txt"
        write_atomic(path, text.encode("utf-8", "replace"))
        files.append(str(path))
    return files

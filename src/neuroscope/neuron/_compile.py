"""How the core is compiled: once a machine, cached, and said out loud when it happens."""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import numba
from numba.core import config, event

from neuroscope.base import collector, settings

Function = TypeVar("Function", bound=Callable[..., Any])

# Sums may be reordered and multiply-adds fused, which the vector unit needs; "nnan" and "ninf"
# are left out on purpose, so that a loss that is not finite stays visible.
_FASTMATH = {"reassoc", "contract", "arcp", "nsz", "afn"}
_PARTS = {
    "units": "single neurons",
    "skipgram": "word vectors",
}  # what a module's functions serve, all others networks
_OPTIONS: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": _FASTMATH,
    "no_cfunc_wrapper": True,  # the door for C programs: nobody uses it, and it takes time
}
_FOLDER = "CACHE_DIR"  # the name of Numba's setting; it is read when a function is decorated


@functools.cache
def cache_folder() -> Path:
    """Return the folder of compiled code, named after the text of the whole core.

    Numba checks only the file of a cached function, not the files of those it calls; a folder a
    text makes any change of the core compile anew.
    """
    text = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    name = f"{hashlib.sha256(text).hexdigest()[:12]}-numba{numba.__version__}"
    return settings.cache_folder() / "compiled" / name


def compiled(function: Function) -> Function:
    """Compile `function` at its first call with each set of types; later processes load it."""
    return _jit(function, inline="never")


def compiled_into_caller(function: Function) -> Function:
    """Compile like `compiled`, but as part of each compiled caller.

    A function that is compiled on its own is optimised again within each caller; for the large
    ones with a single caller that would double the wait at first use.
    """
    return _jit(function, inline="always")


def _jit(function: Function, *, inline: Literal["never", "always"]) -> Function:
    before = getattr(config, _FOLDER)
    setattr(config, _FOLDER, str(cache_folder()))
    try:
        jit = numba.njit(inline=inline, **_OPTIONS)
        return cast(Function, jit(function))
    finally:
        setattr(config, _FOLDER, before)


class _Announcer(event.Listener):
    """Says once for each part of the core and precision that compiling it takes its time.

    The garbage collector rests meanwhile.
    """

    def __init__(self) -> None:
        self.said: set[str] = set()

    def on_start(self, event: Any) -> None:
        collector.rest()
        function = getattr(event.data.get("dispatcher"), "py_func", None)
        module = getattr(function, "__module__", "")
        precision = _precision(event.data.get("args", ()))
        if precision is None or not module.startswith(__package__ or "?"):
            return
        part = f"{_PARTS.get(module.rpartition('.')[2], 'networks')} in {precision}"
        if part in self.said:
            return
        self.said.add(part)
        line = f"Compiling the neuron core for {part}: a few seconds, once; it is kept ..."
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - the wait needs a word

    def on_end(self, event: Any) -> None:  # noqa: ARG002 - Numba names it
        collector.wake()


def _precision(args: Sequence[Any]) -> str | None:
    """Return the precision of the arrays that a function is compiled for; None without any.

    Weights and rows have it; beside them stand counts and sums, which are float64 in any case.
    """
    kinds = {str(getattr(one, "dtype", "")) for one in args}
    return next((kind for kind in ("float32", "float64") if kind in kinds), None)


event.register("numba:compile", _Announcer())

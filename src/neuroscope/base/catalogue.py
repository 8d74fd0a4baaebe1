"""A folder that lists its own files and imports one only when it is asked for.

A new task, source, command or page is one new file. Names that start with an underscore are
helpers of the folder and not listed.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from neuroscope.base import collector
from neuroscope.base.errors import InputError, did_you_mean


class Catalogue:
    """The modules of one package, by file name."""

    def __init__(self, package: str, noun: str, *, besides: tuple[str, ...] = ()) -> None:
        """Catalogue `package` (dotted name); `noun` names one entry in messages.

        `besides` names folders that live there and are no entries.
        """
        self.package, self.noun, self.besides = package, noun, besides

    def names(self) -> list[str]:
        """Return the sorted names of the entries, without importing any of them."""
        path = importlib.import_module(self.package).__path__
        names = {module.name for module in pkgutil.iter_modules(path)}
        return sorted(n for n in names - set(self.besides) if not n.startswith("_"))

    def get(self, name: str) -> ModuleType:
        """Import and return the entry `name`; an unknown name is an InputError."""
        names = self.names()
        if name not in names:
            remedy = " ".join(filter(None, [did_you_mean(name, names), "known:", ", ".join(names)]))
            raise InputError(f"unknown {self.noun} {name!r}", remedy=remedy)
        with collector.at_rest():
            return importlib.import_module(f"{self.package}.{name}")

    def __iter__(self) -> Iterator[ModuleType]:
        """Import the entries one after the other, in the order of their names."""
        return (self.get(name) for name in self.names())

"""Sizes that keep the code readable, and a docstring on every public name."""

from __future__ import annotations

import ast

import source_tree
from source_tree import PACKAGE, Definition, functions, shown, tree

FILE_LINES, FUNCTION_LINES, CLASS_LINES, FOLDER_FILES, INIT_LINES = 400, 60, 250, 27, 60
FOLDER_AIM = 12


def _lines(node: Definition) -> int:
    """Return the lines of a definition's body, without its signature and docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_files_are_short() -> None:
    lines = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in source_tree.files()
    }
    long = {shown(path): n for path, n in lines.items() if n > FILE_LINES}
    inits = {shown(p): n for p, n in lines.items() if p.name == "__init__.py" and n > INIT_LINES}
    assert not long
    assert not inits


def test_functions_are_short() -> None:
    long = {
        f"{shown(path)}: {node.name}": _lines(node)
        for path in source_tree.files()
        for node in functions(path)
        if _lines(node) > FUNCTION_LINES
    }
    assert not long


def test_classes_are_small() -> None:
    large = {
        f"{shown(path)}: {node.name}": _lines(node)
        for path in source_tree.files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and _lines(node) > CLASS_LINES
    }
    assert not large


def test_folders_are_small() -> None:
    counts = {
        shown(place): len(list(place.glob("*.py")))
        for place in [PACKAGE, *sorted(p for p in PACKAGE.rglob("*") if p.is_dir())]
    }
    crowded = {place: count for place, count in counts.items() if count > FOLDER_AIM}
    print(f"folders above the aim of {FOLDER_AIM} files: {crowded}")  # noqa: T201
    assert not {place: count for place, count in crowded.items() if count > FOLDER_FILES}


def _undocumented(node: ast.Module | ast.ClassDef, where: str) -> list[str]:
    missing = []
    for inner in node.body:
        if isinstance(inner, Definition) and not inner.name.startswith("_"):
            if ast.get_docstring(inner) is None:
                missing.append(f"{where}:{inner.lineno} {inner.name}")
            if isinstance(inner, ast.ClassDef):
                missing += _undocumented(inner, where)
    return missing


def test_public_names_are_documented() -> None:
    missing = []
    for path in source_tree.files():
        if ast.get_docstring(tree(path)) is None:
            missing.append(shown(path))
        missing += _undocumented(tree(path), shown(path))
    assert not missing


def test_what_is_measured_is_the_package() -> None:
    """The tests above would pass on an empty list."""
    assert len(source_tree.files()) > 100

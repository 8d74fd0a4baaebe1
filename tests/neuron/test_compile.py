"""The wait at first use is told: once for each part of the core and precision."""

from __future__ import annotations

from types import SimpleNamespace

from neuroscope.neuron._compile import _Announcer


def compiling(module: str, *dtypes: str) -> SimpleNamespace:
    function = SimpleNamespace(__module__=f"neuroscope.neuron.{module}")
    args = [SimpleNamespace(dtype=dtype) for dtype in dtypes]
    return SimpleNamespace(
        data={"dispatcher": SimpleNamespace(py_func=function), "args": (3, *args)}
    )


def test_each_part_and_precision_is_told_once(capsys) -> None:
    announcer = _Announcer()
    for event in (compiling("descent", "float64", "float32"), compiling("step", "float32"),
                  compiling("descent", "float64"), compiling("units", "float32"),
                  compiling("units", "float32"), compiling("elementary")):  # fmt: skip
        announcer.on_start(event)
    said = capsys.readouterr().err.splitlines()
    parts = ["networks in float32", "networks in float64", "single neurons in float32"]
    assert [line.split(" for ")[1].split(":")[0] for line in said] == parts
    assert all("it is kept" in line for line in said)


def test_what_others_compile_is_none_of_our_business(capsys) -> None:
    event = compiling("descent", "float32")
    event.data["dispatcher"].py_func.__module__ = "elsewhere"
    _Announcer().on_start(event)
    _Announcer().on_start(SimpleNamespace(data={}))
    assert capsys.readouterr().err == ""

"""The garbage collector rests while asked to, and is left as it was found."""

from __future__ import annotations

import gc

import pytest

from neuroscope.base import collector


def test_it_rests_until_the_last_caller_is_done() -> None:
    assert gc.isenabled()
    with collector.at_rest():
        with collector.at_rest():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_wakes_after_an_error_and_does_not_rest_unless_asked() -> None:
    with pytest.raises(KeyError), collector.at_rest():
        raise KeyError
    with collector.at_rest(when=False):
        assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with collector.at_rest():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()

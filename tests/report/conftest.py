"""Fixtures of the report's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_samples import SAMPLES, binary


@pytest.fixture(params=sorted(SAMPLES))
def sample(request, tmp_path) -> Path:
    """Return each sample run folder in turn."""
    return SAMPLES[request.param](tmp_path / "runs")


@pytest.fixture
def churn(tmp_path) -> Path:
    """Return the run folder of the binary sample, which holds every block but residuals."""
    return binary(tmp_path / "runs")

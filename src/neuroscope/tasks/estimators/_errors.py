"""The errors of the estimators: of Neuroscope's tree, and ValueErrors, as scikit-learn expects."""

from __future__ import annotations

from neuroscope.base.errors import RecipeError, TargetError


class ParameterError(RecipeError, ValueError):
    """A parameter of an estimator is unknown or out of range."""


class DataError(TargetError, ValueError):
    """The rows or their targets cannot be learned from."""

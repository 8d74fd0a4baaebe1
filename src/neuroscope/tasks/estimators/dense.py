"""Dense networks as estimators: binary, multiclass, several labels, one or several numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from neuroscope.base.recipe import Recipe
from neuroscope.neuron.heads import Kind
from neuroscope.tasks.estimators._base import Classifier, ClassWeight, Regressor, in_precision
from neuroscope.tasks.estimators._errors import DataError, ParameterError
from neuroscope.tasks.estimators._networks import Descent
from neuroscope.tasks.estimators._rows import Rows


@dataclass(kw_only=True, eq=False, repr=False)
class _Dense(Descent):
    """Hidden layers and what goes with them."""

    hidden: tuple[int, ...] = (64, 64)
    activation: str = "relu"
    dropout: float = 0.0

    @property
    def coefs_(self) -> list[np.ndarray]:
        """Weights (n_in, n_out) of each layer."""
        return [self._network.layer(i)[0] for i in range(len(self._network.activations))]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """Biases (n_out,) of each layer."""
        return [self._network.layer(i)[1] for i in range(len(self._network.activations))]

    @property
    def n_layers_(self) -> int:
        """Layers, the inputs counted as one."""
        return len(self._network.widths)


@dataclass(kw_only=True, eq=False, repr=False)
class DenseClassifier(Classifier, _Dense):
    """A dense network that answers classes: one sigmoid for two, softmax for more.

    Targets y (n, k) of 0 and 1 are k labels a row, each with a sigmoid of its own; then `classes_`
    counts the labels. Trained by backpropagation (Rumelhart, Hinton and Williams 1986) on the
    cross-entropy. Parameters are named as in `Recipe`.
    """

    label_smoothing: float = 0.0
    class_weight: ClassWeight = None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> DenseClassifier:
        """Learn from features X (n, d) and classes y (n,) or labels (n, k); raises ValueError."""
        kind, outputs, rows = self._question(X, y, sample_weight)
        self._fit_network(kind, outputs, rows, stratify=not self._multilabel)
        return self

    def _question(self, x: Any, y: Any, sample_weight: Any) -> tuple[Kind, int, Rows]:
        rows = self._weighted(self._read(x, y, sample_weight))
        return self._kind_of_answer(), len(self.classes_), rows

    def _kind_of_answer(self) -> Kind:
        if self._multilabel:
            return "multilabel"
        return "binary" if len(self.classes_) == 2 else "multiclass"

    def _read_labels(self, y: np.ndarray, *, reset: bool) -> np.ndarray:
        if not np.isin(y, (0, 1)).all():
            raise DataError(
                f"the targets have {y.shape[1]} columns and hold more than 0 and 1",
                remedy="give one column, or one column of 0 and 1 a label",
            )
        if reset:
            self.classes_, self._multilabel = np.arange(y.shape[1]), True
        elif not self._multilabel or y.shape[1] != len(self.classes_):
            raise DataError(
                f"the targets have {y.shape[1]} labels a row, other than at the first fit",
                remedy="give targets of the same shape",
            )
        return y.astype(np.float64)

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> DenseClassifier:
        """Learn from rows X (n, d), one pass; the first call must name all `classes`."""
        first = not self.__sklearn_is_fitted__()
        rows = self._weighted(self._read_online(X, y, classes, sample_weight))
        if first:
            self._first_online(self._kind_of_answer(), len(self.classes_), rows)
        self._learn_online(rows)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the sums z of the last layer: (n,) for two classes, else (n, k)."""
        z = self._sums(self._read_x(X))
        return z[:, 0] if self._kind == "binary" else z

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class or label (n, k)."""
        z = self.decision_function(X)
        if self._kind == "multiclass":
            return softmax(z, axis=1)
        a = expit(z)
        return a if self._kind == "multilabel" else np.stack([1 - a, a], axis=1)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of the probability of each class or label (n, k)."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of each row (n,), or its labels (n, k) as 0 and 1."""
        z = self.decision_function(X)
        if self._kind == "multilabel":
            return (z > 0).astype(np.int64)
        return self.classes_[(z > 0).astype(np.int64) if z.ndim == 1 else z.argmax(axis=1)]


@dataclass(kw_only=True, eq=False, repr=False)
class DenseRegressor(Regressor, _Dense):
    """A dense network that answers numbers: one, y (n,), or several, y (n, k).

    Targets are brought to mean 0 and standard deviation 1 by the rows of the first fit, so that
    neither the learning rate nor huber_delta depends on their unit; predictions are in the
    target's own unit, losses in squared standard deviations, the 1/2 included.
    """

    loss: str = "mean_squared_error"
    huber_delta: float = 1.0

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> DenseRegressor:
        """Learn from features X (n, d) and targets y (n,) or (n, k); raises ValueError."""
        kind, outputs, rows = self._question(X, y, sample_weight)
        self._fit_network(kind, outputs, rows, stratify=False)
        return self

    def _question(self, x: Any, y: Any, sample_weight: Any) -> tuple[Kind, int, Rows]:
        rows = self._read_numbers(x, y, sample_weight, reset=True)
        return "regression", _columns(rows), rows

    def _divide(self, rows: Rows, *, stratify: bool) -> tuple[Rows, Rows | None, Recipe]:
        train, valid, recipe = super()._divide(rows, stratify=stratify)
        if not self._may_continue(_columns(rows)):
            self._measure(train)
        return self._scaled(train), valid and self._scaled(valid), recipe

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> DenseRegressor:
        """Learn from rows X (n, d) with targets y (n,) or (n, k), one pass.

        The scale of the targets is that of the first call: give it more than a few rows.
        """
        first = not self.__sklearn_is_fitted__()
        rows = self._read_numbers(X, y, sample_weight, reset=first)
        if first:
            self._measure(rows)
            self._first_online("regression", _columns(rows), rows)
        elif _columns(rows) != self._outputs:
            raise DataError(
                f"the targets have {_columns(rows)} columns and the first fit had {self._outputs}",
                remedy="give targets of the same shape",
            )
        self._learn_online(self._scaled(rows))
        return self

    def _read_numbers(self, x: Any, y: Any, sample_weight: Any, *, reset: bool) -> Rows:
        """Return checked rows, the loss checked too."""
        if self.loss not in ("mean_squared_error", "huber"):
            raise ParameterError(
                f"loss is {self.loss!r}", remedy="choose 'mean_squared_error' or 'huber'"
            )
        return self._read(x, y, sample_weight, reset=reset, several=True)

    def _scaled(self, rows: Rows) -> Rows:
        """Return rows with targets in standard deviations from their mean."""
        y = (rows.y - self.target_mean_) / self.target_scale_
        in_precision(y, self.precision, "the targets")
        return Rows(rows.x, y, rows.w)

    def _measure(self, rows: Rows) -> None:
        """Set the mean and the standard deviation of each target; a constant one counts as 1.

        Squares are taken of targets in units of the largest, which neither overflow nor vanish.
        """
        unit = np.abs(rows.y).max(axis=0)
        unit = np.where(unit > 0, unit, 1.0)
        y = rows.y / unit
        mean = np.average(y, axis=0, weights=rows.w)
        spread = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=rows.w))
        self.target_mean_ = mean * unit
        self.target_scale_ = np.where(spread * unit > 0, spread * unit, 1.0)

    def predict(self, X: Any) -> np.ndarray:
        """Return the value of each row (n,), or its values (n, k)."""
        z = self._sums(self._read_x(X))
        z = z[:, 0] if np.ndim(self.target_mean_) == 0 else z
        return z * self.target_scale_ + self.target_mean_


def _columns(rows: Rows) -> int:
    return 1 if rows.y.ndim == 1 else rows.y.shape[1]

"""What all estimators share: parameters, checked rows, the fit from data to weights.

Estimators do not scale features, as elsewhere in scikit-learn: put a StandardScaler before them.
Features that are far from one scale are met by a smaller automatic learning rate and by a warning.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from neuroscope.base.errors import DivergedError, RecipeError
from neuroscope.base.recipe import Recipe
from neuroscope.tasks.estimators import _rows
from neuroscope.tasks.estimators._errors import DataError, ParameterError
from neuroscope.tasks.estimators._rows import Rows

RandomState = int | np.random.RandomState | None
ClassWeight = Mapping[Any, float] | str | None

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_CHOICES = frozenset(field.name for field in dataclasses.fields(Recipe))
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(kw_only=True, eq=False, repr=False)
class Estimator(BaseEstimator):
    """Parameters and steps of every estimator; each parameter is named as in `Recipe`."""

    epochs: int = 100
    learning_rate: float | str = "auto"  # "auto" follows from the optimizer and the features
    l2: float = 0.0  # added to the loss: l2 / 2 * sum w^2
    early_stopping: bool = False  # watch rows held back and keep the weights of the best epoch
    validation_fraction: float = 0.1  # of the rows, held back with early_stopping
    patience: int = 10  # epochs without a better watched loss before a fit ends
    warm_start: bool = False  # fit goes on from the weights of the last fit
    random_state: RandomState = None
    precision: str = "float32"

    _curvature: ClassVar[float] = 1.0  # the largest second derivative of the loss by z

    def __sklearn_is_fitted__(self) -> bool:
        return "_outputs" in self.__dict__

    def _recipe(self, **fixed: Any) -> Recipe:
        """Return the parameters as a recipe; one out of range is a ParameterError."""
        asked = {name: getattr(self, name) for name in names_of(type(self)) if name in _CHOICES}
        asked = {"optimizer": "sgd"} | asked  # of neurons that know no other
        asked |= {"patience": self.patience if self.early_stopping else 0, "class_weight": None}
        if isinstance(self.learning_rate, str):
            if self.learning_rate != "auto":
                raise ParameterError(
                    f"learning_rate is {self.learning_rate!r}", remedy='give a number or "auto"'
                )
            del asked["learning_rate"]
        try:
            return Recipe(**{name: _plain(value) for name, value in (asked | fixed).items()})
        except RecipeError as error:
            raise ParameterError(error.what, remedy=error.remedy) from error
        except TypeError as error:
            raise ParameterError(f"a parameter is of the wrong type: {error}") from error

    def _recipe_for(self, rows: Rows, seed: int) -> Recipe:
        """Return the recipe of a fit on `rows`: its learning rate suits them."""
        recipe = self._recipe(seed=seed)
        sizes = _rows.Sizes.of(rows.x)
        alert = _rows.scale_alert(sizes.squares)
        self.alerts_: list[str] = []
        if alert:
            self._say(alert)
        if self.learning_rate == "auto":
            rate, reason = _rows.suitable_rate(recipe, sizes, self._curvature)
            recipe = recipe.because(reason, learning_rate=rate)
        return recipe

    def _divide(self, rows: Rows, *, stratify: bool) -> tuple[Rows, Rows | None, Recipe]:
        """Return the rows to learn from, with early stopping those to watch, and the recipe."""
        seed = seed_of(self.random_state)
        self._recipe(seed=seed)  # refuses what is out of range before anything is sorted
        rows = _rows.in_canonical_order(rows)
        valid = None
        if self.early_stopping:
            if not 0 < self.validation_fraction < 1:
                raise ParameterError(
                    f"validation_fraction is {self.validation_fraction!r}",
                    remedy="give a number between 0 and 1",
                )
            if self.patience < 1:
                raise ParameterError(
                    f"patience is {self.patience!r}", remedy="give at least 1 epoch"
                )
            fraction = float(self.validation_fraction)
            rows, held = _rows.hold_back(rows, fraction, seed, stratify=stratify)
            valid = _rows.with_copies(held)
        train = _rows.with_copies(rows)
        return train, valid, self._recipe_for(train, seed)

    def _say_halved(self, recipe: Recipe) -> None:
        """Warn that a fit began again with half the learning rate."""
        self._say(
            f"the loss diverged at learning_rate {2 * recipe.learning_rate:g}; "
            f"began again with {recipe.learning_rate:g}"
        )

    def _say(self, line: str) -> None:
        """Warn of something about how the fit went, and keep it in `alerts_`."""
        self.alerts_.append(line)
        warnings.warn(line, ConvergenceWarning, stacklevel=4)

    def _read_x(self, x: Any) -> np.ndarray:
        """Return checked features (n, d) for predicting; plain arrays take the short way."""
        if _plain_rows(x) and self._fits(x):
            return x
        check_is_fitted(self)
        return np.asarray(validate_data(self, x, reset=False, dtype=_FLOATS))

    def _fits(self, x: np.ndarray) -> bool:
        """Say whether plain rows have the fitted width, and a fit without column names."""
        known = self.__dict__
        return x.shape[1] == known.get("n_features_in_") and "feature_names_in_" not in known

    def _read_weights(self, sample_weight: Any, x: np.ndarray) -> np.ndarray | None:
        """Return checked row weights (n,), or None when all rows count alike."""
        if sample_weight is None:
            return None
        return _check_sample_weight(
            sample_weight, x, dtype=np.float64, ensure_non_negative=True, copy=True
        )

    def _rate_now(self) -> float:
        """Return the learning rate of online learning."""
        rate = self.learning_rate
        return self.__dict__["learning_rate_"] if isinstance(rate, str) else float(rate)

    def _may_continue(self, outputs: int) -> bool:
        """Say whether `warm_start` goes on from fitted weights; refuse those of another shape."""
        if not self.warm_start or not self.__sklearn_is_fitted__():
            return False
        self._check_still_fits(outputs)
        return True

    def _build_of(self, outputs: int) -> dict[str, Any]:
        """Return what decides the shape and the kind of the weights."""
        hidden = tuple(getattr(self, "hidden", ()))
        names = ("activation", "loss", "huber_delta", "precision")
        kind = {name: getattr(self, name) for name in names if hasattr(self, name)}
        return {"hidden": hidden, "outputs": outputs} | kind

    def _check_still_fits(self, outputs: int) -> None:
        """Refuse to go on with weights that were built for other parameters."""
        built = self.__dict__["_built"]
        for name, asked in self._build_of(outputs).items():
            if built[name] != asked:
                raise ParameterError(
                    f"the fitted weights have {name} {built[name]!r} and {asked!r} is asked",
                    remedy="fit a clone of this estimator, or fit with warm_start=False",
                )


class Classifier(ClassifierMixin, Estimator):
    """What classifiers share: classes and their codes."""

    classes_: np.ndarray
    _codes: dict[Any, int]
    _multilabel: bool = False
    class_weight: ClassWeight

    def _read(
        self, x: Any, y: Any, sample_weight: Any, *, classes: Any = None, reset: bool = True
    ) -> Rows:
        """Return checked rows with class codes (n,), or with labels (n, k) of 0 and 1."""
        if not reset and (code := self._code_of_one(x, y, sample_weight)) is not None:
            return Rows(x.astype(_precision(self.precision)), np.array([code]), None)
        reset = reset and not (self.warm_start and hasattr(self, "classes_"))
        x, y = validate_data(
            self, x, y, reset=reset, dtype=_precision(self.precision), multi_output=True
        )
        check_classification_targets(y)
        weights = self._read_weights(sample_weight, x)
        if y.ndim == 2 and y.shape[1] > 1:
            return Rows(x, self._read_labels(y, reset=reset), weights)
        y = column_or_1d(y, warn=True)
        if reset:
            self.classes_, codes = np.unique(y if classes is None else classes, return_inverse=True)
            self._codes = {label: code for code, label in enumerate(self.classes_.tolist())}
            self._multilabel = False
            if len(self.classes_) < 2:
                raise DataError(
                    f"the targets hold one class only, {self.classes_[0]!r}",
                    remedy="give rows of at least two classes",
                )
            if classes is None:
                return Rows(x, codes.astype(np.int64), weights)
        return Rows(x, self._encode(y), weights)

    def _code_of_one(self, x: Any, y: Any, sample_weight: Any) -> int | None:
        """Return the class code of one plain row of a known class, else None."""
        if self._multilabel or self.class_weight is not None:
            return None
        label = one_row(self, x, y, sample_weight)
        return None if label is None else self._codes.get(label)

    def _encode(self, y: np.ndarray) -> np.ndarray:
        if self._multilabel:
            raise DataError(
                "the estimator was fitted on several labels a row and the targets hold one",
                remedy="give targets of the same shape",
            )
        try:
            return np.array([self._codes[label] for label in y.tolist()], np.int64)
        except KeyError as error:
            raise DataError(
                f"the targets hold {error.args[0]!r}, which is not among the classes",
                remedy=f"the classes are: {', '.join(map(str, self.classes_.tolist()))}",
            ) from None

    def _read_labels(self, y: np.ndarray, *, reset: bool) -> np.ndarray:  # noqa: ARG002
        """Return several labels a row; only some estimators know them."""
        raise DataError(
            f"the targets have {y.shape[1]} columns and {type(self).__name__} learns one",
            remedy="use DenseClassifier for several labels a row",
        )

    def _read_online(self, x: Any, y: Any, classes: Any, sample_weight: Any) -> Rows:
        """Return checked rows for partial_fit, whose first call must name all classes."""
        first = not self.__sklearn_is_fitted__()
        if first and classes is None and np.ndim(y) < 2:
            raise DataError(
                "the first call of partial_fit must name all classes",
                remedy="call partial_fit(X, y, classes=[...])",
            )
        if (
            not first
            and classes is not None
            and not np.array_equal(np.unique(classes), self.classes_)
        ):
            raise DataError(
                "classes differ from those of the first call",
                remedy=f"the classes are: {', '.join(map(str, self.classes_.tolist()))}",
            )
        if isinstance(self.class_weight, str):
            raise ParameterError(
                f"class_weight is {self.class_weight!r}, which needs all rows at once",
                remedy="give a weight for each class",
            )
        return self._read(x, y, sample_weight, classes=classes, reset=first)

    def _weighted(self, rows: Rows) -> Rows:
        """Return rows whose weights include those of their classes."""
        if self._multilabel and self.class_weight is not None:
            raise ParameterError(
                "class_weight needs one class a row", remedy="use sample_weight for several labels"
            )
        w = _rows.class_weighted(rows.y, self.classes_, self.class_weight, rows.w)
        return Rows(rows.x, rows.y, w)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of rows X (n, d) whose class y (n,) is predicted right.

        Of several labels y (n, k) a row is right when all of them are. scikit-learn's accuracy,
        without importing all of its metrics for it; raises ValueError for another number of rows.
        """
        said, true = np.asarray(self.predict(X)), np.asarray(y)  # type: ignore[attr-defined]
        if said.ndim == 1:
            true = column_or_1d(true)
        if said.shape != true.shape:
            raise DataError(
                f"there are answers of shape {said.shape} and targets of shape {true.shape}",
                remedy="give one target for each row",
            )
        right = (said == true).reshape(len(said), -1).all(axis=1)
        return float(np.average(right, weights=sample_weight))


class Regressor(RegressorMixin, Estimator):
    """What regressors share: targets as numbers."""

    def _read(
        self, x: Any, y: Any, sample_weight: Any, *, reset: bool = True, several: bool = False
    ) -> Rows:
        """Return checked rows with targets (n,), or (n, k) where `several` are learned."""
        if not reset and (value := self._value_of_one(x, y, sample_weight)) is not None:
            return Rows(x.astype(_precision(self.precision)), np.array([value]), None)
        reset = reset and not (self.warm_start and hasattr(self, "n_features_in_"))
        x, y = validate_data(
            self, x, y, reset=reset, dtype=_precision(self.precision), multi_output=several,
            y_numeric=True,
        )  # fmt: skip
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return Rows(x, np.asarray(y, np.float64), self._read_weights(sample_weight, x))

    def _value_of_one(self, x: Any, y: Any, sample_weight: Any) -> float | None:
        """Return the target of one plain row, a finite number, else None."""
        value = one_row(self, x, y, sample_weight)
        usable = isinstance(value, int | float) and abs(value) <= _LARGEST  # false for NaN
        return float(value) if usable else None


def check_finite(value: float) -> None:
    """Raise DivergedError when a number of a step taken online is not finite."""
    if not math.isfinite(value):
        raise DivergedError(
            "the weights stopped being finite while learning online",
            remedy="fit again with a smaller learning_rate or scaled features",
        )


@functools.cache
def names_of(kind: type[Estimator]) -> tuple[str, ...]:
    """Return the names of the parameters; reading a signature takes longer than a step."""
    return tuple(kind._get_param_names())


def one_row(estimator: Estimator, x: Any, y: Any, sample_weight: Any) -> Any:
    """Return the target of one plain, finite row for a fitted estimator, else None."""
    if sample_weight is not None or not _plain_rows(x) or len(x) != 1 or not estimator._fits(x):
        return None
    if x.dtype == np.float64 and np.abs(x).max() > _LARGEST:
        return None  # the long way says that float32 cannot hold it
    if type(y) is np.ndarray:
        return y.item() if y.shape == (1,) else None
    return y[0] if type(y) in (list, tuple) and len(y) == 1 and np.isscalar(y[0]) else None


def in_precision(values: np.ndarray, precision: str, what: str) -> np.ndarray:
    """Return finite values in the float type that learns; one it cannot hold is a DataError."""
    with np.errstate(over="ignore"):
        cast = values.astype(precision, copy=False)
    if not np.isfinite(cast).all():
        raise DataError(
            f"{what} hold a value that is too large for {precision}",
            remedy="scale them, or take precision='float64'",
        )
    return cast


def _plain_rows(x: Any) -> bool:
    """Say whether x is a plain float array (n, d) of finite numbers that need no other check."""
    if type(x) is not np.ndarray or x.ndim != 2 or x.dtype not in _FLOATS or not len(x):
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(x.sum())


def _precision(name: str) -> str:
    """Return the name of a float type; validate_data must not see an unknown one."""
    if name not in ("float32", "float64"):
        raise ParameterError(f"precision is {name!r}", remedy="choose 'float32' or 'float64'")
    return name


def seed_of(random_state: RandomState) -> int:
    """Return a seed: the number itself, or one drawn from the state or from the system."""
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def _plain(value: Any) -> Any:
    """Turn NumPy's numbers, which grid searches hand over, into Python's."""
    return value.item() if isinstance(value, np.generic) else value

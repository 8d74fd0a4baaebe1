"""Single neurons as estimators: perceptron, ADALINE, linear neuron, logistic neuron.

Each sums its weighted inputs, z = x . w + b; they differ in what they answer and call an error.
`coef_` holds w and `intercept_` holds b, shaped as in scikit-learn's linear models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, softmax

from neuroscope.base.recipe import Recipe
from neuroscope.neuron.heads import Kind
from neuroscope.neuron.units import (
    ADALINE,
    PERCEPTRON,
    learn_row,
    learn_rows,
    least_squares,
)
from neuroscope.tasks.estimators._base import (
    Classifier,
    ClassWeight,
    Regressor,
    check_finite,
    in_precision,
    seed_of,
)
from neuroscope.tasks.estimators._errors import ParameterError
from neuroscope.tasks.estimators._networks import Descent
from neuroscope.tasks.estimators._neurons import (
    Lesson,
    Watch,
    learn_safely,
    watch_cost,
    watch_errors,
)
from neuroscope.tasks.estimators._rows import Rows, Sizes, suitable_rate

COMPARED_UP_TO = 2e9  # multiply-adds that the comparison with the closed form may cost
FAR_FROM_CLOSED_FORM = 0.25  # share of the target's variance from which descent stopped too early


@dataclass(kw_only=True, eq=False, repr=False)
class _SignNeuron(Classifier):
    """Neurons that answer by the sign of z; more than two classes: one neuron against the rest."""

    class_weight: ClassWeight = None

    _rule: ClassVar[int]
    _pocket: ClassVar[bool] = False  # keep the weights of the epoch with the fewest wrong rows

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> _SignNeuron:
        """Learn from features X (n, d) and classes y (n,); raises ValueError, DivergedError."""
        rows = self._weighted(self._read(X, y, sample_weight))
        outputs = self._units()
        again = self._may_continue(outputs)
        train, valid, recipe = self._divide(rows, stratify=True)
        if not again:
            self._start(rows.x.shape[1], outputs, recipe)
        lesson = self._lesson(train)
        watch = self._watch(lesson, valid and self._lesson(valid))
        self._learn(lesson, watch, recipe)
        return self

    def _learn(self, lesson: Lesson, watch: Watch | None, recipe: Recipe) -> None:
        self.loss_curve_: list[float] = []
        self.learning_rate_ = recipe.learning_rate
        patience = recipe.patience
        for report in learn_safely(
            self._rule, self._theta, lesson, recipe, watch=watch, patience=patience
        ):
            if isinstance(report, Recipe):
                self._say_halved(report)
                self.loss_curve_, self.learning_rate_ = [], report.learning_rate
            else:
                self.loss_curve_.append(report.loss)
        self.n_iter_ = len(self.loss_curve_)

    def _watch(self, lesson: Lesson, valid: Lesson | None) -> Watch | None:
        """Return what picks the epoch whose weights stay; None is the last one."""
        if valid is not None:
            return watch_cost(self._rule, valid)
        return watch_errors(lesson) if self._pocket else None

    def _units(self) -> int:
        return 1 if len(self.classes_) == 2 else len(self.classes_)

    def _start(self, features: int, outputs: int, recipe: Recipe) -> None:
        self._theta = np.zeros((outputs, features + 1), recipe.precision)
        self._room = np.empty((1, features), recipe.precision)  # for one row that comes alone
        self._outputs, self._built = outputs, self._build_of(outputs)

    def _lesson(self, rows: Rows) -> Lesson:
        return Lesson.of(rows.x, self._signs(rows.y), rows.w, self.precision)

    def _signs(self, codes: np.ndarray) -> np.ndarray:
        """Return the targets -1 or 1 of each neuron (units, n)."""
        if self._outputs == 1:
            return np.where(codes == 1, 1.0, -1.0)[None]
        return np.where(codes == np.arange(self._outputs)[:, None], 1.0, -1.0)

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> _SignNeuron:
        """Learn from rows X (n, d) one by one, in their order; the first call names `classes`."""
        if classes is None and self.__sklearn_is_fitted__():
            code = self._code_of_one(X, y, sample_weight)
            if code is not None:
                return self._learn_one(X, code)
        first = not self.__sklearn_is_fitted__()
        rows = self._weighted(self._read_online(X, y, classes, sample_weight))
        if first:
            recipe = self._recipe_for(rows, seed_of(self.random_state))
            self._start(rows.x.shape[1], self._units(), recipe)
            self.learning_rate_, self.n_iter_, self.loss_curve_ = recipe.learning_rate, 1, []
        self._check_still_fits(self._outputs)
        lesson = self._lesson(Rows(rows.x, rows.y, None))
        weights = lesson.w if rows.w is None else rows.w.astype(lesson.w.dtype)
        met = np.empty(len(weights), weights.dtype)
        for unit, targets in zip(self._theta, lesson.y, strict=True):
            learn_rows(self._rule, unit, lesson.x, targets, weights, np.arange(len(weights)),
                       self._rate_now(), float(self.l2), met)  # fmt: skip
            check_finite(float(met.sum()))
        return self

    def _learn_one(self, x: np.ndarray, code: int) -> _SignNeuron:
        self._room[0] = x[0]
        for number, unit in enumerate(self._theta):
            hit = code == (1 if self._outputs == 1 else number)
            rate, l2 = self._rate_now(), float(self.l2)
            sign = 1.0 if hit else -1.0
            check_finite(learn_row(self._rule, unit, self._room, 0, sign, rate, l2))
        return self

    @property
    def coef_(self) -> np.ndarray:
        """Weights (1, d), or (k, d) for k > 2 classes."""
        return self._theta[:, :-1]

    @property
    def intercept_(self) -> np.ndarray:
        """Biases (1,), or (k,) for k > 2 classes."""
        return self._theta[:, -1]

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the sums z: (n,) for two classes, above 0 for the second; else (n, k)."""
        x = self._read_x(X)
        z = x.astype(np.float64) @ self.coef_.T.astype(np.float64) + self.intercept_
        return z[:, 0] if self._outputs == 1 else z

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of each row (n,)."""
        z = self.decision_function(X)
        return self.classes_[(z > 0).astype(np.int64) if z.ndim == 1 else z.argmax(axis=1)]


@dataclass(kw_only=True, eq=False, repr=False)
class PerceptronClassifier(_SignNeuron):
    """Rosenblatt's perceptron: it learns from wrong answers only, w += learning_rate * y * x.

    Where no line separates the classes the rule never settles; the weights of the epoch with the
    fewest wrong rows stay (Gallant 1990, once an epoch), and an epoch without any ends the fit.
    Starting from zero weights, the learning rate scales w but changes no answer. With
    early_stopping the epoch is picked by the perceptron criterion on the rows held back.
    Parameters are named as in `Recipe`. Source: Rosenblatt 1958.
    """

    learning_rate: float | str = 1.0

    _rule = PERCEPTRON
    _pocket = True


@dataclass(kw_only=True, eq=False, repr=False)
class AdalineClassifier(_SignNeuron):
    """ADALINE: learns from the sum itself, w -= learning_rate * (z - y) * x, with y -1 or 1.

    The loss is the mean of (z - y)^2 / 2, so rows that are right can still pull. The automatic
    learning rate is a tenth of 1 / mean squared length of a row, less where single rows are long.
    Source: Widrow and Hoff 1960.
    """

    _rule = ADALINE


@dataclass(kw_only=True, eq=False, repr=False)
class LinearNeuron(Regressor, Descent):
    """A linear neuron: y = x . w + b with the squared loss, mean of (z - y)^2 / 2.

    solver "descent" learns step by step and then says in `closed_form_gap_` how much of the
    target's variance its loss lies above the closed form's (0: equal; None: not computed, because
    l1 has no closed form or the data are too wide); "closed_form" solves for w and b at once.
    """

    solver: str = "descent"
    optimizer: str = "sgd"
    batch_size: int = 1
    init: str = "zeros"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearNeuron:
        """Learn from features X (n, d) and targets y (n,); raises ValueError, DivergedError."""
        if self.solver not in ("descent", "closed_form"):
            raise ParameterError(
                f"solver is {self.solver!r}", remedy="choose 'descent' or 'closed_form'"
            )
        kind, outputs, rows = self._question(X, y, sample_weight)
        if self.solver == "closed_form":
            self._solve(rows)
        else:
            self._fit_network(kind, outputs, rows, stratify=False)
            self._compare(rows)
        return self

    def _question(self, x: Any, y: Any, sample_weight: Any) -> tuple[Kind, int, Rows]:
        rows = self._read(x, y, sample_weight)
        in_precision(rows.y, self.precision, "the targets")
        return "regression", 1, rows

    def _foresee(self, rows: Rows) -> None:
        """Begin with the mean target as the bias, which is slow to learn beside large features."""
        self._network.theta[-1] = np.average(rows.y, weights=rows.w)

    def _solve(self, rows: Rows) -> None:
        if self.l1:
            raise ParameterError("l1 has no closed form", remedy="use l2 or solver='descent'")
        recipe = self._recipe(seed=0)
        self._start("regression", 1, rows, recipe)
        self._network.theta[:] = least_squares(rows.x, rows.y, w=rows.w, l2=float(self.l2))
        self.learning_rate_ = suitable_rate(recipe, Sizes.of(rows.x))[0]
        self.alerts_, self._online = [], None
        self.n_iter_, self.loss_curve_ = 1, [self._cost(rows, self._network.theta)]
        self.closed_form_gap_: float | None = 0.0

    def _compare(self, rows: Rows) -> None:
        n, d = rows.x.shape
        self.closed_form_gap_ = None
        if self.l1 or max(n, d) * d * d > COMPARED_UP_TO:
            return
        best = least_squares(rows.x, rows.y, w=rows.w, l2=float(self.l2))
        variance = float(np.cov(rows.y, aweights=rows.w, ddof=0)) if n > 1 else 0.0
        excess = self._cost(rows, self._network.theta) - self._cost(rows, best)
        self.closed_form_gap_ = max(excess, 0.0) / max(variance, 1e-30) if variance else 0.0
        if self.closed_form_gap_ > FAR_FROM_CLOSED_FORM and not self.early_stopping:
            self._say(
                f"descent ended {self.closed_form_gap_:.0%} of the target's variance above the "
                "best weights; use more epochs, scale the features or take solver='closed_form'"
            )

    def _cost(self, rows: Rows, theta: np.ndarray) -> float:
        """Return the mean loss with the l2 penalty."""
        error = rows.x @ theta[:-1].astype(np.float64) + theta[-1] - rows.y
        loss = float(np.average(error * error / 2, weights=rows.w))
        return loss + self.l2 / 2 * float(theta[:-1].astype(np.float64) @ theta[:-1])

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearNeuron:
        """Learn from rows X (n, d) with targets y (n,), one pass; the first call may start it."""
        first = not self.__sklearn_is_fitted__()
        if not first and self._plain_neuron("regression"):
            value = self._value_of_one(X, y, sample_weight)
            if value is not None:
                self._learn_one(X, value)
                return self
        rows = self._read(X, y, sample_weight, reset=first)
        in_precision(rows.y, self.precision, "the targets")
        if first:
            self._first_online("regression", 1, rows)
        self._learn_online(rows)
        return self

    @property
    def coef_(self) -> np.ndarray:
        """Weights (d,)."""
        return self._network.layer(0)[0][:, 0]

    @property
    def intercept_(self) -> float:
        """The bias."""
        return float(self._network.theta[-1])

    def predict(self, X: Any) -> np.ndarray:
        """Return the value of each row (n,)."""
        return self._sums(self._read_x(X))[:, 0]


@dataclass(kw_only=True, eq=False, repr=False)
class LogisticNeuron(Classifier, Descent):
    """A logistic neuron: a = 1 / (1 + e^-z) with log loss; a softmax layer for three classes on.

    By default it learns one row at a time, w -= learning_rate * (a - y) * x. Two classes: the
    second is answered where its probability is above `threshold`. Sources: Cox 1958; as a neuron
    with log loss, and softmax, Bridle 1990.
    """

    epochs: int = 200
    threshold: float = 0.5
    label_smoothing: float = 0.0
    class_weight: ClassWeight = None
    optimizer: str = "sgd"
    batch_size: int = 1
    init: str = "zeros"

    _curvature = 0.25

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LogisticNeuron:
        """Learn from features X (n, d) and classes y (n,); raises ValueError, DivergedError."""
        kind, outputs, rows = self._question(X, y, sample_weight)
        self._fit_network(kind, outputs, rows, stratify=True)
        return self

    def _question(self, x: Any, y: Any, sample_weight: Any) -> tuple[Kind, int, Rows]:
        rows = self._weighted(self._read(x, y, sample_weight))
        self._check_threshold()
        kind = "binary" if len(self.classes_) == 2 else "multiclass"
        return kind, len(self.classes_), rows

    def _check_threshold(self) -> None:
        if not 0 < self.threshold < 1:
            raise ParameterError(
                f"threshold is {self.threshold!r}", remedy="give a probability between 0 and 1"
            )
        if self.threshold != 0.5 and len(self.classes_) > 2:
            raise ParameterError(
                f"a threshold needs two classes and there are {len(self.classes_)}",
                remedy="leave threshold at 0.5: the most probable class is answered",
            )

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> LogisticNeuron:
        """Learn from rows X (n, d), one pass; the first call must name all `classes`."""
        first = not self.__sklearn_is_fitted__()
        if not first and classes is None and self._plain_neuron(self._kind):
            code = self._code_of_one(X, y, sample_weight)
            if code is not None:
                self._learn_one(X, (1 - self.label_smoothing) * code + self.label_smoothing / 2)
                return self
        rows = self._weighted(self._read_online(X, y, classes, sample_weight))
        if first:
            self._check_threshold()
            kind = "binary" if len(self.classes_) == 2 else "multiclass"
            self._first_online(kind, len(self.classes_), rows)
        self._learn_online(rows)
        return self

    @property
    def coef_(self) -> np.ndarray:
        """Weights (1, d), or (k, d) for k > 2 classes."""
        return self._network.layer(0)[0].T

    @property
    def intercept_(self) -> np.ndarray:
        """Biases (1,), or (k,) for k > 2 classes."""
        return self._network.layer(0)[1]

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the log-odds z (n,) of the second class, or the sums (n, k) before softmax."""
        z = self._sums(self._read_x(X))
        return z[:, 0] if self._kind == "binary" else z

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class (n, k)."""
        z = self.decision_function(X)
        if self._kind == "multiclass":
            return softmax(z, axis=1)
        a = expit(z)
        return np.stack([1 - a, a], axis=1)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of the probability of each class (n, k)."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of each row (n,)."""
        z = self.decision_function(X)
        if self._kind == "multiclass":
            return self.classes_[z.argmax(axis=1)]
        return self.classes_[(expit(z) > self.threshold).astype(np.int64)]

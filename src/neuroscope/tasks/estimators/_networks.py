"""What estimators with a network share: fitting it by descent, continuing it row by row."""

from __future__ import annotations

import dataclasses
import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sklearn.base import clone

from neuroscope.base.errors import RecipeError
from neuroscope.base.recipe import Recipe
from neuroscope.neuron import heads
from neuroscope.neuron.alerts import gradient_alerts
from neuroscope.neuron.descent import descend_safely
from neuroscope.neuron.forward import zeros
from neuroscope.neuron.heads import Kind
from neuroscope.neuron.network import Network
from neuroscope.neuron.range_test import RangeTest, learning_rate_range
from neuroscope.neuron.step import State, make_scratch, train_epoch
from neuroscope.neuron.units import LINEAR, LOGISTIC, learn_row, learn_rows
from neuroscope.neuron.update import make_rule
from neuroscope.tasks.estimators._base import (
    Estimator,
    check_finite,
    in_precision,
    names_of,
    seed_of,
)
from neuroscope.tasks.estimators._errors import ParameterError
from neuroscope.tasks.estimators._neurons import Lesson, Pass, learn_safely, watch_cost, writable
from neuroscope.tasks.estimators._rows import Rows

WORSE_THAN_GUESSING = 2.0  # times the loss of guessing from which a fit is said to have failed
ROWS_A_BLOCK = 4  # the core multiplies so many rows at once; whole blocks make each row alike

_RULES = {"binary": LOGISTIC, "regression": LINEAR}


class Online:
    """The optimizer of a network that learns as rows come: its moments, step and scratch room."""

    def __init__(self, network: Network, recipe: Recipe, rows: int) -> None:
        """Make room for calls of up to `rows` rows; nothing is learned yet."""
        self.network, self.rows = network, rows
        state = State.start(network, recipe, 1)
        self.moments, self.chance, self.step = state.moments, state.chance, 0
        self.gradient = zeros(network.theta.size, network.theta.dtype)
        self.norms = np.empty(len(network.widths) - 1, network.theta.dtype)
        self.shape = network.shape
        self.prepare(recipe, rows)

    def prepare(self, recipe: Recipe, rows: int) -> None:
        """Take the choices of `recipe` and make room for batches of calls of `rows` rows."""
        batch = min(recipe.batch_size, rows)
        self.rows = rows
        constant = dataclasses.replace(recipe, schedule="constant", warmup=0.0)
        self.rule = make_rule(constant, batch_size=batch, total_steps=1)
        self.order = np.arange(rows)
        self.scratch = make_scratch(self.network, batch)

    def learn(self, x: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
        """Take one pass over rows x (n, d), y (n, k), w (n,); returns the mean loss before it."""
        loss = train_epoch(
            self.shape, self.rule, self.step, self.chance, self.network.theta, self.moments,
            self.gradient, x, y, w, self.order, *self.scratch, self.norms,
        )  # fmt: skip
        self.step += math.ceil(len(x) / self.rule.batch_size)
        return loss


@dataclass(kw_only=True, eq=False, repr=False)
class Descent(Estimator):
    """An estimator whose weights are those of a network; single neurons are nets of one layer."""

    batch_size: int = 32  # rows; more than there are is batch gradient descent
    optimizer: str = "adam"
    momentum: float = 0.9  # of "momentum" and "nesterov"
    schedule: str = "constant"  # of the learning rate within a fit; partial_fit keeps it constant
    warmup: float = 0.0  # share of the steps over which the rate rises; none in partial_fit
    l1: float = 0.0  # added to the loss: l1 * sum |w|
    weight_decay: float = 0.0  # of "adamw"
    clip_norm: float = 0.0  # largest norm of the whole gradient; 0 is no clipping
    init: str = "auto"

    def _fit_network(self, kind: Kind, outputs: int, rows: Rows, *, stratify: bool) -> None:
        """Fit a new network, or with `warm_start` go on with the one there is."""
        again = self._may_continue(outputs)
        train, valid, recipe = self._divide(rows, stratify=stratify)
        if not again:
            self._start(kind, outputs, train, recipe)
            self._foresee(train)
        self._online: Online | None = None
        self.loss_curve_: list[float] = []
        self.validation_loss_curve_: list[float] = []
        self._rate = recipe.learning_rate
        if self._plain_neuron(kind):
            self._descend_one_by_one(kind, train, valid, recipe)
        else:
            self._descend(kind, outputs, train, valid, recipe)
        self.n_iter_ = len(self.loss_curve_)
        self.learning_rate_ = self._rate
        self._compare_with_guessing(kind, outputs)

    @abstractmethod
    def _question(self, x: Any, y: Any, sample_weight: Any) -> tuple[Kind, int, Rows]:
        """Return the kind of answer, the number of outputs and the checked rows of a fit."""
        ...

    def learning_rate_range(
        self, X: Any, y: Any, sample_weight: Any = None, *,
        low: float = 1e-6, high: float = 10.0, steps: int = 100,
    ) -> RangeTest:  # fmt: skip
        """Learning-rate range test (Smith 2017): let the rate grow from `low` to `high` in `steps`.

        Returns the rates (m,), the smoothed loss at each (m,), cut where it gets out of hand, and a
        suggested `learning_rate`: where the loss falls steepest. Fresh weights are tried on the
        rows X (n, d) and y as `fit` would learn them; the estimator stays as it is. With
        batch_size 1 a step is one row and the curve rough: give more steps. Raises ValueError.
        """
        trial = cast(Descent, clone(self))
        kind, outputs, rows = trial._question(X, y, sample_weight)
        train, _, recipe = trial._divide(rows, stratify=False)
        trial._start(kind, outputs, train, recipe)
        trial._foresee(train)
        examples = heads.examples(kind, train.x, train.y, outputs, recipe, sample_weight=train.w)
        try:
            return learning_rate_range(
                trial._network, examples, recipe, low=low, high=high, steps=steps
            )
        except RecipeError as error:
            raise ParameterError(error.what, remedy=error.remedy) from error

    def _foresee(self, rows: Rows) -> None:
        """Set before the first step of a fit what needs no learning; online nothing is known."""

    def _compare_with_guessing(self, kind: Kind, outputs: int) -> None:
        """Warn when a classifier ended far above the loss of giving all classes the same odds."""
        labels = outputs if kind == "multilabel" else 1
        guessing = labels * math.log(outputs if kind == "multiclass" else 2)
        if kind == "regression" or self.loss_curve_[-1] <= WORSE_THAN_GUESSING * guessing:
            return
        self._say(
            f"the loss ended at {self.loss_curve_[-1]:.3g}, where guessing costs {guessing:.3g}; "
            "use a smaller learning_rate or scale the features (StandardScaler)"
        )

    def _start(self, kind: Kind, outputs: int, rows: Rows, recipe: Recipe) -> None:
        """Build the network that the first step finds."""
        features = rows.x.shape[1]
        self._network: Network = heads.build(kind, features, outputs, recipe)
        self._kind: Kind = kind
        self._room = np.empty((1, features), recipe.precision)  # for one row that comes alone
        self._outputs, self._built = outputs, self._build_of(outputs)

    def _plain_neuron(self, kind: Kind) -> bool:
        """Say whether this is one neuron that learns row by row by its own rule."""
        return (
            kind in _RULES and not getattr(self, "hidden", ()) and self._network.widths[-1] == 1
            and self.optimizer == "sgd" and self.batch_size == 1 and self.schedule == "constant"
            and self.l1 == self.warmup == self.clip_norm == 0
        )  # fmt: skip

    def _descend_one_by_one(
        self, kind: Kind, train: Rows, valid: Rows | None, recipe: Recipe
    ) -> None:
        rule, smooth = _RULES[kind], recipe.label_smoothing
        lesson = Lesson.of(train.x, (1 - smooth) * train.y + smooth / 2, train.w, recipe.precision)
        watch = valid and watch_cost(rule, Lesson.of(valid.x, valid.y, valid.w, recipe.precision))
        theta = self._network.theta.reshape(1, -1)
        self._follow(
            learn_safely(rule, theta, lesson, recipe, watch=watch, patience=recipe.patience)
        )

    def _descend(
        self, kind: Kind, outputs: int, train: Rows, valid: Rows | None, recipe: Recipe
    ) -> None:
        self.gradient_norms_: list[tuple[float, ...]] = []
        watched = valid and heads.examples(
            kind, valid.x, valid.y, outputs, recipe, sample_weight=valid.w, smooth=False
        )
        examples = heads.examples(kind, train.x, train.y, outputs, recipe, sample_weight=train.w)
        self._follow(descend_safely(self._network, examples, recipe, valid=watched))
        self.alerts_ += gradient_alerts(self.gradient_norms_, recipe.activation)

    def _follow(self, reports: Any) -> None:
        """Keep the record of a fit; a halved rate begins it anew and is said."""
        for report in reports:
            if isinstance(report, Recipe):
                self._rate = report.learning_rate
                self._say_halved(report)
                self.loss_curve_, self.validation_loss_curve_ = [], []
                self.gradient_norms_ = []
            elif isinstance(report, Pass):
                self.loss_curve_.append(report.loss)
                if report.watched is not None:
                    self.validation_loss_curve_.append(report.watched)
            else:
                self.loss_curve_.append(report.train_loss)
                self.gradient_norms_.append(report.norms)
                if report.valid_loss is not None:
                    self.validation_loss_curve_.append(report.valid_loss)

    def _learn_online(self, rows: Rows) -> None:
        """Take one pass over rows as they come, with the optimizer's memory kept between calls."""
        self._check_still_fits(self._outputs)
        if self._plain_neuron(self._kind):
            smooth = getattr(self, "label_smoothing", 0.0)
            lesson = Lesson.of(rows.x, (1 - smooth) * rows.y + smooth / 2, None, self.precision)
            w = lesson.w if rows.w is None else rows.w.astype(lesson.w.dtype)
            met = np.empty(len(w), w.dtype)
            learn_rows(_RULES[self._kind], self._network.theta, lesson.x, lesson.y[0], w,
                       np.arange(len(w)), self._rate_now(), float(self.l2), met)  # fmt: skip
            check_finite(float(met.sum()))
            return
        recipe = self._online_for(len(rows.x))
        x = writable(rows.x, np.dtype(self.precision))
        examples = heads.examples(self._kind, x, rows.y, self._outputs, recipe)
        dtype = examples.w.dtype
        w = examples.w if rows.w is None else np.ascontiguousarray(rows.w, dtype)
        assert self._online is not None
        check_finite(self._online.learn(examples.x, examples.y, w))

    def _online_for(self, rows: int) -> Recipe:
        """Have the online optimizer ready for `rows` rows and the parameters as they stand."""
        choices = tuple(getattr(self, name) for name in names_of(type(self)))
        if self._online is None:
            self._recipe_now = self._recipe(learning_rate=self._rate_now(), seed=0)
            self._online = Online(self._network, self._recipe_now, rows)
        elif choices != self._choices or rows != self._online.rows:
            self._recipe_now = self._recipe(learning_rate=self._rate_now(), seed=0)
            self._online.prepare(self._recipe_now, rows)
        self._choices = choices
        return self._recipe_now

    def _learn_one(self, x: np.ndarray, y: float) -> None:
        """Learn one plain row at once by the neuron's own rule."""
        room = self._room
        room[0] = x[0]
        rule, rate, l2 = _RULES[self._kind], self._rate_now(), float(self.l2)
        z = learn_row(rule, self._network.theta, room, 0, y, rate, l2)
        check_finite(z)

    def _first_online(self, kind: Kind, outputs: int, rows: Rows) -> None:
        """Start the network that the first partial_fit teaches."""
        recipe = self._recipe_for(rows, seed_of(self.random_state))
        self._start(kind, outputs, rows, recipe)
        self.learning_rate_ = recipe.learning_rate
        self.n_iter_, self.loss_curve_, self._online = 1, [], None

    def _sums(self, x: np.ndarray) -> np.ndarray:
        """Return z (n, units) of the last layer in float64."""
        network = self._network
        if len(network.widths) == 2:
            weights, bias = network.layer(0)
            return x.astype(np.float64) @ weights.astype(np.float64) + bias
        x = in_precision(x, self.precision, "the features")
        lacking = -len(x) % ROWS_A_BLOCK
        rows = np.concatenate([x, np.zeros((lacking, x.shape[1]), x.dtype)]) if lacking else x
        return network.propagate(rows)[0][: len(x)].astype(np.float64)

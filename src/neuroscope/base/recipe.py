"""The recipe: every choice a training run makes, as one frozen value that is JSON both ways.

What the user did not set is chosen automatically, and each automatic choice carries its reason.
Replaying a recipe on the same rows and machine gives the same weights.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neuroscope.base.errors import RecipeError, choice_error, did_you_mean

ACTIVATIONS = (
    "identity", "threshold", "sigmoid", "tanh", "relu", "leaky_relu", "gelu", "selu", "mish",
    "softmax",
)  # fmt: skip
HIDDEN_ACTIVATIONS = tuple(a for a in ACTIVATIONS if a not in ("threshold", "softmax"))
LOSSES = ("perceptron", "mean_squared_error", "huber", "binary_cross_entropy", "cross_entropy")
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
WHOLE = "lbfgs"  # descent by whole passes, which only the neuron core has
SCHEDULES = ("constant", "step", "cosine", "one_cycle", "log_cosine")
INITS = ("auto", "zeros", "normal", "glorot", "he")
PRECISIONS = ("float32", "float64", "bfloat16")
AUGMENTATIONS = ("flip", "flip_vertical", "shift", "rotate", "erase", "brightness", "contrast")
DEVICES = ("auto", "cpu", "cuda", "mps")

_CHOICES: dict[str, tuple[str, ...]] = {
    "activation": HIDDEN_ACTIVATIONS,
    "loss": LOSSES,
    "optimizer": (*OPTIMIZERS, WHOLE),
    "schedule": SCHEDULES,
    "init": INITS,
    "precision": PRECISIONS,
    "device": DEVICES,
}
_AT_LEAST_ONE = ("batch_size", "epochs", "accumulate")
_ABOVE_ZERO = ("learning_rate", "epsilon", "huber_delta")
_NOT_NEGATIVE = (
    "l1", "l2", "weight_decay", "clip_norm", "patience", "numeric_bins", "seed", "mixup", "cutmix",
    "image_size", "width", "unfreeze", "steps", "look_back", "window", "negatives", "subsample",
)  # fmt: skip
_FRACTIONS = ("momentum", "beta1", "beta2", "dropout", "word_dropout", "label_smoothing", "warmup",
              "average")  # fmt: skip
_WHOLE = (
    "batch_size", "epochs", "accumulate", "patience", "numeric_bins", "seed", "image_size", "width",
    "unfreeze", "steps", "look_back", "window", "negatives",
)  # fmt: skip
# Choices that only the rungs follow which name them.
SPECIAL = (
    "word_dropout", "mixup", "cutmix", "augment", "image_size", "width", "backbone", "vectors",
    "unfreeze", "steps", "look_back", "window", "negatives", "subsample",
)  # fmt: skip
DENSE = ("hidden", "activation", "init", "numeric_bins")  # of the core's nets, and of a few others
DEEP_ONLY = ("accumulate", "average", "layer_decay", *SPECIAL)  # not for all nets of the core


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All training choices of one net; the comment names the unit or the range."""

    net: str = "dense"  # the rung this recipe is for
    hidden: tuple[int, ...] = ()  # units of each hidden layer; () is a single layer of neurons
    activation: str = "relu"  # of the hidden layers
    numeric_bins: int = 0  # piecewise-linear code of each number in so many pieces; 0 is off
    loss: str = "binary_cross_entropy"
    label_smoothing: float = 0.0  # [0, 1)
    huber_delta: float = 1.0  # in units of the (scaled) target
    class_weight: str | None = None  # None or "balanced"
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.9  # of "momentum" and "nesterov"
    beta1: float = 0.9  # of "adam" and "adamw"
    beta2: float = 0.999  # also of "rmsprop"
    epsilon: float = 1e-8
    schedule: str = "constant"
    warmup: float = 0.0  # fraction of all steps over which the rate rises linearly from 0
    batch_size: int = 32  # rows; 1 is stochastic, all rows is batch gradient descent
    accumulate: int = 1  # batches whose gradients are summed into one step
    epochs: int = 100
    patience: int = 0  # epochs without a better validation loss before stopping; 0 is never
    l1: float = 0.0  # added to the loss: l1 * sum |w|
    l2: float = 0.0  # added to the loss: l2 / 2 * sum w^2
    weight_decay: float = 0.0  # decoupled, of "adamw": w -= learning_rate * weight_decay * w
    dropout: float = 0.0  # fraction of hidden units set to zero in a training step
    word_dropout: float = 0.0  # fraction of the words that a net does not see in a training step
    clip_norm: float = 0.0  # largest norm of the whole gradient; 0 is no clipping
    mixup: float = 0.0  # alpha of the Beta distribution that blends two rows; 0 is off
    cutmix: float = 0.0  # alpha of the Beta distribution that pastes a patch; 0 is off
    average: float = 0.0  # decay of the exponential moving average of the weights; 0 is off
    layer_decay: float = 1.0  # factor of the rate from each layer group to the one below it
    augment: tuple[str, ...] = ()  # random changes of each training image
    image_size: int = 0  # pixels of height and width; 0 is the task's own
    width: int = 0  # channels of the first layer, or numbers of a word vector; 0 is the net's own
    steps: int = 0  # of a sequence, about; 0 is the task's own
    look_back: int = 0  # readings of a series in a window; 0 is the task's own
    window: int = 0  # words to either side that count as neighbours; 0 is the task's own
    negatives: int = 0  # noise words beside each neighbour; 0 is the task's own
    subsample: float = 0.0  # share of a corpus from which words are passed over; 0 is never
    backbone: str = ""  # pretrained net, by name or folder
    vectors: str = ""  # file of word vectors that an embedding begins with
    unfreeze: int = 0  # layer groups of the backbone trained besides the head; 0 is frozen
    init: str = "auto"
    seed: int = 0
    precision: str = "float32"  # of the arithmetic; with bfloat16 the weights stay float32
    device: str = "auto"
    reasons: Mapping[str, str] = field(default_factory=dict)  # why each automatic choice was made

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(int(width) for width in self.hidden))
        object.__setattr__(self, "augment", tuple(self.augment))
        object.__setattr__(self, "reasons", dict(self.reasons))
        for name, options in _CHOICES.items():
            if getattr(self, name) not in options:
                raise choice_error(name, str(getattr(self, name)), options)
        self._check("at least 1", _AT_LEAST_ONE, lambda value: value >= 1)
        self._check("above 0", _ABOVE_ZERO, lambda value: value > 0)
        self._check("0 or more", _NOT_NEGATIVE, lambda value: value >= 0)
        self._check("from 0 to below 1", _FRACTIONS, lambda value: 0 <= value < 1)
        self._check("above 0 and up to 1", ("layer_decay",), lambda value: 0 < value <= 1)
        self._check("without a fraction", _WHOLE, lambda value: float(value).is_integer())
        for name in _WHOLE:  # 32.0, as JSON and grid searches may say it, counts rows as 32 does
            object.__setattr__(self, name, int(getattr(self, name)))
        for name in self.augment:
            if name not in AUGMENTATIONS:
                raise choice_error("augmentation", str(name), AUGMENTATIONS)
        if not isinstance(self.backbone, str):
            raise RecipeError(f"backbone is {self.backbone!r}", remedy="give a name or a folder")
        if not isinstance(self.vectors, str):
            raise RecipeError(f"vectors is {self.vectors!r}", remedy="give the name of a file")
        if any(width < 1 for width in self.hidden):
            raise RecipeError(f"hidden is {self.hidden}", remedy="give each layer at least 1 unit")
        if self.class_weight not in (None, "balanced"):
            raise choice_error("class_weight", str(self.class_weight), ["balanced"])

    def _check(self, wanted: str, names: tuple[str, ...], holds: Any) -> None:
        for name in names:
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or not holds(value):
                raise RecipeError(f"{name} is {value!r}", remedy=f"give a number {wanted}")

    def because(self, reason: str, **changes: Any) -> Recipe:
        """Return a recipe with automatic `changes`, each of which carries `reason`."""
        reasons = dict(self.reasons) | dict.fromkeys(changes, reason)
        return dataclasses.replace(self, **changes, reasons=reasons)

    def refuse(self, fields: Iterable[str], who: str) -> None:
        """Raise a RecipeError for the first of `fields` that is set and that `who` cannot follow.

        A field is set when it differs from its default.
        """
        defaults = Recipe()
        for name in fields:
            value, default = getattr(self, name), getattr(defaults, name)
            if value != default:
                raise RecipeError(
                    f"the recipe's {name} is {value!r}, which {who} does not follow",
                    remedy=f"set it to {default!r} or leave it out",
                )

    def refuse_deep(self, who: str) -> None:
        """Raise a RecipeError where the recipe asks for what only torch nets can follow."""
        self.refuse(DEEP_ONLY, who)
        if self.precision == "bfloat16":
            self.refuse(["precision"], who)

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as a JSON object; `from_json` gives an equal recipe back."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self).items()}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Recipe:
        """Build a recipe from a JSON object; an unknown name is a RecipeError that names it."""
        known = [f.name for f in dataclasses.fields(cls)]
        for name in record:
            if name not in known:
                hint = did_you_mean(name, known)
                raise RecipeError(f"unknown choice {name!r}", remedy=hint or "leave it out")
        try:
            return cls(**record)
        except (TypeError, ValueError) as error:
            raise RecipeError(f"not a recipe: {error}") from error

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Read a recipe from a JSON file."""
        try:
            record = json.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RecipeError("no such recipe file", where=str(path)) from error
        except (OSError, ValueError) as error:
            raise RecipeError(f"not a JSON file: {error}", where=str(path)) from error
        if not isinstance(record, dict):
            raise RecipeError("a recipe is one JSON object", where=str(path))
        try:
            return cls.from_json(record)
        except RecipeError as error:
            raise error.at(str(path)) from error


def all_but(*names: str) -> tuple[str, ...]:
    """Return every choice of a recipe but these: what a rung that follows only them ignores."""
    return tuple(field.name for field in dataclasses.fields(Recipe) if field.name not in names)

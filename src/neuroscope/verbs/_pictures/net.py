"""Inside the net of a picture run: filters, feature maps, evidence for a class, templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.errors import DivergedError, InputError
from neuroscope.base.events import ignore
from neuroscope.tasks import rung_name
from neuroscope.tasks._learning import Learner, Problem, Watch
from neuroscope.tasks._net import NetLearner
from neuroscope.tasks._pictures.encoders import FeatureEncoder, FlatEncoder, PictureEncoder
from neuroscope.tasks._torch import TorchLearner
from neuroscope.verbs._climb.climb import Climb

if TYPE_CHECKING:
    from torch import Tensor, nn

    from neuroscope.verbs._pictures.views import Answers

_FILTERS = 64
_MAPS = 8  # of a block
_BLOCKS = 5
_LARGEST_MAP = 64  # pixels a side that are kept of a feature map
_TEMPLATE_SECONDS = 3.0  # at most, for fitting the single neuron once more
_TEMPLATE_SHARE = 0.02  # of the whole budget, at most
_CONTRAST = 99.5  # percentile of the weights that is shown in full colour


@dataclass(frozen=True)
class NetViews:
    """A whole torch net, pixels to logits, with the encoder of its pictures."""

    problem: Problem
    net: nn.Module
    encoder: PictureEncoder

    @property
    def crop(self) -> float:
        """The share of a picture's shorter side that the net sees; 0 is the whole picture."""
        return 0.0 if self.encoder.squash else self.encoder.size / self.encoder.resize

    def block(self, tested: Answers, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
        """Return what is said of filters and feature maps, and put them into `arrays`."""
        from neuroscope.explain.filters import first_filters  # noqa: PLC0415 - imports torch

        found: dict[str, Any] = {}
        try:
            filters = first_filters(self.net, most=_FILTERS)
            filters = filters[np.abs(filters - 0.5).max(axis=(1, 2, 3)) > 0]  # 0 sees nothing
            arrays["filters"] = _levels(filters)
            found["filters"] = {"shown": len(filters), "side": filters.shape[1]}
        except InputError:
            pass  # a net without convolutions has none
        return found | {"maps": self._maps(tested, arrays)}

    def _maps(self, tested: Answers, arrays: dict[str, np.ndarray]) -> dict[str, Any] | None:
        """Return the maps of the test picture that is named rightly with most certainty."""
        from neuroscope.explain.feature_maps import feature_maps  # noqa: PLC0415 - imports torch

        right = tested.decided == tested.y
        if not right.any():
            return None
        sure = np.where(right, tested.p[np.arange(len(tested.y)), tested.y], -1.0)
        best = int(sure.argmax())
        row = int(tested.rows[best])
        pixels = self._pixels(np.array([row]))
        blocks = feature_maps(self.net, self._blocks(), self._normalised(pixels), most=_MAPS)
        if not blocks:
            return None
        arrays["maps.picture"] = pixels[0]
        told = []
        for number, one in enumerate(blocks, start=1):
            arrays[f"maps.{number}"] = _levels(_smaller(one.maps))
            told.append({"name": one.block, "shown": len(one.maps), "total": one.total,
                         "side": one.maps.shape[-1]})  # fmt: skip
        said = str(self.problem.codec.classes[int(tested.y[best])])
        return {"row": row + 1, "predicted": said, "probability": float(sure[best]), "blocks": told}

    def evidence(self, rows: np.ndarray, classes: np.ndarray) -> np.ndarray | None:
        """Return Grad-CAM heat maps (n, h, w) of the rows for the classes; None without maps."""
        from neuroscope.explain.gradcam import gradcam  # noqa: PLC0415 - imports torch

        try:
            return gradcam(self.net, self._last_maps(), self._normalised(self._pixels(rows)),
                           classes)  # fmt: skip
        except InputError:
            return None  # a layer without places, as behind a dense layer

    def _pixels(self, rows: np.ndarray) -> np.ndarray:
        found = self.encoder.transform(self.problem.table, rows).x
        return np.ascontiguousarray(found.array[found.rows])

    def _normalised(self, pixels: np.ndarray) -> Tensor:
        import torch  # noqa: PLC0415 - slow to import

        device = next(self.net.parameters()).device
        return self.encoder.normalisation()(torch.from_numpy(pixels).to(device)).contiguous()

    def _last_maps(self) -> nn.Module:
        from neuroscope.nets import _staged, backbone  # noqa: PLC0415 - imports torch

        if isinstance(self.net, backbone.Transfer):
            return backbone.last_maps(self.net)
        assert isinstance(self.net, _staged.Staged)
        return _staged.last_maps(self.net)

    def _blocks(self) -> Mapping[str, nn.Module]:
        """Return some blocks all over the depth, by the names that a person may read."""
        from neuroscope.nets import _staged, backbone  # noqa: PLC0415 - imports torch

        if isinstance(self.net, backbone.Transfer):
            named = [
                (f"block {i}", group[-1]) for i, group in enumerate(self.net.backbone.groups, 1)
            ]
        else:
            assert isinstance(self.net, _staged.Staged)
            named = [(f"block {i}", stage) for i, stage in enumerate(self.net.stages, 1)]
        places = np.unique(np.linspace(0, len(named) - 1, min(_BLOCKS, len(named))).astype(int))
        return dict(named[place] for place in places)


def of_learner(problem: Problem, learner: Learner) -> NetViews | None:
    """Return the whole net of a learner, or None where it has no torch net.

    A frozen backbone and the neuron on its features are put together as one net.
    """
    if isinstance(learner, TorchLearner) and isinstance(learner.encoder, PictureEncoder):
        return NetViews(problem, learner.net, learner.encoder)
    encoder = learner.encoder
    if not (isinstance(learner, NetLearner) and isinstance(encoder, FeatureEncoder)):
        return None
    from neuroscope.nets.backbone import Transfer, linear_head  # noqa: PLC0415 - imports torch
    from neuroscope.tasks.rungs.image_classes.fine_tuning import set_head  # noqa: PLC0415

    net = Transfer(encoder.backbone, linear_head(encoder.backbone, problem.classes))
    set_head(net, learner, encoder)
    return NetViews(problem, net.eval(), encoder.pictures)


def templates(
    climb: Climb, chosen: str, learner: Learner, arrays: dict[str, np.ndarray]
) -> dict[str, Any] | None:
    """Return what the single neuron's weights are of, one picture a class, put into `arrays`.

    Where another rung was chosen, the neuron is fitted once more, within a few seconds.
    """
    again = chosen != "neuron"
    found = _neuron_again(climb) if again else learner
    if not isinstance(found, NetLearner) or not isinstance(found.encoder, FlatEncoder):
        return None
    pixels = found.encoder.pixels
    weights, _ = found.network.layer(0)
    pictures = weights.T.reshape(-1, pixels.size, pixels.size, pixels.channels)
    strongest = np.percentile(np.abs(pictures), _CONTRAST, axis=(1, 2, 3), keepdims=True)
    arrays["templates"] = _levels(0.5 + 0.5 * pictures / np.where(strongest > 0, strongest, 1))
    classes = climb.problem.codec.classes
    named = classes if len(classes) == len(pictures) else classes[-1:]  # two classes: one neuron
    return {"classes": [str(name) for name in named], "fitted_again": again}


def _neuron_again(climb: Climb) -> Learner | None:
    rung = next((r for r in climb.rungs if rung_name(r) == "neuron"), None)
    run = climb.runs.get("neuron")
    if rung is None or run is None or run.status != "done" or run.recipe is None:
        return None
    whole = climb.budget.seconds
    most = _TEMPLATE_SECONDS if whole is None else min(_TEMPLATE_SHARE * whole, _TEMPLATE_SECONDS)
    watch = Watch("neuron", -3, ignore, most, climb.stop)
    try:
        return rung.fit(climb.problem.folds[0], run.recipe, watch)
    except DivergedError:
        return None


def _smaller(maps: np.ndarray) -> np.ndarray:
    """Return maps (k, h, w) thinned out to at most `_LARGEST_MAP` pixels a side."""
    step = -(-max(maps.shape[1:]) // _LARGEST_MAP)
    return maps[:, ::step, ::step]


def _levels(values: np.ndarray | Sequence[float]) -> np.ndarray:
    """Return values in [0, 1] as 256 levels."""
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)

"""Lines over epochs: the loss of each fit, and the gradient that reaches each layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from neuroscope.base.events import EpochEnded, GradientFlow
from neuroscope.report.figures import is_number
from neuroscope.report.svg import Axis, Frame, Point

_LOG_FROM = 30  # ratio of the largest to the smallest loss from which the scale is logarithmic


def fits(epochs: Iterable[EpochEnded]) -> list[list[EpochEnded]]:
    """Split the epochs of one rung into its fits: another fold, or the count begins anew."""
    found: list[list[EpochEnded]] = []
    last: dict[int, list[EpochEnded]] = {}
    for event in epochs:
        current = last.get(event.fold)
        if current is None or event.epoch <= current[-1].epoch:
            current = last[event.fold] = []
            found.append(current)
        current.append(event)
    return found


def losses(all_fits: Sequence[Sequence[EpochEnded]], title: str) -> Markup | None:
    """Draw training and validation loss of every fit, the lowest validation loss as a dot.

    A fit of one epoch is a dot too; None when there are no others, and so no course to see.
    """
    training = [_points(fit, "train_loss") for fit in all_fits]
    validation = [_points(fit, "valid_loss") for fit in all_fits]
    points = [point for line in training + validation for point in line]
    if not any(len(line) > 1 for line in training + validation):
        return None
    values = [value for _, value in points]
    log = min(values) > 0 and max(values) > _LOG_FROM * min(values)
    across = _epochs(points)
    frame = Frame(across, Axis.over(values, log=log), "epoch", "loss, lower is better",
                  x_ticks=_whole(across))  # fmt: skip
    faint = " faint" if len(all_fits) > 1 else ""
    for lines, class_ in ((training, "train"), (validation, "valid")):
        for line in lines:
            if line:
                frame.line(line, class_ + faint)
    frame.dots([min(line, key=lambda p: p[1]) for line in validation if line], "best")
    fitted = f"{len(all_fits)} fits" if len(all_fits) > 1 else "one fit"
    named = "Training and validation loss" if any(validation) else "Training loss"
    return frame.render(f"Loss of {title}", f"{named} by epoch, {fitted}")


def gradients(layers: Sequence[Sequence[Point]], title: str) -> Markup | None:
    """Draw the norm that reaches each layer, first layer first, on a logarithmic scale.

    None where there is no course to see: a single epoch.
    """
    drawn = [[point for point in layer if point[1] > 0] for layer in layers]
    points = [point for layer in drawn for point in layer]
    if not any(len(line) > 1 for line in drawn):
        return None
    values = [value for _, value in points]
    across = _epochs(points)
    frame = Frame(across, Axis.over(values, log=True), "epoch", "gradient norm (log)",
                  x_ticks=_whole(across))  # fmt: skip
    for number, line in enumerate(drawn):
        if line:
            depth = number / max(len(drawn) - 1, 1)
            frame.line(line, "layer", style=f"--depth:{100 * depth:.0f}%")
    return frame.render(
        f"Gradient flow of {title}",
        f"Gradient norm by epoch for {len(layers)} layer{'s' * (len(layers) != 1)}",
    )


def by_layer(events: Iterable[GradientFlow]) -> list[list[Point]]:
    """Return the mean norm over fits at each epoch, one line a layer."""
    sums: dict[int, dict[int, list[float]]] = {}
    for event in events:
        for layer, norm in enumerate(event.norms):
            if is_number(norm):
                sums.setdefault(layer, {}).setdefault(event.epoch, []).append(norm)
    return [
        [(epoch, sum(norms) / len(norms)) for epoch, norms in sorted(sums[layer].items())]
        for layer in sorted(sums)
    ]


def _points(fit: Sequence[EpochEnded], name: str) -> list[Point]:
    pairs = [(event.epoch, getattr(event, name)) for event in fit]
    return [(float(epoch), float(value)) for epoch, value in pairs if is_number(value)]


def _epochs(points: Sequence[Point]) -> Axis:
    return Axis(min(epoch for epoch, _ in points), max(epoch for epoch, _ in points))


def _whole(axis: Axis) -> list[float]:
    """Return the ticks that are whole numbers: there is no half an epoch."""
    return [tick for tick in axis.ticks() if tick == round(tick)]

"""What a forecast is about: columns, step, horizon, season; parsed once, kept with the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from neuroscope.base.errors import InputError, ModelError
from neuroscope.data.series.beside.codes import Code
from neuroscope.data.series.frequency import Frequency
from neuroscope.data.series.origins import first_judged
from neuroscope.data.series.panel import Layout, Panel
from neuroscope.data.series.season import Chosen, choose_look_back, default_horizon, find_season

_TUPLES = ("targets", "ahead", "past", "codes")  # of a layout


@dataclass(frozen=True)
class Setting:
    """How far to look back and ahead, in steps of a frequency; `reasons` says why."""

    layout: Layout
    frequency: Frequency
    horizon: int
    look_back: int
    season: int  # steps; 1 is none
    reasons: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[Code, ...] = ()  # of the columns beside the targets
    calendar: tuple[str, ...] = ()  # parts of the calendar that are read

    def to_json(self) -> dict[str, Any]:
        """Return the setting as a JSON object; `from_json` gives an equal one back."""
        record = asdict(self)
        for name in _TUPLES:
            record["layout"][name] = list(record["layout"][name])
        return record | {"reasons": dict(self.reasons), "calendar": list(self.calendar),
                         "codes": [code.to_json() for code in self.codes]}  # fmt: skip

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Setting:
        """Build the setting that `to_json` wrote; ModelError for anything else."""
        try:
            layout = dict(record["layout"])
            layout |= {name: tuple(layout.get(name, ())) for name in _TUPLES}
            return cls(Layout(**layout), Frequency.from_json(record["frequency"]),
                       int(record["horizon"]), int(record["look_back"]), int(record["season"]),
                       dict(record["reasons"]),
                       tuple(Code.from_json(code) for code in record.get("codes", ())),
                       tuple(record.get("calendar", ())))  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the model's series cannot be read: {error!r}") from error


def settle(
    panel: Panel, layout: Layout, *, horizon: int | None = None, look_back: int | None = None
) -> Setting:
    """Choose what was not asked for, from the older part of the series only.

    Raises InputError for a horizon or look-back that is no number of steps, or that the series do
    not hold.
    """
    for name, value in (("horizon", horizon), ("look-back", look_back)):
        if value is not None and value < 1:
            raise InputError(f"{name} is {value}", remedy="give at least 1 step")
    usual = _usual_length(panel)
    ahead = Chosen(horizon, "as asked") if horizon else default_horizon(panel.frequency, usual)
    longest = int(panel.lengths.max())
    if ahead.steps >= longest:
        raise InputError(
            f"a horizon of {ahead.steps:,} steps is not shorter than the history: the longest "
            f"series has {longest:,} readings",
            remedy=f"give a --horizon of at most {max(longest // 8, 1)}",
        )
    season = find_season(panel, first_judged(panel, ahead.steps))
    learnt = max(usual - max(usual // 5, 2 * ahead.steps), 4)
    back = Chosen(look_back, "as asked") if look_back else choose_look_back(
        panel, season.steps, ahead.steps, learnt)  # fmt: skip
    reasons = {"horizon": ahead.reason, "season": season.reason, "look_back": back.reason}
    return Setting(layout, panel.frequency, ahead.steps, back.steps, season.steps, reasons)


def _usual_length(panel: Panel) -> int:
    """Return the length that three of four series have at least."""
    lengths = sorted(panel.lengths.tolist())
    return int(lengths[len(lengths) // 4])

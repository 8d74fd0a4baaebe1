"""Texts: which columns are read, what they are like, and the words that decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuroscope.base.events import Progress
from neuroscope.data.audit import Finding
from neuroscope.tasks._learning import Learner
from neuroscope.verbs._tasks._hooks import Hooks
from neuroscope.verbs._texts import prepare

if TYPE_CHECKING:
    from neuroscope.verbs._climb.conclude import Conclusion, Outcome


def _findings(end: Conclusion) -> tuple[Finding, ...]:
    from neuroscope.verbs._texts.views import suspect_labels  # noqa: PLC0415 - only after a climb

    return suspect_labels(end)


def _views(end: Conclusion, learner: Learner, tested: Outcome) -> dict[str, Any]:
    from neuroscope.verbs._texts.views import views  # noqa: PLC0415 - only after a climb

    return views(end, learner, tested)


def _insight(end: Conclusion, learner: Learner) -> dict[str, Any]:  # noqa: ARG001 - see `_views`
    from neuroscope.verbs._climb.curve import learning_curve  # noqa: PLC0415 - only after a climb

    end.climb.monitor(Progress(label="drawing the learning curve", done=0, total=1))
    return {"learning_curve": learning_curve(end)}


HOOKS = Hooks(
    claims=prepare.claims,
    prepare=prepare.prepare,
    look=prepare.look,
    findings=_findings,
    views=_views,
    insight=_insight,
)

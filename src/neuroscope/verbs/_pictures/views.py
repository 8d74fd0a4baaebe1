"""What a picture run shows: mistakes, what each rung gets wrong, doubtful labels, transfer.

The words and numbers go into result.json (block "pictures"), the arrays beside it into
`pictures.safetensors`; whoever shows the run draws them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neuroscope.data.audit import Finding
from neuroscope.data.audit.labels import doubted
from neuroscope.data.images import audit as picture_audit
from neuroscope.data.images.column import picture_column
from neuroscope.data.images.decode import UnreadableError
from neuroscope.data.images.store import Pictures, quiet_pillow
from neuroscope.tasks import rung_name
from neuroscope.tasks._learning import Learner, Problem
from neuroscope.verbs._climb.climb import Climb
from neuroscope.verbs._pictures import net as net_views
from neuroscope.verbs._pictures.transfer import transfer_worth

ARRAYS = "pictures"  # name of the file of arrays in the run folder, without its ending
SIDE = 144  # pixels of the longer side of a thumbnail
_MISTAKES = 12
_EACH_RUNG = 6
_SUSPECTS = 12


@dataclass(frozen=True)
class Answers:
    """What the chosen rung said about some rows: truth, probabilities, decision."""

    rows: np.ndarray  # (n,) row numbers from 0
    y: np.ndarray  # (n,)
    p: np.ndarray  # (n, k)
    decided: np.ndarray  # (n,)

    @classmethod
    def of(cls, rows: np.ndarray, y: np.ndarray, p: np.ndarray, threshold: float) -> Answers:
        """Decide as the model does: two classes by the threshold, several by the likeliest."""
        decided = (p[:, 1] >= threshold).astype(np.int64) if p.shape[1] == 2 else p.argmax(axis=1)
        return cls(rows, y, p, decided)


@dataclass
class PictureViews:
    """Collects the block and the arrays; a picture that cannot be read any more is left out."""

    climb: Climb
    column: str
    crop: float = 0.0  # of the shorter side, cut out of the middle; 0 shows the whole picture
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def problem(self) -> Problem:
        """The problem that was climbed."""
        return self.climb.problem

    def write(self, chosen: str, learner: Learner, tested: Answers) -> dict[str, Any]:
        """Write the arrays into the run folder and return the block."""
        net = net_views.of_learner(self.problem, learner)
        self.crop = net.crop if net is not None else 0.0
        with quiet_pillow(), Pictures(self.problem.table, self.column) as pictures:
            block = {
                "rung": chosen,
                "rungs": self._rungs(pictures),
                "transfer": transfer_worth(self.climb),
                "suspects": self._suspects(pictures, chosen),
            }
            if chosen != "majority":
                block["mistakes"] = self._mistakes(pictures, net, tested)
            if net is not None:
                block |= net.block(tested, self.arrays)
                self._named(pictures, block.get("maps"))
        block["templates"] = net_views.templates(self.climb, chosen, learner, self.arrays)
        block = {name: part for name, part in block.items() if part}
        self.climb.folder.checkpoint({"block": block}, self.arrays, ARRAYS)
        return block

    def _named(self, pictures: Pictures, maps: dict[str, Any] | None) -> None:
        if maps is not None:
            maps["name"] = pictures.name(maps["row"] - 1)

    def _mistakes(
        self, pictures: Pictures, net: net_views.NetViews | None, tested: Answers
    ) -> list[dict[str, Any]]:
        """Return the mistakes of the test rows, the most confident first."""
        wrong = np.flatnonzero(tested.decided != tested.y)
        sure = tested.p[wrong, tested.decided[wrong]]
        worst = wrong[np.argsort(-sure, kind="stable")[:_MISTAKES]]
        heats = None
        if net is not None and len(worst):
            heats = net.evidence(tested.rows[worst], tested.decided[worst])
        found = []
        for place, i in enumerate(worst):
            row, named = int(tested.rows[i]), int(tested.decided[i])
            entry = self._entry(pictures, row, int(tested.y[i]), named)
            entry["probability"] = float(tested.p[i, named])
            if heats is not None:
                self.arrays[f"heat.{row + 1}"] = np.rint(255 * heats[place]).astype(np.uint8)
            found.append(entry)
        return found

    def _rungs(self, pictures: Pictures) -> list[dict[str, Any]]:
        """Return for each rung pictures that it names wrongly and the next one rightly."""
        climb = self.climb
        done = [r for r in climb.rungs if climb.runs[rung_name(r)].status == "done"]
        held, y = climb.held_out, self.problem.y[climb.held_out]
        said = [climb.predictions(climb.runs[rung_name(r)]) for r in done]
        found = []
        for rung, after, p, q in zip(done, done[1:], said, said[1:], strict=False):
            wrong, right = p.argmax(axis=1) != y, q.argmax(axis=1) == y
            mended = np.flatnonzero(wrong & right)
            sure = q[mended, y[mended]]
            shown = mended[np.argsort(-sure, kind="stable")[:_EACH_RUNG]]
            found.append({
                "rung": rung_name(rung), "title": rung.TITLE, "next": rung_name(after),
                "next_title": after.TITLE, "rows": len(held), "wrong": int(wrong.sum()),
                "mended": len(mended), "spoiled": int((~wrong & ~right).sum()),
                "pictures": [
                    self._entry(pictures, int(held[i]), int(y[i]), int(p[i].argmax()))
                    for i in shown
                ],
            })  # fmt: skip
        return found

    def _suspects(self, pictures: Pictures, chosen: str) -> list[dict[str, Any]]:
        """Return the labels that the chosen rung doubts most, of rows it had not seen."""
        if chosen == "majority":
            return []
        held, y = self.climb.held_out, self.problem.y[self.climb.held_out]
        p = self.climb.predictions(self.climb.runs[chosen])
        return [
            self._entry(pictures, int(held[i]), int(y[i]), int(p[i].argmax()))
            | {"probability": float(p[i].max())}
            for i in doubted(y, p)[:_SUSPECTS]
        ]

    def _entry(self, pictures: Pictures, row: int, truth: int, named: int) -> dict[str, Any]:
        """Describe a picture by row number (from 1) and name, and keep its thumbnail."""
        classes = self.problem.codec.classes
        key = f"picture.{row + 1}"
        if key not in self.arrays:
            with suppress(UnreadableError):  # gone since the run began: its name is shown
                self.arrays[key] = _thumbnail(pictures, row, self.crop)
        return {"row": row + 1, "name": pictures.name(row), "truth": str(classes[truth]),
                "predicted": str(classes[named])}  # fmt: skip


def _thumbnail(pictures: Pictures, row: int, crop: float) -> np.ndarray:
    """Return a picture (h, w, c) uint8 of at most `SIDE` pixels; small ones stay as they are."""
    image = pictures.image(row, 2 * SIDE)
    if crop:
        side = crop * min(image.size)
        left, top = (image.width - side) / 2, (image.height - side) / 2
        image = image.crop((round(left), round(top), round(left + side), round(top + side)))
    image.thumbnail((SIDE, SIDE))
    pixels = np.asarray(image)
    return np.ascontiguousarray(pixels[..., None] if pixels.ndim == 2 else pixels)


def picture_views(climb: Climb, chosen: str, learner: Learner, tested: Answers) -> dict[str, Any]:
    """Return {"pictures": block} for a problem of pictures with classes, else nothing."""
    column = picture_column(climb.problem.table, climb.problem.schema)
    if column is None or climb.problem.kind == "regression":
        return {}
    return {"pictures": PictureViews(climb, column).write(chosen, learner, tested)}


def suspect_labels(climb: Climb, chosen: str) -> list[Finding]:
    """Return the finding on labels that the chosen rung doubts, for a problem of pictures."""
    problem = climb.problem
    if problem.kind == "regression" or chosen == "majority":
        return []
    held = climb.held_out
    found = picture_audit.suspects(
        problem.table, problem.schema, held, problem.y[held],
        climb.predictions(climb.runs[chosen]), problem.codec.classes,
    )  # fmt: skip
    return [] if found is None else [found]

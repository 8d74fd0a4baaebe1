"""Tasks: one file a task, which says what data it accepts, its rungs, metrics and explainers."""

from neuroscope.base.catalogue import Catalogue

catalogue = Catalogue("neuroscope.tasks", "task", besides=("estimators", "rungs"))

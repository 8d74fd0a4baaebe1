"""Tasks: one file a task, which says what data it accepts, its rungs, metrics and explainers."""

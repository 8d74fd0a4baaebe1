"""The rungs of the ladders: one folder a task, one file a rung.

A rung module says TITLE (reads inside a sentence), ORDER (rises with complexity, 0 is guessing),
YARDSTICK (compared, never chosen), PARALLEL (its folds may be fitted side by side), SHARE (of the
seconds left when its turn comes, what it may use), CORE (it is fitted by the neuron core), where
that core follows choices of deep nets FOLLOWS names them, and has

    recipes(training) -> list[Recipe]         the candidates of its search, best guess first
    fit(training, recipe, watch) -> Learner   the recipe is None where a rung has none
    unpack(record, arrays) -> Learner         the opposite of Learner.pack
    missing(problem) -> str                   optional: why it cannot be climbed; "" when it can
"""

"""The rungs of the ladders: one folder a task, one file a rung.

A rung module says TITLE (reads inside a sentence), ORDER (rises with complexity, 0 is guessing),
YARDSTICK (compared, never chosen), PARALLEL (its folds may be fitted side by side), SHARE (its part
of the time, against that of the rungs still to come), CORE (it is fitted by the neuron core),
REFITTED (once chosen it is fitted on all rows also where one held-out part judged it). Optional:
FOLLOWS names the choices of a recipe's SPECIAL (a torch net: and DENSE) ones that it follows,
IGNORES the common ones that it does not; what is neither is refused. VECTORS is true where a net
can begin with word vectors. It has

    recipes(training) -> list[Recipe]         the candidates of its search, best guess first
    fit(training, recipe, watch) -> Learner   the recipe is None where a rung has none
    unpack(record, arrays) -> Learner         the opposite of Learner.pack
    missing(problem) -> str                   optional: why it cannot be climbed; "" when it can
    remarks(problem) -> tuple[str, ...]       optional: what to know of the backbone, or the word
                                              vectors, it will use
"""

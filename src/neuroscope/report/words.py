"""The report's own words: the verdict, the glossary, and what a curve says."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, median

from neuroscope.base.events import EpochEnded
from neuroscope.report.figures import is_number, percent
from neuroscope.report.svg import Point

# verdict of the run -> (tone, badge, what it means)
VERDICTS = {
    "use": ("good", "Use it", "The model found something real in these data."),
    "consider_trees": (
        "warn",
        "Consider trees",
        "Gradient-boosted trees do better on these data than any network here.",
    ),
    "alone": (
        "warn",
        "Nothing beside it",
        "No guess and no other rung stands beside this model: climb more rungs to see what it is "
        "worth.",
    ),
    "do_not_use": (
        "bad",
        "Do not use it",
        "Nothing here is better than guessing without looking at the row.",
    ),
}
UNFINISHED = {
    "running": ("warn", "Still running", "What follows is what is known so far."),
    "interrupted": (
        "warn",
        "Interrupted",
        "The run was stopped before its end; what follows is what is known so far.",
    ),
    "failed": ("bad", "Failed", "The run ended with an error; what follows is what is known."),
}

# term -> (how it is written, what it means)
GLOSSARY = {
    "accuracy": ("accuracy", "The share of rows whose class is named correctly."),
    "balanced_accuracy": (
        "balanced accuracy",
        "Accuracy as if every class had the same number of rows, so that a rare class counts.",
    ),
    "roc_auc": (
        "AUC",
        "How well rows are put in order: the chance that a random positive row gets a higher "
        "score than a random negative one. 0.5 is guessing, 1 is perfect.",
    ),
    "pr_auc": (
        "PR AUC",
        "How pure the top of the list is when rows are sorted by score. Guessing gives the share "
        "of positive rows, 1 is perfect.",
    ),
    "log_loss": (
        "log loss",
        "The surprise at the true answer, given the probabilities stated. 0 is perfect; being "
        "sure and wrong costs most.",
    ),
    "brier": (
        "Brier score",
        "The mean squared distance of the stated probability from what happened. 0 is perfect.",
    ),
    "precision": ("precision", "Of the rows that are called positive, the share that are."),
    "recall": ("recall", "The share of positive rows that are found (sensitivity)."),
    "mcc": (
        "Matthews correlation",
        "How decisions and truth go together. 0 is guessing, 1 is perfect.",
    ),
    "median_absolute_error": (
        "median absolute error",
        "Half of the rows are missed by less, in units of the target.",
    ),
    "f1": ("F1", "The balance (harmonic mean) of precision and recall. 1 is perfect."),
    "r2": (
        "R²",
        "The share of the target's variation that the model explains. 0 is always saying the "
        "mean, 1 is perfect, below 0 is worse than the mean.",
    ),
    "rmse": (
        "RMSE",
        "The size of a typical miss in units of the target; large misses count most (root mean "
        "squared error).",
    ),
    "mase": (
        "MASE",
        "The average miss in units of what repeating the last season misses in the past, so that "
        "large and small series count alike (Hyndman and Koehler 2006).",
    ),
    "smape": (
        "sMAPE",
        "The average miss as percent of the mean of truth and forecast: 0 is perfect, 200 the "
        "worst. It says little where readings are near 0.",
    ),
    "standardised_mse": (
        "MSE of standardised values",
        "The mean squared miss where each series is brought to a variance of 1 first.",
    ),
    "bits_per_character": (
        "bits per character",
        "How surprising the next character of a text is on average: the yes-or-no questions that "
        "would still have to be asked. 0 is perfect, 1 less halves what it hesitates between.",
    ),
    "character_perplexity": (
        "perplexity per character",
        "Between how many equally likely characters the model hesitates on average.",
    ),
    "reference_bits": (
        "bits per character",
        "How many yes-or-no questions a character of the reference costs someone who has the "
        "model's help. 0 is perfect; guessing letters blindly costs about 4.7. It is the same for "
        "every rung, whatever pieces of words it writes.",
    ),
    "bleu": (
        "BLEU",
        "How many words, and runs of two to four words, of the translation are in the reference, "
        "less where it is too short (Papineni et al. 2002): 0 none, 100 all. Several translations "
        "are right, so nobody reaches 100.",
    ),
    "chrf": (
        "chrF",
        "How many runs of one to six letters translation and reference share (Popović 2015): 0 "
        "none, 100 all. Kinder than BLEU to another ending of the right word.",
    ),
    "exact_match": (
        "exact ones",
        "The share of translations that are the reference, letter for letter: what counts where "
        "only one answer is right, as with numbers.",
    ),
    "neighbour_ranking": (
        "neighbours found",
        "How often a true neighbour of a word gets a higher score than a word drawn at random: one "
        "half is chance, 1 is always.",
    ),
    "mae": ("mean absolute error", "The average size of a miss, in units of the target."),
    "interval": (
        "95 % interval",
        "Where the score would most likely lie had other rows of the same kind been drawn. A "
        "narrow interval is a sure score; overlapping intervals alone decide nothing.",
    ),
    "test": (
        "test rows",
        "Rows put aside at the start and opened once, at the end, for the chosen answer only: the "
        "honest figure.",
    ),
    "fold": (
        "fold",
        "One of several divisions of the same rows into a part to learn from and a part to be "
        "judged on; every answer gets the same ones.",
    ),
    "ladder": (
        "ladder",
        "The answers from the plainest to the deepest. The plainest one that is as good as the "
        "best is chosen.",
    ),
    "trees": (
        "gradient-boosted trees",
        "Many small decision trees, each mending the mistakes of those before: the usual best on "
        "tables, and the yardstick here.",
    ),
    "parameters": ("parameters", "The numbers that training sets: weights and biases."),
    "epoch": ("epoch", "One pass of training over all training rows."),
    "loss": (
        "loss",
        "What training makes small: how far the predictions are from the truth, as one number.",
    ),
    "validation": (
        "validation rows",
        "Rows that are not learned from; they show when learning turns into memorising.",
    ),
    "gradient": (
        "gradient",
        "The direction and size of the change in each weight that would lower the loss. A layer "
        "that gets almost none does not learn.",
    ),
    "confusion": (
        "confusion matrix",
        "A table that counts, for each true class, which class the model named.",
    ),
    "calibration": (
        "calibration",
        "Whether stated probabilities come true: of all rows given 70 %, 70 in 100 should happen.",
    ),
    "gradcam": (
        "Grad-CAM",
        "A map of where in a picture the network finds the evidence for a class (Selvaraju et al. "
        "2017): bright places raise the score of that class most.",
    ),
    "threshold": ("threshold", "The probability from which on the model says yes."),
    "sensitivity": ("sensitivity", "The share of positive rows that are found (recall)."),
    "specificity": ("specificity", "The share of negative rows that are left alone."),
    "recipe": ("recipe", "All choices of a training run; replaying it gives the same weights."),
    "importance": (
        "importance",
        "How much worse the score gets when one column is shuffled, so that it says nothing.",
    ),
}
_ALIASES = {"average_precision": "pr_auc", "auc": "roc_auc", "path_mae": "mae",
            "path_rmse": "rmse"}  # fmt: skip


_POSITIVE = {
    "positive rows": "{} rows",
    "positive row": "{} row",
    "positive pictures": "{} pictures",
    "positive picture": "{} picture",
    "called positive": "called {}",
    "the positives": "the {} rows",
    "of positives": "of {} rows",
    "negative row": "other row",
    "negative picture": "other picture",
}


def naming(text: str, named: str) -> str:
    """Return `text` with the class that is looked for in place of "positive".

    `named` is the class as it is to be written, in quotes; "" leaves the text as it is.
    """
    for general, put in _POSITIVE.items() if named else ():
        text = text.replace(general, put.format(named))
    return text


def term_of(metric: str) -> str | None:
    """Return the glossary's term for a metric, or None."""
    name = _ALIASES.get(metric, metric)
    return name if name in GLOSSARY else None


def title_of(metric: str) -> str:
    """Return how a metric is written."""
    term = term_of(metric)
    return GLOSSARY[term][0] if term else metric.replace("_", " ")


def reading_of_losses(fits: Sequence[Sequence[EpochEnded]]) -> str:
    """Say what the loss curves of one rung show, or "" when there is too little to say."""
    shapes = [_shape(fit) for fit in fits if len(fit) >= 5]
    said = [s for s in shapes if not s.startswith("training")] or shapes  # validation says more
    if not said:
        return ""
    most = max(set(said), key=lambda shape: (said.count(shape), shape))
    return {
        "memorising": "Validation loss turned upwards while training loss went on falling: from "
        "there on the net memorised, and fewer epochs or a stronger "
        "penalty may do better.",
        "falling": "Validation loss was still falling at the end: more epochs may help.",
        "level": "The loss levelled off: more epochs would change little.",
        "training level": "Training loss levelled off. There is no validation loss to compare it "
        "with.",
        "training falling": "Training loss was still falling at the end. There is no validation "
        "loss to compare it with.",
    }[most]


def _shape(fit: Sequence[EpochEnded]) -> str:
    valid = [e.valid_loss for e in fit if e.valid_loss is not None and is_number(e.valid_loss)]
    train = [e.train_loss for e in fit if is_number(e.train_loss)]
    if len(valid) < 5:
        return "training falling" if _still_falling(train) else "training level"
    window = max(len(valid) // 10, 2)  # single epochs jump up and down
    smooth = [mean(valid[i : i + window]) for i in range(len(valid) - window + 1)]
    rise, fall = smooth[-1] - min(smooth), smooth[0] - min(smooth)
    if rise > 0.1 * fall and train and train[-1] < train[0]:
        return "memorising"
    return "falling" if _still_falling(valid) else "level"


def _still_falling(losses: Sequence[float]) -> bool:
    """Say whether the last tenth of the epochs brought over 2 % of all that was gained."""
    if len(losses) < 5:
        return False
    last = max(len(losses) // 10, 2)
    gained = losses[0] - losses[-1]
    return gained > 0 and mean(losses[-2 * last : -last]) - mean(losses[-last:]) > 0.02 * gained


def reading_of_gradients(layers: Sequence[Sequence[Point]]) -> tuple[str, str]:
    """Return (tone, sentence) on whether the gradient reaches every layer.

    Vanishing: the first layer gets less than a thousandth of the last layer's gradient (Hochreiter
    1991). Exploding: a norm grows a thousandfold over its middle value (Pascanu et al. 2013).
    """
    norms = [[norm for _, norm in layer] for layer in layers if layer]
    if not norms:
        return "", ""
    for number, layer in enumerate(norms, start=1):
        if max(layer) > 1000 * max(median(layer), 1e-12):
            return "bad", (
                f"The gradient of layer {number} shot up to {max(layer) / median(layer):,.0f} "
                "times its usual size (exploding gradient): a smaller learning rate or a limit on "
                "the gradient's norm (clip_norm) keeps the steps in bounds."
            )
    first, last = median(norms[0]), median(norms[-1])
    if len(norms) == 1:
        return "good", "There is one layer, and the gradient reaches it directly."
    if first < 1e-3 * last:
        times = f"{last / first:,.0f} times less" if first > 0 else "no"
        return "bad", (
            f"The first layer gets {times} gradient than the last (vanishing gradient): it hardly "
            "learns. Fewer layers, the activation relu or another initialisation would help."
        )
    ratio = first / last if last > 0 else 1.0
    compared = "about as much as" if 0.5 <= ratio <= 2 else f"{ratio:.2g} times as much as"
    return "good", f"Healthy: the first layer gets {compared} the last, so all layers learn."


def reading_of_confusion(classes: Sequence[str], counts: Sequence[Sequence[float]]) -> str:
    """Name the share that is right and the pair that is mixed up most."""
    total = sum(sum(row) for row in counts)
    if not total:
        return ""
    right = sum(counts[i][i] for i in range(len(classes)))
    pairs = [
        (counts[i][j], i, j) for i in range(len(classes)) for j in range(len(classes)) if i != j
    ]
    said = f"{percent(right / total)} of the rows are named correctly."
    most, truth, decided = max(pairs, default=(0, 0, 0))
    if not most:
        return said
    of = sum(counts[truth])
    return (
        f"{said} The most common mistake: {most:,.0f} of {of:,.0f} rows that are "
        f"“{classes[truth]}” are called “{classes[decided]}”."
    )


def reading_of_calibration(bins: Sequence[dict]) -> str:
    """Say, for the fullest bin that is off the most, what is stated and what happens."""
    known = [b for b in bins if is_number(b.get("predicted")) and is_number(b.get("observed"))]
    if not known:
        return ""
    worst = max(known, key=lambda b: (b.get("count") or 1) * abs(b["predicted"] - b["observed"]))
    return (
        f"Where the model says {percent(worst['predicted'])}, it happens in "
        f"{percent(worst['observed'])} of the rows."
    )

"""A made-up data set of texts: what is a customer's message to a shop about?

Each message names one trouble, out of four topics; half of them also say what went well in another
topic, so that the topic's own noun ("parcel", "invoice") misleads and the trouble's words decide.
One label in fifty is wrong, as where people sort by hand.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from neuroscope.base import randomness

COUNT = 900
_WRONG = 0.02
_HELLO = ("Hello,", "Hi there,", "Good morning,", "To whom it may concern:", "Dear team,", "")
_BYE = ("Please help.", "Thank you.", "I am waiting for your answer.", "What can I do?", "Regards,"
        " Kim", "This is the second time I write.", "")  # fmt: skip
_THINGS = ("kettle", "lamp", "tent", "drill", "radio", "bicycle", "camera", "jacket", "chair")
_DAYS = ("Monday", "Friday", "last week", "ten days ago", "in March", "yesterday")
_TROUBLE = {
    "delivery": (
        "the parcel with my {thing} was promised for {day} and has not arrived",
        "my {thing} went to the neighbours although I was at home {day}",
        "tracking has said 'on its way' since {day} and nobody knows where the {thing} is",
        "the courier left the {thing} in the rain",
    ),
    "payment": (
        "I was charged twice for the {thing}",
        "the invoice for the {thing} shows another price than the page did {day}",
        "my card was refused although there is money on it, and the {thing} is not ordered now",
        "the refund for the {thing} I sent back {day} is still missing from my account",
    ),
    "fault": (
        "the {thing} stopped working after two days of use",
        "the {thing} makes a strange noise and smells of smoke",
        "a part of the {thing} was broken when I opened the box",
        "the switch of the {thing} is loose, so it goes off again and again",
    ),
    "advice": (
        "which {thing} would you recommend for a beginner",
        "does the {thing} also come in green, and in a larger size",
        "I cannot find out how the {thing} is to be cleaned",
        "is the {thing} fit for children, and do you sell spare parts for it",
    ),
}  # fmt: skip
_FINE = {
    "delivery": ("the parcel came quickly", "the courier was friendly"),
    "payment": ("the price was fair", "the invoice was correct"),
    "fault": ("the {thing} itself works well", "nothing was broken"),
    "advice": ("your advice on the phone was good", "I was recommended this shop"),
}


def messages() -> pa.Table:
    """Return 900 messages with their topics."""
    random, topics = randomness.generator(0, "messages"), list(_TROUBLE)
    rows = [_message(random, topics[i % len(topics)]) for i in range(COUNT)]
    labels = np.array([topics[i % len(topics)] for i in range(COUNT)], object)
    wrong = random.random(COUNT) < _WRONG
    labels[wrong] = random.choice(topics, int(wrong.sum()))
    order = random.permutation(COUNT)
    return pa.table({
        "message": pa.array([rows[i] for i in order]), "topic": pa.array(labels[order].tolist()),
    })  # fmt: skip


def _message(random: np.random.Generator, topic: str) -> str:
    def one(of: tuple[str, ...]) -> str:
        return str(of[int(random.integers(len(of)))])

    trouble = one(_TROUBLE[topic])
    if random.random() < 0.5:
        other = one(tuple(name for name in _FINE if name != topic))
        fine = one(_FINE[other])
        trouble = f"{fine}, but {trouble}" if random.random() < 0.5 else f"{trouble}; {fine}"
    text = trouble.format(thing=one(_THINGS), day=one(_DAYS))
    parts = (one(_HELLO), text[0].upper() + text[1:] + ".", one(_BYE))
    return " ".join(part for part in parts if part)

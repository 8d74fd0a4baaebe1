"""Word vectors that nets of texts begin with: a file of GloVe or word2vec, read once for all rungs.

A net begins where the vectors are and learns on from there (Kim 2014, 1408.5882, "non-static"), so
that words which are rare in the training texts already lie beside their like.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from neuroscope.base.errors import InputError, RecipeError
from neuroscope.base.recipe import Recipe
from neuroscope.data.text import vectors as files
from neuroscope.data.text.tokeniser import PAD
from neuroscope.data.text.vectors import WordVectors, embedding_of
from neuroscope.tasks._learning import Problem, Training
from neuroscope.tasks._texts.encoders import Store

if TYPE_CHECKING:
    from torch import nn

    from neuroscope.neuron.network import Network

_READING = threading.Lock()


def opened(problem: Problem, name: str) -> WordVectors:
    """Return the vectors of a file, read once for all rungs of a problem."""
    key = f"vectors {name}"
    with _READING:
        if key not in problem.shared:
            problem.shared[key] = files.read(name, monitor=problem.monitor)
        return problem.shared[key]


def remarks(problem: Problem) -> tuple[str, ...]:
    """Return what to know of the vectors; InputError where they hold none of the texts' words."""
    if not problem.vectors:
        return ()
    found = opened(problem, problem.vectors)
    words = Store.of(problem).words.vocabulary
    known = sum(word in found.index for word in words)
    if not known:
        raise InputError(
            f"none of the {len(words):,} words of the texts has a vector", where=found.origin,
            remedy="take vectors of the same language",
        )  # fmt: skip
    said = (f"{known:,} of {len(words):,} different words of the texts ({known / len(words):.0%}) "
            "have a vector in the file")  # fmt: skip
    return tuple(f"word vectors {problem.vectors}: {note}" for note in (said, *found.notes))


def begun(training: Training, recipe: Recipe) -> Recipe:
    """Return the recipe with the vectors that its net begins with, where some are given."""
    name = training.problem.vectors
    if not name:
        return recipe
    width = opened(training.problem, name).width
    return recipe.because(f"as asked: words begin with {width} numbers each", vectors=name)


def start_net(training: Training, recipe: Recipe) -> Callable[[nn.Module], None] | None:
    """Return what sets the embedding of a fresh torch net; None without vectors."""
    if not recipe.vectors:
        return None
    import torch  # noqa: PLC0415 - slow to import

    encoder, _ = training.encoded(recipe)
    made = embedding_of(opened(training.problem, recipe.vectors), encoder.tokeniser.tokens,
                        blank=(PAD,), seed=recipe.seed)  # fmt: skip

    def start(net: nn.Module) -> None:
        weight = net.get_submodule("reader").get_parameter("weight")
        with torch.no_grad():
            weight.copy_(torch.from_numpy(made.matrix))

    return start


def start_layer(training: Training, recipe: Recipe) -> Callable[[Network], None] | None:
    """Return what sets the first layer of a net on bags of words; None without vectors.

    A pair of words begins halfway between the two. Raises RecipeError where terms have no names,
    or where the first layer has another width.
    """
    if not recipe.vectors:
        return None
    found = opened(training.problem, recipe.vectors)
    bag = training.encoded(recipe)[0].bag
    if not bag.terms:
        raise RecipeError("terms that are hashed have no word vectors",
                          remedy="leave vectors out of the recipe")  # fmt: skip
    if recipe.hidden[:1] != (found.width,):
        raise RecipeError(
            f"the recipe's hidden is {list(recipe.hidden)}, the vectors have {found.width} numbers",
            remedy=f"let hidden begin with {found.width}",
        )
    matrix = term_vectors(found, bag.terms, recipe.seed)

    def start(network: Network) -> None:
        network.layer(0)[0][:] = matrix

    return start


def term_vectors(found: WordVectors, terms: tuple[str, ...], seed: int) -> np.ndarray:
    """Return a vector (terms, width) for each word, and for each pair the mean of its words'."""
    pairs = [place for place, term in enumerate(terms) if " " in term]
    matrix = embedding_of(found, terms, blank=pairs, seed=seed).matrix
    places = {term: place for place, term in enumerate(terms)}
    for place in pairs:
        first, second = (places.get(word, -1) for word in terms[place].split(" "))
        if min(first, second) >= 0:
            matrix[place] = (matrix[first] + matrix[second]) / 2
    return matrix

"""What the nets that write share: they read tokens in order and say what comes next.

    tokens (n, t) -> logits (n, t, vocabulary), those of step i from the tokens up to i

`forward` reads whole windows and forgets them; `read` goes on from a memory, so that a token is
read once however long the text becomes. Both give the same logits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from torch import Tensor, nn

from neuroscope.base.errors import InputError, RecipeError

Memory = TypeVar("Memory")


class Language(nn.Module, ABC, Generic[Memory]):
    """A net that says, after each token, how likely each token is to come next."""

    vocabulary: int  # tokens it knows, numbered from 0
    room: int | None = None  # tokens that its memory holds; None is no limit

    @abstractmethod
    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits (n, t, vocabulary) of `tokens` (n, t) int64, from no memory."""

    @abstractmethod
    def read(self, tokens: Tensor, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """Return the logits of `tokens` (n, t) that come after what `memory` holds, and all of it.

        A memory is used up by reading: it may be changed in place. More tokens than there is room
        for is an InputError.
        """

    @abstractmethod
    def parts(self) -> list[list[nn.Module]]:
        """Return the layer groups, lowest first, head last; each parameter once."""


def groups(net: Language) -> list[list[nn.Module]]:
    """Return the layer groups, lowest first, head last."""
    return net.parts()


def read(net: Language, tokens: Tensor, memory: object = None) -> tuple[Tensor, object]:
    """Return the logits of tokens that come after what `memory` holds, and the memory of all."""
    return net.read(tokens, memory)


def check_vocabulary(vocabulary: int) -> None:
    """Refuse a vocabulary that leaves nothing to choose from, with a RecipeError."""
    if type(vocabulary) is not int or vocabulary < 2:
        raise RecipeError(f"vocabulary is {vocabulary!r}", remedy="give the tokens: 2 or more")


def check_room(tokens: int, room: int) -> None:
    """Refuse more tokens than fit, with an InputError."""
    if tokens > room:
        raise InputError(
            f"{tokens} tokens are more than the {room} that the net looks back on",
            remedy="give it the last of them",
        )


def normal(layer: nn.Linear | nn.Embedding, std: float) -> None:
    """Set first weights to N(0, std^2), biases to 0."""
    nn.init.normal_(layer.weight, std=std)
    bias = getattr(layer, "bias", None)
    if isinstance(bias, Tensor):
        nn.init.zeros_(bias)

"""From a net of sentence pairs to sentences: the likeliest token each time, or a beam.

A beam keeps the `beam` likeliest beginnings, and takes the finished sentence with the best

    log p(y | x) / ((5 + |y|) / 6)^length_penalty

(Wu et al. 2016, 1609.08144, eq. 14), |y| tokens with the end: without it short ones would win.
Sentences that are finished leave the batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from neuroscope.nets._pairs import Pairs, picked


@dataclass(frozen=True)
class Search:
    """How sentences are written; `never` are tokens that none may hold, as padding."""

    start: int
    end: int
    beam: int = 4
    length_penalty: float = 0.6
    never: tuple[int, ...] = ()
    longest_ratio: float = 2.0  # at most so many tokens for one of the source,
    longest_extra: int = 10  # and so many more

    def longest(self, length: int) -> int:
        """Return how many tokens a sentence may have for a source of `length`, its end counted."""
        return int(self.longest_ratio * length) + self.longest_extra


class Written(NamedTuple):
    """A sentence without start and end, and log p (nats) of it and its end."""

    tokens: list[int]
    score: float
    cut: bool = False  # there was no room for its end


@torch.inference_mode()
def write(net: Pairs, source: Tensor, lengths: Tensor, search: Search) -> list[Written]:
    """Return a sentence for each source (n, s) of lengths (n,)."""
    net.eval()
    if search.beam == 1:
        return _greedy(net, source, lengths, search)
    return _Beam(net, source, lengths, search).run()


def _greedy(net: Pairs, source: Tensor, lengths: Tensor, search: Search) -> list[Written]:
    memory = net.read(source, lengths)
    state, n = net.begin(memory), len(source)
    tokens = torch.full((n,), search.start, device=source.device)
    rows = torch.arange(n, device=source.device)  # that are still written
    most = torch.tensor(_limits(net, lengths, search), device=source.device)
    steps = int(most.max())
    said = torch.full((n, steps), search.end, device=source.device)
    scores = torch.zeros(n, dtype=torch.float64, device=source.device)
    cut = torch.zeros(n, dtype=torch.bool, device=source.device)
    for step in range(steps):
        logits, state = net.step(tokens, memory, state)
        best, tokens = _likelihoods(logits, search).max(1)
        scores[rows] += best
        said[rows, step] = tokens
        open_ended, room = tokens != search.end, most[rows] > step + 1
        cut[rows] = open_ended & ~room
        going = (open_ended & room).nonzero()[:, 0]
        if not len(going):
            break
        if len(going) < len(rows):
            rows, tokens = rows[going], tokens[going]
            memory, state = picked(memory, going), picked(state, going)
    return [
        Written(_until(row, search.end), score, short)
        for row, score, short in zip(said.tolist(), scores.tolist(), cut.tolist(), strict=True)
    ]


def _limits(net: Pairs, lengths: Tensor, search: Search) -> list[int]:
    """Return how many tokens each sentence has at most: no more than the net has places for.

    They depend on its own source alone, not on those that share its batch.
    """
    places = net.longest or math.inf
    return [int(min(search.longest(length), places)) for length in lengths.tolist()]


def _likelihoods(logits: Tensor, search: Search) -> Tensor:
    """Return log p (n, vocabulary) of each next token; -inf for those that are never written."""
    logp = logits.float().log_softmax(1)
    if search.never:
        logp[:, list(search.never)] = -torch.inf
    return logp


def _until(tokens: list[int], end: int) -> list[int]:
    return tokens[: tokens.index(end)] if end in tokens else tokens


class _Beam:
    """The beginnings (n, k) of n sentences, the finished ones set aside."""

    def __init__(self, net: Pairs, source: Tensor, lengths: Tensor, search: Search) -> None:
        self.net, self.search, device = net, search, source.device
        n, k = len(source), search.beam
        self.limits = _limits(net, lengths, search)
        repeated = torch.arange(n, device=device).repeat_interleave(k)
        self.memory = picked(net.read(source, lengths), repeated)
        self.state = net.begin(self.memory)
        self.rows = list(range(n))  # whose beams are still written
        self.scores = torch.full((n, k), -torch.inf, device=device)
        self.scores[:, 0] = 0.0  # one beginning each: all are the same so far
        self.tokens = torch.full((n * k,), search.start, device=device)
        self.said = torch.empty((n, k, 0), dtype=torch.long, device=device)
        self.finished: list[list[Written]] = [[] for _ in range(n)]

    def run(self) -> list[Written]:
        """Write until each beam has as many finished sentences as it is wide, or no room left."""
        while self.rows:
            self._step()
        return [max(found, key=self._merit) for found in self.finished]

    def _merit(self, written: Written) -> float:
        return written.score / ((5 + len(written.tokens) + 1) / 6) ** self.search.length_penalty

    def _step(self) -> None:
        k, n = self.search.beam, len(self.rows)
        logits, state = self.net.step(self.tokens, self.memory, self.state)
        logp = _likelihoods(logits, self.search)
        size = logp.shape[1]
        total = (self.scores[:, :, None] + logp.view(n, k, size)).flatten(1)
        best, place = total.topk(min(2 * k, total.shape[1]), 1)
        origin, token = place // size, place % size
        ended = (token == self.search.end) & best.isfinite()
        self._set_aside(best, origin, ended)
        self.scores, kept = best.masked_fill(token == self.search.end, -torch.inf).topk(k, 1)
        origin, token = origin.gather(1, kept), token.gather(1, kept)
        before = self.said.gather(1, origin[:, :, None].expand(-1, -1, self.said.shape[2]))
        self.said = torch.cat([before, token[:, :, None]], 2)
        going = [at for at, row in enumerate(self.rows) if self._goes_on(at, row)]
        self._keep(torch.tensor(going, dtype=torch.long, device=token.device), origin, token, state)

    def _goes_on(self, place: int, row: int) -> bool:
        """Say whether a sentence is still written; without room it is taken as far as it is."""
        if len(self.finished[row]) >= self.search.beam:
            return False
        if self.said.shape[2] < self.limits[row]:
            return True
        tokens = self.said[place, 0].tolist()
        self.finished[row].append(Written(tokens, float(self.scores[place, 0]), cut=True))
        return False

    def _set_aside(self, best: Tensor, origin: Tensor, ended: Tensor) -> None:
        """Take the sentences that end here and are among the k likeliest to the finished ones."""
        for place, rank in ended[:, : self.search.beam].nonzero().tolist():
            tokens = self.said[place, origin[place, rank]].tolist()
            self.finished[self.rows[place]].append(Written(tokens, float(best[place, rank])))

    def _keep(self, going: Tensor, origin: Tensor, token: Tensor, state: dict[str, Tensor]) -> None:
        """Go on with these sentences, each beginning with the state of the one it grew from."""
        k = self.search.beam
        parents = (going[:, None] * k + origin[going]).flatten()
        self.state = picked(state, parents)
        if len(going) < len(self.rows):
            own = going[:, None] * k + torch.arange(k, device=going.device)
            self.memory = picked(self.memory, own.flatten())
            self.rows = [self.rows[at] for at in going.tolist()]
            self.scores, self.said = self.scores[going], self.said[going]
        self.tokens = token[going].flatten()

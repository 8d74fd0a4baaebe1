"""The contract of every family of nets for sentence pairs, and how sentences are written."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save
from torch import nn
from torch.nn import functional

from neuroscope import nets
from neuroscope.base.errors import RecipeError
from neuroscope.nets._pairs import Pairs
from neuroscope.nets.beam import Search, Written, write
from neuroscope.nets.weights import from_arrays, to_arrays

FAMILIES = [n for n in nets.catalogue.names() if hasattr(nets.catalogue.get(n), "attention")]
SMALL = {
    "recurrent_pairs": {"channels": 6, "width": 8, "layers": 2},
    "transformer_pairs": {"width": 8, "heads": 2, "layers": 2},
}
WAYS = [
    ("recurrent_pairs", {}),
    ("recurrent_pairs", {"cell": "lstm"}),
    ("recurrent_pairs", {"layers": 1}),
    ("recurrent_pairs", {"layers": 3, "width": 7}),
    ("transformer_pairs", {}),
    ("transformer_pairs", {"layers": 1, "heads": 1}),
]
START, END, WORDS = 2, 3, 12
SEARCH = Search(start=START, end=END, never=(0, 1, START))
LENGTHS = torch.tensor([6, 1, 4])


def _record(family: str, options: dict | None = None, **more) -> dict:
    shape = {"vocabulary": WORDS, "seed": 5}
    return {"family": family, "options": shape | SMALL[family] | (options or {}) | more}


def _net(family: str, options: dict | None = None, **more) -> Pairs:
    net = nets.build(_record(family, options, **more))
    assert isinstance(net, Pairs)
    with torch.no_grad():  # what starts at 0 could hide a fault
        for parameter in net.parameters():
            if not parameter.any():
                parameter.normal_(std=0.3, generator=torch.Generator().manual_seed(2))
    return net


def _tokens(n: int, steps: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(4, WORDS, (n, steps), generator=torch.Generator().manual_seed(seed))


def test_families_are_the_files() -> None:
    assert FAMILIES == ["recurrent_pairs", "transformer_pairs"]


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_builds_runs_forward_and_back(family: str, options: dict) -> None:
    net = _net(family, options)
    logits = net(_tokens(3, 6), LENGTHS, _tokens(3, 5, seed=2))
    functional.cross_entropy(logits.flatten(0, 1), _tokens(3, 5, seed=3).flatten()).backward()
    assert logits.shape == (3, 5, WORDS)
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_padding_changes_no_output_and_no_gradient(family: str, options: dict) -> None:
    net = _net(family, options).double()
    source, given = _tokens(3, 6), _tokens(3, 5, seed=2)
    wide = torch.cat([source, torch.full((3, 4), 11)], 1)
    for row, length in enumerate(LENGTHS):
        wide[row, length:] = 10 - row
    longer = torch.cat([given, _tokens(3, 3, seed=4)], 1)
    plain, padded = net(source, LENGTHS, given), net(wide, LENGTHS, longer)[:, :5]
    torch.testing.assert_close(padded, plain)
    weights = torch.randn(plain.shape, dtype=plain.dtype)
    for one, other in zip(
        torch.autograd.grad((plain * weights).sum(), list(net.parameters())),
        torch.autograd.grad((padded * weights).sum(), list(net.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(one, other)
    alone = net(source[1:2, :1], LENGTHS[1:2], given[1:2])
    torch.testing.assert_close(alone, plain[1:2])


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_no_step_sees_a_later_one(family: str, options: dict) -> None:
    net = _net(family, options).eval()
    given, other = _tokens(3, 5, seed=2), _tokens(3, 5, seed=6)
    changed = torch.cat([given[:, :3], other[:, 3:]], 1)
    source = _tokens(3, 6)
    one, two = net(source, LENGTHS, given), net(source, LENGTHS, changed)
    torch.testing.assert_close(one[:, :3], two[:, :3])
    assert not torch.allclose(one[:, 3:], two[:, 3:])


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_steps_with_what_is_kept_equal_all_steps_at_once(family: str, options: dict) -> None:
    net = _net(family, options).double().eval()
    source, given = _tokens(3, 6), _tokens(3, 5, seed=2)
    at_once, memory = net(source, LENGTHS, given), net.read(source, LENGTHS)
    state = net.begin(memory)
    for step in range(5):
        logits, state = net.step(given[:, step], memory, state)
        torch.testing.assert_close(logits, at_once[:, step])


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_attention_says_where_each_token_comes_from(family: str, options: dict) -> None:
    net = _net(family, options).eval()
    weights = nets.catalogue.get(family).attention(
        net, _tokens(3, 7), LENGTHS, _tokens(3, 5, seed=2)
    )
    assert weights.shape == (3, 5, 7)
    torch.testing.assert_close(weights.sum(2), torch.ones(3, 5))
    assert not weights[1, :, 1:].any()


@pytest.mark.parametrize("family", FAMILIES)
def test_saves_and_loads(family: str) -> None:
    record = json.loads(json.dumps(_record(family)))
    net, other = nets.build(record).eval(), nets.build(_record(family, seed=6)).eval()
    rows = _tokens(3, 6), LENGTHS, _tokens(3, 5, seed=2)
    assert not torch.equal(net(*rows), other(*rows))
    from_arrays(other, load(save(to_arrays(net))))
    assert torch.equal(net(*rows), other(*rows))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_seed_decides_the_weights_and_nothing_else_moves(family: str) -> None:
    before = torch.get_rng_state()
    one, same = (to_arrays(nets.build(_record(family))) for _ in range(2))
    other = to_arrays(nets.build(_record(family, seed=6)))
    assert torch.equal(before, torch.get_rng_state())
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert any(not np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_groups_hold_each_layer_once(family: str, options: dict) -> None:
    net = _net(family, options)
    found = nets.catalogue.get(family).groups(net)
    held = [id(p) for group in found for module in group for p in module.parameters()]
    assert len(held) == len(set(held))
    assert set(held) | {id(net.bias)} == {id(p) for p in net.parameters()}


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"vocabulary": 1}, "vocabulary"), ({"layers": 0}, "layers"), ({"dropout": 1.0}, "dropout"),
     ({"width": 0}, "width"), ({"colour": 1}, "colour")],
)  # fmt: skip
@pytest.mark.parametrize("family", FAMILIES)
def test_options_out_of_range_are_refused(family: str, changes: dict, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        nets.build(_record(family, changes))


def test_heads_and_cells_that_do_not_fit_are_refused() -> None:
    with pytest.raises(RecipeError, match="heads"):
        nets.build(_record("transformer_pairs", heads=3))
    with pytest.raises(RecipeError, match="gruu"):
        nets.build(_record("recurrent_pairs", cell="gruu"))


@pytest.mark.slow
@pytest.mark.parametrize(("family", "options"), [WAYS[0], WAYS[1], WAYS[4]])
def test_learns_to_turn_a_sequence_round(family: str, options: dict) -> None:
    net = nets.build(_record(family, {**options, "width": 16}))
    lengths = torch.arange(16) % 3 + 2
    source = _tokens(16, 4)
    given, wanted = torch.zeros(16, 5, dtype=torch.long), torch.full((16, 5), -100)
    for row, length in enumerate(lengths.tolist()):
        turned = source[row, :length].flip(0)
        given[row, : length + 1] = torch.cat([torch.tensor([START]), turned])
        wanted[row, : length + 1] = torch.cat([turned, torch.tensor([END])])
    steps = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(200):
        logits = net(source, lengths, given)
        loss = functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())
        steps.zero_grad()
        loss.backward()
        steps.step()
    for beam in (1, 3):
        written = write(net, source, lengths, Search(START, END, beam=beam))
        right = [w.tokens == source[row, : lengths[row]].flip(0).tolist()
                 for row, w in enumerate(written)]  # fmt: skip
        assert sum(right) >= 15


def _uncached(net: nn.Module, source: torch.Tensor, lengths: torch.Tensor) -> list[list[int]]:
    """Write greedily by running all that is written through the net at every step."""
    said = torch.full((len(source), 1), START)
    most = [SEARCH.longest(length) for length in lengths.tolist()]
    for _ in range(max(most)):
        logits = net(source, lengths, said)[:, -1]
        logits[:, list(SEARCH.never)] = -torch.inf
        said = torch.cat([said, logits.argmax(1, keepdim=True)], 1)
    rows = [row[1 : 1 + room] for row, room in zip(said.tolist(), most, strict=True)]
    return [row[: row.index(END)] if END in row else row for row in rows]


@pytest.mark.parametrize(("family", "options"), WAYS)
@torch.no_grad()
def test_a_beam_of_one_is_greedy_and_what_is_kept_changes_nothing(
    family: str, options: dict
) -> None:
    net = _net(family, options).double().eval()
    source, lengths = _tokens(8, 6), torch.tensor([6, 1, 4, 2, 3, 5, 6, 6])
    greedy = write(net, source, lengths, Search(START, END, beam=1, never=SEARCH.never))
    narrow = _beam(net, source, lengths, 1)
    assert [w.tokens for w in greedy] == _uncached(net, source, lengths)
    assert [w.tokens for w in greedy] == [w.tokens for w in narrow]
    np.testing.assert_allclose([w.score for w in greedy], [w.score for w in narrow], rtol=1e-5)


def _beam(net: Pairs, source: torch.Tensor, lengths: torch.Tensor, k: int) -> list[Written]:
    from neuroscope.nets.beam import _Beam

    with torch.inference_mode():
        return _Beam(net, source, lengths, Search(START, END, beam=k, never=SEARCH.never)).run()


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_a_beam_finds_likelier_sentences_and_scores_them_rightly(family: str) -> None:
    net = _net(family, {"layers": 1}).double().eval()
    source, lengths = _tokens(8, 6), torch.tensor([6, 1, 4, 2, 3, 5, 6, 6])
    plain = Search(START, END, beam=1, never=SEARCH.never, length_penalty=0.0)
    greedy = write(net, source, lengths, plain)
    wide = write(net, source, lengths, Search(START, END, beam=6, never=SEARCH.never,
                                              length_penalty=0.0))  # fmt: skip
    assert sum(w.score for w in wide) >= sum(w.score for w in greedy)
    for row, found in enumerate(wide):
        room = plain.longest(int(lengths[row]))
        given = torch.tensor([[START, *found.tokens]])
        logits = net(source[row : row + 1], lengths[row : row + 1], given)[0]
        each = logits.log_softmax(1).gather(1, torch.tensor([[*found.tokens, END]]).T)
        assert len(found.tokens) <= room
        if len(found.tokens) < room:
            assert float(each.sum()) == pytest.approx(found.score, rel=1e-4)
    assert not {0, 1, START, END} & {token for w in wide for token in w.tokens}


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_a_sentence_does_not_hang_on_those_that_share_its_batch(family: str, beam: int) -> None:
    """A net that has learned nothing never ends: its own source says when there is no room left."""
    net = _net(family, {"layers": 1}).double().eval()
    source, lengths = _tokens(4, 6), torch.tensor([6, 1, 4, 2])
    search = Search(START, END, beam=beam, never=(*SEARCH.never, END))
    together = write(net, source, lengths, search)
    for row, found in enumerate(together):
        alone = write(net, source[row : row + 1], lengths[row : row + 1], search)[0]
        assert alone.tokens == found.tokens
        assert len(found.tokens) == search.longest(int(lengths[row]))
        assert found.cut


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_a_length_penalty_makes_sentences_no_shorter(family: str) -> None:
    net = _net(family, {"layers": 1}).eval()
    source, lengths = _tokens(8, 6), torch.tensor([6, 1, 4, 2, 3, 5, 6, 6])
    counts = [
        sum(len(w.tokens) for w in write(net, source, lengths, Search(
            START, END, beam=4, length_penalty=penalty, never=SEARCH.never)))
        for penalty in (0.0, 2.0)
    ]  # fmt: skip
    assert counts[0] <= counts[1]


class _Counting(nn.Module):
    """Writes the token 4 `count` times, then the end, whatever it reads."""

    longest = None

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def read(self, source: torch.Tensor, lengths: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"rows": torch.zeros(len(source), 1)}

    def begin(self, memory: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {"step": torch.zeros(len(memory["rows"]), 1)}

    def step(
        self,
        tokens: torch.Tensor,
        memory: object,
        state: dict[str, torch.Tensor],
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        ends = state["step"][:, 0] >= self.count
        sure = torch.where(ends, END, 4)
        return 30.0 * functional.one_hot(sure, WORDS).float(), {"step": state["step"] + 1}


@pytest.mark.parametrize("beam", [1, 4])
def test_a_sentence_without_room_for_its_end_is_marked_as_cut(beam: int) -> None:
    net: Pairs = _Counting(30)  # type: ignore[assignment]
    source, lengths = _tokens(2, 40), torch.tensor([1, 40])
    search = Search(START, END, beam=beam, never=SEARCH.never)
    short, whole = write(net, source, lengths, search)
    assert (len(short.tokens), short.cut) == (search.longest(1), True)
    assert (len(whole.tokens), whole.cut) == (30, False)
    wide = Search(START, END, beam=beam, never=SEARCH.never, longest_extra=40)
    assert [(len(w.tokens), w.cut) for w in write(net, source, lengths, wide)] == [(30, False)] * 2

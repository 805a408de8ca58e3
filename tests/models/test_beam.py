import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.beam import Beam, Hypothesis, score, search

V, END = 4, 2  # tokens of the toy language
START = (END, END)  # before the first token: no text has it, so no two texts tie
TOLERANCE = 1e-5  # sums of a few float32 logarithms


class Markov:
    """A language whose next token depends on the two before it. The older one is the state, so a
    state that is given to the wrong path shows."""

    def __init__(self, seed: int = 0, spread: float = 1.0):
        generator = torch.Generator().manual_seed(seed)
        self.table = (spread * torch.randn(V, V, V, generator=generator)).log_softmax(-1)

    def step(self, index, state, tokens):
        return self.table[state, tokens], tokens

    def search(self, width: int, limit: int, length_penalty: float = 0.0, prefix=()):
        older, last, total = *START, 0.0
        for token in prefix:
            total += self.table[older, last, token].item()
            older, last = last, token
        items = list(
            search(
                self.step,
                lambda state, rows: state[rows],
                torch.tensor([older]),
                last,
                end=END,
                width=width,
                limit=limit,
                length_penalty=length_penalty,
                prefix=tuple(prefix),
                log_probability=total,
            )
        )
        assert all(isinstance(item, Beam) for item in items[:-1])
        return items[:-1], items[-1]

    def probability(self, text) -> float:
        """Nats of a text of tokens."""
        older, last, total = *START, 0.0
        for token in text:
            total += self.table[older, last, token].item()
            older, last = last, token
        return total

    def greedy(self, limit: int) -> list[int]:
        older, last, text = *START, []
        while len(text) < limit and END not in text:
            older, last = last, int(self.table[older, last].argmax())
            text.append(last)
        return text


def every_text(limit: int, prefix=()) -> list[tuple[int, ...]]:
    """All texts that end within the limit, or are as long as it without an end."""
    inner = [token for token in range(V) if token != END]
    texts = [
        (*prefix, *text, END)
        for n in range(limit - len(prefix))
        for text in product(inner, repeat=n)
    ]
    return texts + [(*prefix, *text) for text in product(inner, repeat=limit - len(prefix))]


def ranked(language: Markov, texts, length_penalty: float):
    """What an exhaustive search finds: those that end first, then by score."""
    found = []
    for text in texts:
        total = language.probability(text)
        rank = total / len(text) ** length_penalty
        found.append((text[-1] != END, -rank, list(text), total))
    return sorted(found)


@pytest.mark.parametrize("seed", range(5))
def test_a_beam_of_one_is_the_greedy_text(seed):
    language = Markov(seed)
    _, found = language.search(1, 12)
    text = language.greedy(12)
    assert [one.token_ids for one in found] == [text]
    assert found[0].log_probability == pytest.approx(language.probability(text), abs=TOLERANCE)
    assert found[0].ended == (text[-1] == END)


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0, 2.0])
def test_a_beam_wide_enough_finds_every_text_in_the_order_of_an_exhaustive_search(length_penalty):
    language, limit = Markov(3), 4
    texts = every_text(limit)
    _, found = language.search(len(texts), limit, length_penalty)
    expected = ranked(language, texts, length_penalty)
    assert [one.token_ids for one in found] == [text for _, _, text, _ in expected]
    for one, (cut, rank, _, total) in zip(found, expected, strict=True):
        assert one.log_probability == pytest.approx(total, abs=TOLERANCE)
        assert one.score == pytest.approx(-rank, abs=TOLERANCE)
        assert one.ended == (not cut)


def test_a_prefix_is_kept_and_what_follows_is_the_best_behind_it():
    language, prefix = Markov(4), (3, 1)
    texts = every_text(5, prefix)
    beams, found = language.search(len(texts), 5, 1.0, prefix)
    expected = ranked(language, texts, 1.0)
    assert [one.token_ids for one in found] == [text for _, _, text, _ in expected]
    assert found[0].log_probability == pytest.approx(expected[0][3], abs=TOLERANCE)
    assert [beam.index for beam in beams] == [2, 3, 4]
    assert all(node.parent == -1 for node in beams[0].nodes)


languages = st.builds(Markov, st.integers(0, 200), st.sampled_from([0.3, 1.0, 3.0]))


@settings(max_examples=40)
@given(languages, st.integers(1, 6), st.integers(1, 8))
def test_the_nodes_are_a_tree_whose_paths_lose_probability(language, width, limit):
    beams, found = language.search(width, limit)
    nodes = {}
    for at, beam in enumerate(beams):
        assert beam.index == at
        for node in beam.nodes:
            assert node.id not in nodes
            assert node.parent == -1 if at == 0 else nodes[node.parent].kept
            if node.parent != -1:
                parent = nodes[node.parent]
                assert not parent.ended
                assert node.log_probability <= parent.log_probability
            assert node.kept or not node.ended
            assert node.ended == (node.kept and node.token_id == END)
        nodes |= {node.id: node for node in beam.nodes}
        assert sum(node.kept and not node.ended for node in beam.nodes) <= width
        assert sum(node.ended for node in beam.nodes) <= width
    assert sorted(nodes) == list(range(len(nodes)))
    assert 1 <= len(found) <= width


@settings(max_examples=40)
@given(languages, st.integers(1, 6), st.integers(1, 8))
def test_every_hypothesis_is_a_path_of_the_tree_with_its_probability(language, width, limit):
    beams, found = language.search(width, limit)
    nodes = {node.id: node for beam in beams for node in beam.nodes}
    paths = {}
    for node in nodes.values():
        text, at = [], node.id
        while at != -1:
            text.append(nodes[at].token_id)
            at = nodes[at].parent
        paths[tuple(text[::-1])] = node
    for one in found:
        node = paths[tuple(one.token_ids)]
        assert node.kept
        assert node.ended == one.ended
        assert node.log_probability == one.log_probability
        expected = language.probability(one.token_ids)
        assert one.log_probability == pytest.approx(expected, abs=TOLERANCE)


def test_a_search_that_reaches_the_limit_gives_the_cut_texts_behind_those_that_ended():
    language = Markov(1)
    language.table[..., END] -= 6.0  # an end is rare
    _, found = language.search(4, 3)
    assert [one.ended for one in found] == sorted((one.ended for one in found), reverse=True)
    assert any(not one.ended for one in found)
    assert all(len(one.token_ids) == 3 for one in found if not one.ended)


def test_a_limit_that_the_prefix_has_used_up_leaves_the_prefix():
    beams, found = Markov().search(3, 2, 0.0, (3, 1))
    assert beams == []
    total = Markov().probability((3, 1))
    assert found == [Hypothesis([3, 1], pytest.approx(total, abs=TOLERANCE), found[0].score, False)]


def test_what_cannot_be_written_is_no_node():
    language = Markov(2)
    language.table[..., 1] = -math.inf
    beams, found = language.search(6, 4)
    assert all(math.isfinite(n.log_probability) for beam in beams for n in beam.nodes)
    assert all(1 not in one.token_ids for one in found)


def test_a_search_ends_where_nothing_but_the_end_can_be_written():
    language = Markov()
    language.table[:] = -math.inf
    language.table[..., END] = 0.0
    beams, found = language.search(3, 9)
    assert len(beams) == 1
    assert found == [Hypothesis([END], 0.0, 0.0, True)]


def test_the_length_penalty_divides_by_a_power_of_the_number_of_tokens():
    assert score(-6.0, 4, 0.0) == -6.0
    assert score(-6.0, 4, 1.0) == -1.5
    assert score(-6.0, 4, 0.5) == -3.0
    assert score(0.0, 0, 1.0) == 0.0

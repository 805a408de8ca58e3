"""Networks of practitioners are recognised by names and shapes alone, and run as they did."""

import numpy as np
import pytest
import torch
from torch import nn

from models.doctor import NotUsable, convert, diagnose, write
from models.doctor.doctor import opened
from models.kinds import open_checkpoint
from tests.models.doctor.practice import FUSED, SYMBOLS, E, H, Stepped, V, Written, held, seeded

TOKENS = torch.tensor([0, 3, 9, 1, 4, 10, 2, 2, 8, 5, 7, 6, 1, 0])
TOLD = {"vocabulary": SYMBOLS}
NAMES = [
    ("emb", "rnn", "fc"),
    ("encoder", "lstm", "decoder"),
    ("embedding", "gru", "output"),
    ("lookup", "core", "h2o"),
    ("a", "b", "c"),
]


def logits(runner) -> torch.Tensor:
    """What a converted character network makes of TOKENS."""
    return runner.network(TOKENS[:, None])[0][:, 0]


def answers(cell: str) -> dict:
    return TOLD | ({"nonlinearity": cell[4:]} if cell.startswith("rnn") else {})


def cases():
    """Cells by everything that a network may have or not; names and wrappers go round with them."""
    wrappers = ["", "module.", "model.", "net.", "_orig_mod.", "model.module.", "_orig_mod.model."]
    at = 0
    for cell in FUSED:
        for embedding, tied in ((True, False), (True, True), (False, False)):
            for bias in (True, False):
                for layers in (1, 2):
                    at += 1
                    yield pytest.param(
                        cell, embedding, tied, bias, layers, NAMES[at % 5], wrappers[at % 7],
                        id=f"{cell}-{'tied' if tied else 'embedding' if embedding else 'one-hot'}-"
                        f"{'biases' if bias else 'no biases'}-{layers}",
                    )  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "embedding", "tied", "bias", "layers", "names", "wrapper"), list(cases())
)
def test_a_next_symbol_model_says_what_it_said(cell, embedding, tied, bias, layers, names, wrapper):
    network = seeded(Written, cell, embedding, tied, bias, layers, names)
    tensors = held(network, wrapper)
    converted = convert(tensors, {}, answers(cell))
    diagnosis = converted.diagnosis
    assert diagnosis.kind == "char_rnn"
    assert min(proof.digits for proof in diagnosis.proof) > 13
    torch.testing.assert_close(logits(opened(converted)), network(TOKENS), atol=1e-5, rtol=0)
    says = " ".join(sentence.text for sentence in diagnosis.says)
    assert ("tied" in says) == tied
    assert ("no biases" in says) == (not bias)
    assert ("a wrapper" in says) == bool(wrapper)


@pytest.mark.parametrize("cell", FUSED)
def test_tanh_and_relu_are_asked_for_unless_the_file_says_it(cell):
    tensors = held(seeded(Written, cell))
    plain = cell.startswith("rnn")
    asked = [question.name for question in diagnose(tensors, {}).questions]
    assert asked == (["nonlinearity"] if plain else []) + ["vocabulary"]
    said = {"hyper_parameters": {"rnn_type": "RNN_RELU"}}
    diagnosis = diagnose(tensors, said, TOLD)
    assert diagnosis.usable
    assert diagnosis.config["cell"] == ("rnn_relu" if plain else cell)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn_tanh"])
def test_single_cells_in_a_list_are_layers(cell):
    network = seeded(Stepped, cell)
    found = opened(convert(held(network), {}, answers(cell)))
    assert found.network.config.num_layers == 2
    torch.testing.assert_close(logits(found), network(TOKENS), atol=1e-5, rtol=0)


def test_one_matrix_kept_for_both_ends_serves_as_both():
    network = seeded(Written, "gru", tied=True)
    tensors = dict(held(network))
    del tensors["fc.weight"]
    found = opened(convert(tensors, {}, TOLD))
    torch.testing.assert_close(logits(found), network(TOKENS), atol=1e-5, rtol=0)


def test_what_a_trainer_left_in_the_file_is_left_aside():
    tensors = dict(held(seeded(Written), "model."))
    tensors["optimizer.state.0.exp_avg"] = np.ones((V, E), np.float32)
    diagnosis = diagnose(tensors, {}, TOLD)
    assert diagnosis.usable
    assert any("of the training" in sentence.text for sentence in diagnosis.says)


@pytest.mark.parametrize("between", ["nothing", "relu", "tanh"])
@pytest.mark.parametrize("embedding", [True, False])
def test_a_linear_layer_before_the_recurrent_ones_is_multiplied_in(between, embedding):
    class Projected(nn.Module):
        def __init__(self):
            super().__init__()
            if embedding:
                self.emb = nn.Embedding(V, 4)
            self.project = nn.Linear(4 if embedding else V, E)
            self.rnn = nn.GRU(E, H)
            self.fc = nn.Linear(H, V)

        def forward(self, tokens):
            x = self.emb(tokens) if embedding else torch.eye(V)[tokens]
            x = self.project(x)
            x = x if between == "nothing" else getattr(torch, between)(x)
            return self.fc(self.rnn(x)[0])

    network = seeded(Projected)
    assert [q.name for q in diagnose(held(network), {}, TOLD).questions] == ["between"]
    found = opened(convert(held(network), {}, TOLD | {"between": between}))
    torch.testing.assert_close(logits(found), network(TOKENS), atol=1e-5, rtol=0)


@pytest.mark.parametrize("first", [True, False])
def test_symbols_that_an_output_lacks_are_never_written(first):
    class Padded(nn.Module):
        def __init__(self):
            super().__init__()
            self.emb, self.rnn = nn.Embedding(V, E), nn.LSTM(E, H)
            self.fc = nn.Linear(H, V - 1)

    network = seeded(Padded)
    question = diagnose(held(network), {}).questions[0]
    assert "next_but_first" in dict(question.choices)
    told = TOLD | {"task": "next_but_first" if first else "next_but_last"}
    runner = opened(convert(held(network), {}, told))
    found = logits(runner).softmax(-1)
    expected = network.fc(network.rnn(network.emb(TOKENS))[0]).softmax(-1)
    torch.testing.assert_close(
        found[:, 1:] if first else found[:, :-1], expected, atol=1e-5, rtol=0
    )
    assert (found[:, 0 if first else -1] == 0).all()


class Labelled(nn.Module):
    """Labels of a text, or of its tokens: tokens (T) -> logits (labels) or (T, labels)."""

    def __init__(self, cell, labels, both, pooling, embedding=True):
        super().__init__()
        self.pooling = pooling
        self.word_embeddings = nn.Embedding(V, E) if embedding else None
        self.rnn = FUSED[cell](E if embedding else V, H, bidirectional=both)
        self.classifier = nn.Linear(H * (1 + both), labels)

    def forward(self, tokens):
        x = torch.eye(V)[tokens] if self.word_embeddings is None else self.word_embeddings(tokens)
        states, last = self.rnn(x[:, None])
        last = last[0] if isinstance(last, tuple) else last
        if self.pooling == "last":
            return self.classifier(torch.cat(list(last), dim=-1)[0])
        states = states[:, 0]
        return self.classifier(states.mean(0) if self.pooling == "mean" else states)


@pytest.mark.parametrize("labels", [1, 3])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(
    ("cell", "pooling", "embedding"), [("lstm", "last", True), ("gru", "mean", False)]
)
def test_labels_of_a_text_are_as_likely_as_they_were(cell, pooling, embedding, both, labels):
    network = seeded(Labelled, cell, labels, both, pooling, embedding)
    tensors = held(network)
    first = {} if embedding else {"input": "symbols"}
    asked = [question.name for question in diagnose(tensors, {}, first).questions]
    assert asked == ["task", "vocabulary", "labels"]
    told = TOLD | first | {"task": "classify", "pooling": pooling}
    told["labels"] = [f"label {k}" for k in range(max(2, labels))]
    assert [q.name for q in diagnose(tensors, {}, told | {"pooling": "most"}).questions] == [
        "pooling"
    ]
    runner = opened(convert(tensors, {}, told))
    logits = network(TOKENS)
    expected = (
        logits.softmax(-1) if labels > 1 else torch.cat([1 - logits.sigmoid(), logits.sigmoid()])
    )
    found = runner.classify(TOKENS.tolist()).probabilities
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("embedding", [True, False])
def test_labels_of_every_token_are_as_likely_as_they_were(embedding):
    network = seeded(Labelled, "lstm", 4, True, "each", embedding)
    words = ["<unk>", *(f"word{k}" for k in range(1, V))]
    told = {"task": "tag", "vocabulary": words, "labels": list("NVAX"), "input": "symbols"}
    runner = opened(convert(held(network), {}, told))
    found = runner.tag([words[k] for k in TOKENS])
    torch.testing.assert_close(found.probabilities, network(TOKENS).softmax(-1), atol=1e-5, rtol=0)
    assert found.known == [k > 0 for k in TOKENS.tolist()]


def test_one_number_in_and_one_out_forecasts():
    class Forecast(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(1, H, 2)
            self.linear = nn.Linear(H, 1)

    network = seeded(Forecast)
    assert [question.name for question in diagnose(held(network), {}).questions] == ["scale"]
    runner = opened(convert(held(network), {}, {"scale": [10, 30]}))
    series = torch.linspace(11, 28, 12)
    expected = network.linear(network.lstm(((series - 10) / 20)[:, None])[0][-1]) * 20 + 10
    torch.testing.assert_close(runner.predict(series[None]), expected, atol=1e-4, rtol=0)


def test_the_folder_holds_the_numbers_of_the_file_bit_for_bit(tmp_path):
    tensors = {name: value.astype(np.float64) / 3 for name, value in held(seeded(Written)).items()}
    data = {"file": "mine`<b>.pt", "sha256": "0" * 64}
    write(tmp_path / "mine", convert(tensors, {}, TOLD, "mine", data))
    from safetensors.numpy import load_file

    kept = load_file(tmp_path / "mine" / "model.safetensors")
    assert kept["embedding.weight"].tobytes() == tensors["emb.weight"].tobytes()
    assert kept["rnn.weight_hh_l0"].tobytes() == tensors["rnn.weight_hh_l0"].tobytes()
    runner = open_checkpoint(tmp_path / "mine")
    assert runner.reads.symbols == SYMBOLS
    card = (tmp_path / "mine" / "README.md").read_text()
    assert "0" * 64 in card
    assert "<b>" not in card


def test_what_is_asked_must_be_answered_before_anything_is_converted():
    with pytest.raises(NotUsable, match="vocabulary is asked"):
        convert(held(seeded(Written)), {})


def problem(tensors, told=None) -> str:
    diagnosis = diagnose(tensors, {}, told or TOLD)
    assert not diagnosis.usable
    return " ".join(diagnosis.problems)


def test_problems_name_the_tensor_what_was_found_and_what_was_expected():
    tensors = dict(held(seeded(Written)))
    assert "No recurrent layer among its 1 tensors" in problem({"fc.weight": tensors["fc.weight"]})
    assert "No linear layer" in problem({k: v for k, v in tensors.items() if "fc" not in k})
    short = tensors | {"rnn.bias_hh_l0": tensors["rnn.bias_hh_l0"][1:]}
    assert f"rnn.bias_hh_l0 has shape ({4 * H - 1},), expected ({4 * H},)" in problem(short)
    odd = tensors | {"rnn.weight_hh_l0": np.zeros((2 * H, H), np.float32)}
    assert "expected 1, 3 or 4 times as many rows" in problem(odd)
    headless = {name: value for name, value in tensors.items() if name != "rnn.weight_hh_l0"}
    headless |= {"rnn.weight_hh_l1": np.zeros((4 * H, H), np.float32), "": np.zeros((H, H))}
    assert "rnn.weight_ih_l0 and weight_hh_l0 must both be there" in problem(headless)
    empty = tensors | {"rnn.weight_ih_l0": np.zeros((4 * H, 0), np.float32)}
    assert "must both be there, as matrices" in problem(empty)
    whole = tensors | {"fc.weight": np.ones((V, H), np.int64)}
    assert "output.weight holds int64, expected floats" in problem(whole)
    broken = tensors | {"emb.weight": np.full((V, E), np.nan, np.float32)}
    assert "emb.weight holds 66 values that are NaN or infinite, the first at (0, 0)" in problem(
        broken
    )


def test_what_is_not_run_is_named():
    projected = nn.LSTM(E, H, proj_size=3)
    assert "weight_hr_l0 (3, 7) projects" in problem(held(projected))

    class Normed(Written):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(H)
            self.hidden = nn.Linear(H, 19)

    assert "norm.weight (7,) has no place" in problem(held(seeded(Normed)))
    both = {**held(seeded(Written), "first."), **held(nn.GRU(E, H), "second.")}
    assert "2 separate stacks of recurrent layers (first.rnn, second)" in problem(both)


def test_layers_of_different_widths_are_told_with_their_widths():
    class Narrowing(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm1, self.lstm2 = nn.LSTM(E, H), nn.LSTM(H, 3)
            self.fc = nn.Linear(3, V)

    assert "(6 → 7; 7 → 3)" in problem(held(Narrowing()))

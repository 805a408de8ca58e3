"""Visual question answering: read a question, look at a picture in hops, count, answer.

A frozen encoder (`efficientnet`) makes a grid of fine features x_1..x_49, a GRU reads the question,
and attention is asked several times, each time with what was seen before:

    a_j = tanh(W_a standardised(x_j)) + row_j + column_j        annotations: what is where
    u_1 = h_T                                                   the GRU's last state
    context_k = attention_k(u_k, a)                             hop k, softmax over the cells
    u_{k+1} = tanh(W_k [u_k; context_k])                        what is asked next
    g_j = sigma(v . tanh(W u_1 + U a_j) + b)                    the counter: cell j counts or not
    t_n = max(0, 1 - |n - sum_j g_j|), n = 0..most              the tally
    p(answer) = softmax(W_o (tanh(W_q u_1) * tanh(W_s [context_1; ...; context_K; t])))

Source: stacked attention, Yang et al. 2016 (arXiv:1511.02274), with the additive score of
`attention`, and a learned layer where they add u_k and context_k. Places are added to the features,
or nothing would be left of anything; they start as even steps, so that the difference of two is a
distance. The question and what was seen are multiplied, unit by unit (Kim et al. 2017,
arXiv:1610.04325): "left of" and "right of" turn the same two places into opposite answers, which a
sum of both learns late if at all. A mean weighted by a softmax cannot count: the weights of two
equal things are halved, and their mean is that of one (Zhang, Hare, Prugel-Bennett 2018,
arXiv:1802.05766). The counter is a sum instead, in the spirit of theirs, but with a gate for each
cell where they remove overlaps of boxes; the tally, a number as the shares of its two neighbours,
is from there.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from models.attention import Attended, Attention
from models.checkpoint import CheckpointError, check_sizes
from models.efficientnet import FINE_FEATURES, GRID


@dataclass(frozen=True)
class VqaConfig:
    """Everything that fixes the shapes."""

    answers: Sequence[str]  # what can be answered
    question_size: int  # tokens that can be read
    embedding_size: int
    state_size: int  # of the question's GRU, of an annotation and of what is asked
    attention_size: int  # of the scores' hidden layers
    readout_size: int
    hops: int
    most: int  # the largest number that the tally tells
    feature_size: int = FINE_FEATURES  # of a cell of the encoder's grid
    grid: int = GRID  # cells a side
    dropout: float = 0.0  # while training only

    def check(self) -> None:
        """Refuse sizes that no checkpoint of this kind has, before memory is taken for them."""
        known = self.answers
        if not isinstance(known, list | tuple) or not all(isinstance(one, str) for one in known):
            raise CheckpointError("answers must be a list of strings")
        if not 2 <= len(set(known)) == len(known) <= 4096:
            raise CheckpointError("answers must be 2..4096 distinct strings")
        bounds = {
            "question_size": (3, 1 << 17),
            "embedding_size": (1, 8192),
            "state_size": (1, 8192),
            "attention_size": (1, 8192),
            "readout_size": (1, 8192),
            "hops": (1, 16),
            "most": (1, 4096),
            "feature_size": (1, 8192),
            "grid": (1, 64),
        }
        check_sizes(self, bounds)

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return asdict(self) | {"answers": list(self.answers)}


@dataclass(frozen=True)
class Looked:
    """What a network saw and concluded, for B questions and S cells."""

    asked: list[Tensor]  # u_1..u_K, (B, H) each
    hops: list[Attended]
    counter: Attended  # its energy is the counter's
    counted: Tensor  # (B, S), g
    tally: Tensor  # (B, most + 1)
    logits: Tensor  # (B, answers)


class Vqa(nn.Module):
    """`forward` maps grids and questions to the logits of the answers and how they came about."""

    kind = "vqa"
    tasks = ("answer",)

    def __init__(self, config: VqaConfig):
        super().__init__()
        H, A, G = config.state_size, config.attention_size, config.grid
        self.config = config
        self.register_buffer("mean", torch.zeros(config.feature_size))  # of the training cells
        self.register_buffer("deviation", torch.ones(config.feature_size))
        self.embedding = nn.Embedding(config.question_size, config.embedding_size)
        self.question = nn.GRU(config.embedding_size, H)
        self.annotate = nn.Linear(config.feature_size, H)
        self.row = nn.Parameter(torch.zeros(G, H))
        self.column = nn.Parameter(torch.zeros(G, H))
        self.hops = nn.ModuleList(Attention("additive", H, H, A) for _ in range(config.hops))
        self.refine = nn.ModuleList(nn.Linear(2 * H, H) for _ in range(config.hops - 1))
        self.counter = Attention("additive", H, H, A)
        self.threshold = nn.Parameter(torch.zeros(()))  # b of the counter
        self.wanted = nn.Linear(H, config.readout_size)
        self.seen = nn.Linear(config.hops * H + config.most + 1, config.readout_size)
        self.output = nn.Linear(config.readout_size, len(config.answers))
        self.drop = nn.Dropout(config.dropout)

    def annotations(self, cells: Tensor) -> Tensor:
        """Cells (B, S, F), row by row of the grid -> what is where, (B, S, H)."""
        places = (self.row[:, None] + self.column[None]).flatten(0, 1)  # (S, H)
        return self.drop(torch.tanh(self.annotate((cells - self.mean) / self.deviation))) + places

    def read(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Questions (T, B), padded behind `lengths` (B,) -> what they ask, u_1 (B, H)."""
        x = self.drop(self.embedding(ids))
        packed = pack_padded_sequence(x, lengths.cpu(), enforce_sorted=False)
        return self.question(packed)[1][0]

    def look(self, asked: Tensor, annotations: Tensor, scene: Tensor | None = None) -> Looked:
        """u_1 (B, H) and annotations (P, S, H) -> everything that follows from them.

        `scene` (B,) says which of P pictures a question is about; None: each about its own.
        """

        def attend(attention: Attention, u: Tensor) -> Attended:
            keys = attention.keys(annotations)
            own = (keys, annotations) if scene is None else (keys[scene], annotations[scene])
            return attention(u, *own)

        u, hops = [asked], [attend(self.hops[0], asked)]
        for refine, hop in zip(self.refine, self.hops[1:], strict=True):
            u.append(torch.tanh(refine(torch.cat([u[-1], hops[-1].context], dim=-1))))
            hops.append(attend(hop, u[-1]))
        counter = attend(self.counter, asked)
        counted = torch.sigmoid(counter.energy + self.threshold)  # (B, S)
        numbers = torch.arange(self.config.most + 1, device=asked.device)
        tally = torch.relu(1 - (numbers - counted.sum(-1, keepdim=True)).abs())
        contexts = self.drop(torch.cat([hop.context for hop in hops], dim=-1))
        seen = torch.tanh(self.seen(torch.cat([contexts, tally], dim=-1)))
        merged = torch.tanh(self.wanted(self.drop(asked))) * seen  # (B, R)
        return Looked(u, hops, counter, counted, tally, self.output(merged))

    def forward(self, cells: Tensor, ids: Tensor, lengths: Tensor) -> Looked:
        """Cells (B, S, F), questions (T, B) of `lengths` (B,)."""
        return self.look(self.read(ids, lengths), self.annotations(cells))

    @torch.no_grad()
    def initialize(self, generator: torch.Generator) -> "Vqa":
        """Seeded start: orthogonal recurrent blocks, Xavier matrices, small vectors, zero biases,
        rows and columns in even steps, a counter that counts nothing yet."""
        for name, parameter in self.named_parameters():
            if "weight_hh" in name:
                for block in parameter.split(parameter.shape[1]):
                    nn.init.orthogonal_(block, generator=generator)
            elif name.endswith(".v"):
                nn.init.normal_(parameter, std=len(parameter) ** -0.5, generator=generator)
            elif name in ("row", "column"):
                way = torch.empty(parameter.shape[1]).normal_(0, 0.5, generator=generator)
                parameter.copy_(torch.linspace(-1, 1, len(parameter))[:, None] * way)
            elif name == "embedding.weight":
                nn.init.normal_(parameter, generator=generator)
            elif parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter, generator=generator)
            else:
                nn.init.zeros_(parameter)
        self.threshold.fill_(-3.0)
        return self

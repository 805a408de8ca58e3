"""The families of transformers that can be read, by the `model_type` of their config.json."""

from collections.abc import Callable
from dataclasses import dataclass

from models.encoder import Encoder
from models.foreign import Box, Read, Said
from models.foreign_encoder import bert, distilbert, roberta
from models.foreign_lm import gpt2, llama, mistral
from models.transformer_lm import TransformerLM


@dataclass(frozen=True)
class Family:
    """How one `model_type` is read."""

    kind: str
    read: Callable[[Said, Box], Read]
    unused: str  # tensors that what is shown here does not need, as a pattern


# Masks and frequencies that follow from the config, and what stands on top of the stack.
_TOPS = r"classifier\..*|pre_classifier\..*|qa_outputs\..*|score\.weight"
_OF_BERT = rf"(.*\.)?(pooler\..*|embeddings\.position_ids)|cls\.seq_relationship\..*|{_TOPS}"
_OF_LLAMA = rf".*rotary_emb\.inv_freq|{_TOPS}"
FAMILIES = {
    "gpt2": Family(TransformerLM.kind, gpt2, rf"(.*\.)?h\.\d+\.attn\.(masked_)?bias|{_TOPS}"),
    "llama": Family(TransformerLM.kind, llama, _OF_LLAMA),
    "mistral": Family(TransformerLM.kind, mistral, _OF_LLAMA),
    "bert": Family(Encoder.kind, bert, _OF_BERT),
    "roberta": Family(Encoder.kind, roberta, _OF_BERT),
    "distilbert": Family(Encoder.kind, distilbert, _OF_BERT),
}

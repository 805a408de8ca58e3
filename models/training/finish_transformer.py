"""From a trained transformer to a checkpoint folder: measure what is stored, write the card."""

from pathlib import Path

from models.checkpoint import write_checkpoint
from models.language_reader import LanguageReader
from models.text import Characters
from models.training.corpus import Corpus
from models.training.finish import about_network, figures_table, measure, sources
from models.training.finish_pairs import Making
from models.training.runs import stored
from models.training.transformer_language import evaluate
from models.training.transformer_recipes import TransformerRecipe
from models.transformer_lm import TransformerLM, TransformerLMConfig
from models.transformer_seq2seq import TransformerSeq2Seq, TransformerSeq2SeqConfig
from models.transformer_translator import TransformerTranslator
from models.transformer_writing import Step


def finish(
    name: str,
    recipe: TransformerRecipe,
    corpus: Corpus,
    weights: dict,
    progress: dict,
    folder: Path,
) -> None:
    """Round the weights to float16, measure them in float32, write the folder."""
    config = recipe.config(len(corpus.symbols))
    network = stored(TransformerLM(config), weights)
    figures = measure(network, corpus, evaluate)
    reader = LanguageReader(network, Characters(corpus.symbols))
    prompt = reader.reads.encode(recipe.prompt)
    count = min(400, config.context - len(prompt))
    items = reader.write(prompt, count, temperature=0.7, seed=1, points=())
    sample = reader.reads.decode([item.token_id for item in items if isinstance(item, Step)])
    read = progress["step"] * recipe.batch_size * config.context
    about = about_network(TransformerLM.kind, recipe, corpus, config, figures, progress, read)
    parameters = sum(value.numel() for value in weights.values())
    card = f"""# {name}

{recipe.title}: a character model, {_stack(config)}, {len(corpus.symbols)} symbols, a context of \
{config.context} characters, {parameters:,} parameters.

{figures_table(figures)}

Each character is predicted from the {config.context // 2} to {config.context} characters before \
it (windows as long as the context, each half over the one before).

The command that trained it and measured these figures: `make train NAME={name}`
({recipe.epochs} epochs, {read:,} characters read, {recipe.batch_size} windows of \
{config.context} a step, {_muon(recipe)} held for {recipe.constant:.0%} of the steps and then \
falling to zero in a line, gradient norm clipped at {recipe.clip:g}, dropout {config.dropout:g}, \
{progress["seconds"] / 60:.0f} minutes on one busy CPU core).
{recipe.note}
{sources(recipe, corpus, sample)}"""
    write_checkpoint(folder, about, corpus.symbols, weights, card)
    print(f"{folder}: test {figures['test_nats']} nats, {figures['test_bits']} bits a character")


def _stack(config: TransformerLMConfig) -> str:
    norm = {"rms": "RMSNorm", "layer": "LayerNorm"}[config.norm]
    return (
        f"{config.num_layers} blocks of width {config.hidden_size} with {config.num_heads} heads "
        f"and a feed-forward part of {config.mlp_size}, {config.positions} positions, {norm} "
        f"{'before' if config.norm_first else 'after'} each part, the output tied to the embedding"
    )


def _muon(recipe) -> str:
    return (
        f"Muon at {recipe.learning_rate:g} for the matrices inside, Adam at "
        f"{recipe.learning_rate * recipe.ratio:g} for the rest,"
    )


def _pair(config: TransformerSeq2SeqConfig) -> str:
    return (
        f"a transformer of width {config.hidden_size}, {config.encoder_layers} blocks that read, "
        f"{config.decoder_layers} that write, {config.num_heads} heads, feed-forward parts of "
        f"{config.mlp_size}, {config.positions} positions, norm "
        f"{'before' if config.norm_first else 'after'} each part"
    )


MAKING = Making(
    TransformerSeq2Seq,
    TransformerTranslator,
    _pair,
    lambda recipe: f"{_muon(recipe)} with a cosine",
)

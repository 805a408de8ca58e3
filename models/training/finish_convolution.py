"""From a trained convolutional model to a checkpoint folder: measure what is stored, write the
card."""

from pathlib import Path

from models.char_conv import CharConv, CharConvConfig, CharConvRunner
from models.checkpoint import write_checkpoint
from models.text import Characters
from models.training.convolution_language import evaluate
from models.training.convolution_recipes import ConvolutionRecipe
from models.training.corpus import Corpus
from models.training.finish import about_network, figures_table, measure, sources
from models.training.runs import stored
from models.training.samples import write_on


def finish(
    name: str,
    recipe: ConvolutionRecipe,
    corpus: Corpus,
    weights: dict,
    progress: dict,
    folder: Path,
) -> None:
    """Round the weights to float16, measure them in float32, write the folder."""
    config = recipe.config(len(corpus.symbols))
    network = stored(CharConv(config), weights)
    figures = measure(network, corpus, evaluate)
    runner = CharConvRunner(network, Characters(corpus.symbols), capacity=1)
    sample = write_on(runner, recipe.prompt, 400, temperature=0.7, seed=1)
    read = progress["step"] * recipe.batch_size * recipe.window
    about = about_network(CharConv.kind, recipe, corpus, config, figures, progress, read)
    parameters = sum(value.numel() for value in weights.values())
    card = f"""# {name}

{recipe.title}: a character model, {_stack(config)}, {len(corpus.symbols)} symbols, \
{parameters:,} parameters.

{figures_table(figures)}

Each character is predicted from the {config.receptive_field} characters before it, which is all \
that the network can see.

The command that trained it and measured these figures: `make train NAME={name}`
({progress["step"]:,} steps of {recipe.batch_size} windows of {recipe.window}, {read:,} characters \
read, Muon at {recipe.learning_rate:g} for the matrices inside, Adam at \
{recipe.learning_rate * recipe.ratio:g} for the rest, with a cosine, gradient norm clipped at \
{recipe.clip:g}, dropout {config.dropout:g}, running mean of the weights, the best epoch by \
validation, {progress["seconds"] / 60:.0f} minutes on one busy CPU core).
{recipe.note}
{sources(recipe, corpus, sample)}"""
    write_checkpoint(folder, about, corpus.symbols, weights, card)
    print(f"{folder}: test {figures['test_nats']} nats, {figures['test_bits']} bits a character")


def _stack(config: CharConvConfig) -> str:
    *first, last = map(str, config.dilations)
    dilations = f"{', '.join(first)} and {last}" if first else last
    layers = "layer" if config.num_layers == 1 else "layers"
    output = "the output tied to the embedding" if config.tied else "an output of its own"
    return (
        f"{config.num_layers} {layers} of causal convolutions over {config.kernel_size} places "
        f"with {config.gate_size} gated units each, {dilations} characters apart, in a stream "
        f"{config.hidden_size} wide, RMSNorm before each layer, {output}"
    )

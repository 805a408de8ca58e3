"""How good captions are: BLEU and CIDEr against five references, and how much they differ.

BLEU by sacrebleu on normalised words (lower case, no punctuation, as the vocabulary reads them);
CIDEr by pycocoevalcap, with the document frequencies of the references that are measured on, as its
authors have it (Vedantam, Zitnick, Parikh 2015, arXiv:1411.5726). A nearly constant captioner still
gets a BLEU-4 of 10 or more, so the number of distinct captions stands beside it.
"""

from collections.abc import Sequence

from models.training.photographs import Flickr8k

CONSTANT = "a man in a red shirt is standing on a street"


def references(data: Flickr8k, names: Sequence[str]) -> list[list[str]]:
    """Five lists of normalised captions, one a photograph each."""
    normal = data.vocabulary.tokenizer.normalizer.normalize_str
    return [[normal(data.captions[name][k]) for name in names] for k in range(5)]


def bleu(texts: Sequence[str], streams: Sequence[Sequence[str]]) -> list[float]:
    """BLEU-1 to BLEU-4."""
    from sacrebleu.metrics import BLEU

    return [
        round(_corpus(BLEU(max_ngram_order=n, tokenize="none", force=True), texts, streams), 2)
        for n in (1, 2, 3, 4)
    ]


def _corpus(metric, texts, streams) -> float:
    return metric.corpus_score(list(texts), [list(one) for one in streams]).score


def signature() -> str:
    """What sacrebleu calls the metric."""
    from sacrebleu.metrics import BLEU

    metric = BLEU(tokenize="none", force=True)
    metric.corpus_score(["a"], [["a"]] * 5)
    return str(metric.get_signature())


def cider(texts: Sequence[str], streams: Sequence[Sequence[str]]) -> float:
    """CIDEr-D. Raises `RuntimeError` where pycocoevalcap is missing."""
    try:
        from pycocoevalcap.cider.cider import Cider
    except ModuleNotFoundError as error:
        raise RuntimeError(
            "CIDEr is measured with pycocoevalcap: pip install -r requirements/captions.txt"
        ) from error
    about = {k: list(refs) for k, refs in enumerate(zip(*streams, strict=True))}
    score, _ = Cider().compute_score(about, {k: [text] for k, text in enumerate(texts)})
    return round(float(score), 3)


def measure(texts: Sequence[str], streams: Sequence[Sequence[str]]) -> dict:
    """All of it for captions of as many photographs."""
    return {
        "bleu": bleu(texts, streams),
        "cider": cider(texts, streams),
        "distinct": len(set(texts)),
        "captions": len(texts),
    }


def beside(data: Flickr8k, part: str = "test") -> dict:
    """What the same metrics say of one person against the other four, and of one caption for all
    photographs."""
    streams = references(data, data.split[part])
    first, rest = streams[0], streams[1:]
    return {
        "human_against_four": measure(first, rest),
        "constant": measure([CONSTANT] * len(first), streams),
    }

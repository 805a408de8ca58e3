"""How a word is spelled, for networks that meet words they have never seen.

Two things are read off a word besides its place in a vocabulary. Its shape: how capitals, figures
and marks stand in it. And its pieces: beginning and endings, each hashed to a row of one small
table, so that no list of pieces is kept (Bojanowski et al. 2017, fastText; two pieces that share a
row are told apart by the others of the word).
"""

from zlib import crc32

SHAPES = ("small", "Capital", "CAPITALS", "mIxed", "figures", "with figures", "marks", "address")
PIECES = 5  # a word


def shape_of(word: str) -> int:
    """The number of a word's shape among SHAPES."""
    letters = [c for c in word if c.isalpha()]
    if any(c.isdigit() for c in word):
        return 5 if letters else 4
    if not letters:
        return 6
    if "://" in word or "www." in word or ("@" in word and len(word) > 1):
        return 7
    if all(not c.isupper() for c in letters):
        return 0
    if letters[0].isupper() and not any(c.isupper() for c in letters[1:]):
        return 1
    return 2 if all(c.isupper() for c in letters) else 3


def pieces_of(word: str, rows: int) -> list[int]:
    """The rows of a word's pieces: its first three letters and its last one to four, small."""
    small = word.lower().replace("’", "'")
    parts = [f"{small[:3]}-", *(f"-{small[-k:]}" for k in (1, 2, 3, 4))]
    return [crc32(part.encode("utf-8", "replace")) % rows for part in parts]

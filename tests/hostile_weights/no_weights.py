"""Files that are no weights at all."""

from tests.hostile_weights.entries import files
from tests.weight_files import npy

files(
    "unknown_format",
    empty=("empty", b""),
    one_byte=("no file of weights", b"P"),
    page=("web page", b"<!DOCTYPE html><title>Sign in</title>"),
    page_behind_spaces=("web page", b"\n\n  <html></html>"),
    pointer=("Git LFS", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
    hdf5=("HDF5", b"\x89HDF\r\n\x1a\n" + bytes(100)),
    gguf=("GGUF", b"GGUF\3\0\0\0" + bytes(100)),
    gzip=("gzip", b"\x1f\x8b\x08" + bytes(100)),
    array_alone=("single array", lambda: npy()),
    text_file=("no file of weights", b"0.1 0.2 0.3\n" * 10),
    json_file=("no file of weights", b'{"weight": [1, 2, 3]}'),
    zeros=("no file of weights", bytes(1000)),
    old_pickle=("no file of weights", b"cbuiltins\nexec\n(Vprint()\ntR."),
)  # fmt: skip

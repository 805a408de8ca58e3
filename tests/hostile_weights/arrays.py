"""Archives of numpy.savez whose arrays are not what they say."""

from tests.hostile_weights.code import RUN
from tests.hostile_weights.entries import NAN, files
from tests.weight_files import NUMBERS, Part, archive, npy, npz, pickled

NO_BYTES = {"method": 8, "size": 99}


def inflating(told: int) -> bytes:
    """An array whose entry says another size than it inflates to."""
    sizes = {"size": told}
    return archive([Part("a.npy", npy(data=bytes(4000)), True, dict(sizes), dict(sizes))])


files(
    "unsafe_file",
    objects=("objects", lambda: npz(npy("'|O'", "(1,)", pickled(RUN)))),
    records=("objects or records", lambda: npz(npy("[('a', '<f4')]"))),
    objects_in_records=("objects or records", lambda: npz(npy("[('a', '|O')]"))),
    array_up_and_out=("..", lambda: archive([Part("../a.npy", npy())])),
)
files(
    "damaged_file",
    header_of_code=("not what numpy", lambda: npz(npy(header="__import__('os').system('true')"))),
    header_that_is_deep=("not what", lambda: npz(npy(shape="(" * 500 + ")" * 500))),
    header_of_many_signs=("not what numpy", lambda: npz(npy(shape="-" * 9000 + "1"))),
    header_of_power=("not what numpy", lambda: npz(npy(shape="9**9**9,"))),
    header_of_a_long_number=("", lambda: npz(npy(shape="(" + "9" * 5000 + ",)"))),
    header_without_shape=("not what numpy", lambda: npz(npy(header="{'descr': '<f4'}"))),
    header_with_more=(
        "not what numpy",
        lambda: npz(npy("'<f4', 'more': 1", "(2, 3)")),
    ),
    header_that_is_long=("says it has", lambda: npz(npy(length=60_000))),
    header_longer_than_the_file=("says it has", lambda: npz(npy(version=2, length=0x7FFF_FFFF))),
    order_of_a_number=("not what numpy", lambda: npz(npy(fortran="1"))),
    shape_of_a_number=("not what numpy", lambda: npz(npy(shape="6"))),
    array_negative=("not what numpy", lambda: npz(npy(shape="(-2, -3)"))),
    array_of_truth=("not what numpy", lambda: npz(npy(shape="(True, 6)"))),
    array_larger_than_told=("bytes", lambda: npz(npy(data=NUMBERS + b"more"))),
    array_smaller_than_told=("bytes", lambda: npz(npy(shape="(2, 4)"))),
    array_overflowing=("", lambda: npz(npy(shape="(4294967296, 4294967296)"))),
    array_of_version_9=("not an array", lambda: npz(npy(version=9))),
    array_of_nothing=("not an array", lambda: npz(b"")),
    array_of_a_page=("not an array", lambda: npz(b"<html>")),
    texts_of_half_characters=("no characters", lambda: npz(npy("'<U1'", "(1,)", b"\0\xd8\0\0"))),
    texts_past_unicode=("no characters", lambda: npz(npy("'<U1'", "(1,)", b"\xff\xff\xff\xff"))),
    texts_that_are_cut=("fill", lambda: npz(npy("'<U9'", "(2,)", b"a\0\0\0"))),
    inflates_to_more=("inflate", lambda: inflating(1000)),
    inflates_to_less=("inflate", lambda: inflating(9000)),
    inflates_to_nothing=(
        "does not inflate",
        lambda: archive([Part("a.npy", b"no deflated bytes", False, NO_BYTES, NO_BYTES)]),
    ),
)
files(
    "unusable_tensor",
    array_big_endian=(">f4", lambda: npz(npy("'>f4'"))),
    array_complex=("<c8", lambda: npz(npy("'<c8'", "(3,)"))),
    array_of_dates=("<M8", lambda: npz(npy("'<M8[s]'", "(3,)"))),
    array_of_void=("|V24", lambda: npz(npy("'|V24'", "()"))),
    array_with_nan=("a[1, 2] is nan", lambda: npz(npy(data=NUMBERS[:20] + NAN))),
    deflated_with_nan=("is nan", lambda: npz(npy(data=NUMBERS[:20] + NAN), deflated=True)),
)

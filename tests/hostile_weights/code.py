"""Files that would run code: every road by which a pickle calls, and programs by other names."""

import struct

from tests.hostile_weights.entries import beside, files, pickles
from tests.weight_files import (
    BUILD,
    DICT,
    LIST,
    MARK,
    NEWOBJ,
    NONE,
    REDUCE,
    TUPLE,
    Part,
    archive,
    call,
    legacy,
    legacy_storage,
    mapping,
    named,
    number,
    pickled,
    pt_parts,
    several,
    tensor,
    text,
)

SENTINEL = "code-was-run"
SCRIPT = text(f"open({SENTINEL!r}, 'w').close()")
EXEC = named("builtins", "exec")
ORDERED = named("collections", "OrderedDict")
FLOATS = named("torch", "FloatStorage")
RUN = EXEC + several(SCRIPT) + REDUCE
LIVE = {
    "reduce": RUN,
    "reduce_by_an_old_name": call("__builtin__", "exec", SCRIPT),
    "beside_good_values": mapping({"epoch": number(3), "more": RUN}),
    "deep_inside": mapping({"a": LIST + mapping({"b": several(RUN)}) + b"a"}),
    "as_a_key": DICT + RUN + NONE + b"s",
    "thrown_away": RUN + b"0" + DICT,
    "in_attributes": call("collections", "OrderedDict") + mapping({"_metadata": RUN}) + BUILD,
    "inst": MARK + SCRIPT + b"ibuiltins\nexec\n",
    "obj": MARK + EXEC + SCRIPT + b"o",
    "stack_global": b"\x8c\x08builtins\x8c\x04exec\x93" + several(SCRIPT) + REDUCE,
    "stack_global_from_the_memo": (
        DICT + text("builtins") + b"q\0" + text("exec") + b"q\1h\0h\1\x93"
        + several(SCRIPT) + REDUCE + b"s"
    ),
    "by_way_of_getattr": call(
        "builtins", "getattr", call("importlib", "import_module", text("builtins")), text("exec")
    ) + several(SCRIPT) + REDUCE,
    "factory_of_a_defaultdict": call("collections", "defaultdict", EXEC) + SCRIPT + RUN + b"s",
    "newobj": named("types", "SimpleNamespace") + TUPLE + NEWOBJ + mapping({"x": RUN}) + BUILD,
}  # fmt: skip
for _name, _value in LIVE.items():
    pickles("unsafe_file", **{f"code_{_name}": ("", _value)})

pickles(
    "unsafe_file",
    system=("posix.system", call("posix", "system", text("true"))),
    popen=("subprocess.Popen", call("subprocess", "Popen", text("true"))),
    browser=("webbrowser.open", beside(call("webbrowser", "open", text("http://127.0.0.1")))),
    runpy=("runpy._run_code", call("runpy", "_run_code", text("1"), DICT)),
    timeit=("timeit.timeit", call("timeit", "timeit", text("1"))),
    dotted_name=("abc.sys.exit", call("collections", "abc.sys.exit", text(""))),
    torch_hub=("torch.hub.load", call("torch.hub", "load", text("a"), text("b"))),
    torch_load=("torch.load", call("torch", "load", text("x"))),
    numpy_load=("numpy.load", call("numpy", "load", text("x"), NONE, number(1))),
    hooks_of_a_tensor=("exec", mapping({"w": tensor().replace(ORDERED, EXEC)})),
    persistent_id=("exec", several(text("storage"), RUN) + b"Q"),
    newobj_of_a_process=("Popen", named("subprocess", "Popen") + several(text("true")) + NEWOBJ),
    newobj_ex=("NEWOBJ_EX", named("builtins", "set") + TUPLE + DICT + b"\x92"),
    inst_of_a_good_class=("INST", MARK + b"ibuiltins\nset\n"),
    obj_of_a_good_class=("OBJ", MARK + named("builtins", "set") + b"o"),
    ext1=("EXT1", b"\x82\1"),
    ext2=("EXT2", b"\x83\1\0"),
    ext4=("EXT4", b"\x84\1\0\0\0"),
    persid=("PERSID", b"Pstorage\n"),
    next_buffer=("NEXT_BUFFER", b"\x97"),
    unknown_opcode=("0xff", b"\xff"),
    type_called=("as a function", call("builtins", "int", text("1"))),
    dtype_called=("as a function", call("torch", "float32", text("1"))),
    storage_called=("as a function", call("torch", "FloatStorage", number(1 << 30))),
    text_called=("as a function", text("exec") + several() + REDUCE),
    whole_model=("__main__.Net", named("__main__", "Net") + TUPLE + NEWOBJ),
    rebuild_from_a_type=(
        "exec",
        call("torch._tensor", "_rebuild_from_type_v2", EXEC, EXEC, several(SCRIPT), NONE),
    ),
    long4=("LONG4", b"\x8b" + struct.pack("<I", 1 << 30)),
    escapes_in_a_name=("\\x1b", named("\x1b[2Jevil", "exec")),
)  # fmt: skip
files(
    "unsafe_file",
    bare_pickle=("bare pickle", pickled(RUN)),
    bare_pickle_of_protocol_5=("bare pickle", pickled(RUN, 5)),
    old_file=("exec", lambda: legacy(RUN)),
    old_file_machine=("exec", lambda: legacy(machine=RUN)),
    old_file_keys=("exec", lambda: legacy(keys=RUN)),
    old_file_storage_in_its_head=("storage", lambda: legacy(machine=legacy_storage())),
    old_file_module_with_source=(
        "__main__.Net",
        lambda: legacy(several(text("module"), named("__main__", "Net"), text("a.py")) + b"Q"),
    ),
    torchscript=(
        "TorchScript",
        lambda: archive([*pt_parts(), Part("archive/constants.pkl", pickled(TUPLE))]),
    ),
    torchscript_code=(
        "TorchScript",
        lambda: archive([*pt_parts(), Part("archive/code/__torch__.py", b"exit()")]),
    ),
    exported_program=(
        "exported program",
        lambda: archive([Part("a/archive_format", b"pt2"), Part("a/models/model.json", b"{}")]),
    ),
)

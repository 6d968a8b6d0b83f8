"""Reading pickles without running them: plain values against the standard library, and files that mean harm."""

import contextlib
import io
import os
import pickle
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.benchmark.pickles import MAX_BYTES, load_plain
from terranas.core.errors import DataError

NAN = float("nan")

PROTOCOLS = (3, 4, 5)


def loaded(content: bytes) -> Any:
    return load_plain(io.BytesIO(content), "odd.pickle")


def refused(content: bytes) -> str:
    with pytest.raises(DataError) as caught:
        loaded(content)
    text = str(caught.value)
    assert text.startswith("odd.pickle ")
    assert len(text) < 500
    return text


# --- plain values --------------------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.integers(-(2**200), 2**200),
    st.floats(allow_nan=False),
    st.floats(allow_nan=False).map(np.float64),
    st.floats(width=32, allow_nan=False).map(np.float32),
    st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.integers(-(2**31), 2**31 - 1).map(np.int32),
)
PLAIN = st.recursive(
    st.one_of(NUMBERS, st.none(), st.booleans(), st.text(max_size=300), st.binary(max_size=300)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(st.one_of(st.text(max_size=5), st.integers(1 - 2**31, 2**31 - 1)), inner, max_size=5),
    ),
    max_leaves=30,
)


@given(PLAIN, st.sampled_from(PROTOCOLS))
@settings(max_examples=200, deadline=None)
def test_plain_values_are_read_as_the_standard_library_reads_them(value: Any, protocol: int) -> None:
    content = pickle.dumps(value, protocol)
    assert loaded(content) == pickle.loads(content)


def test_numpy_scalars_become_numbers() -> None:
    values = [np.float64(0.25), np.float32(0.5), np.int64(7), np.int32(-1), np.dtype(">f8").type(3.0)]
    found = loaded(pickle.dumps(values))
    assert found == [0.25, 0.5, 7, -1, 3.0]
    assert [type(value) for value in found] == [float, float, int, int, float]


def test_both_names_of_numpys_module_and_both_byte_orders_are_known() -> None:
    new = pickle.dumps(np.float64(1.5), 3)
    assert b"numpy._core.multiarray" in new
    old = new.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert loaded(new) == loaded(old) == 1.5
    # the number's bytes stand behind their length, 8
    start = new.index(struct.pack("<d", 1.5))
    swapped = new[:start] + struct.pack(">d", 1.5) + new[start + 8 :]
    assert loaded(swapped.replace(b"X\x01\x00\x00\x00<", b"X\x01\x00\x00\x00>")) == 1.5


def test_shared_and_circular_values_are_kept() -> None:
    inner: list[Any] = [1]
    inner.append(inner)
    outer = loaded(pickle.dumps([inner, inner]))
    assert outer[0] is outer[1]
    assert outer[0][1] is outer[0]


@given(st.binary(max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(DataError):
        loaded(content)


@given(PLAIN, st.data())
@settings(max_examples=60, deadline=None)
def test_a_cut_file_is_refused(value: Any, data: st.DataObject) -> None:
    content = pickle.dumps(value)
    refused(content[: data.draw(st.integers(0, len(content) - 1))])


# --- files that mean harm ------------------------------------------------------------------------------------------


class Calls:
    """Pickles as a call of a function with arguments."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("function", "arguments", "module", "name"),
    [
        (os.system, ("touch {}",), os.system.__module__, "system"),
        (eval, ("__import__('pathlib').Path({!r}).touch()",), "builtins", "eval"),
        (exec, ("__import__('pathlib').Path({!r}).touch()",), "builtins", "exec"),
        (subprocess.Popen, (["touch", "{}"],), "subprocess", "Popen"),
        (np.save, ("{}", 1), "numpy", "save"),
        (np.load, ("{}",), "numpy", "load"),
        (getattr, ("", "format"), "builtins", "getattr"),
        (np.array, ("{}",), "numpy", "array"),
    ],
)
def test_functions_are_refused_by_name_and_not_run(
    function: Callable[..., Any], arguments: tuple[Any, ...], module: str, name: str, protocol: int, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    filled = tuple(
        [part.format(str(mark)) for part in argument]
        if isinstance(argument, list)
        else argument.format(str(mark))
        if isinstance(argument, str)
        else argument
        for argument in arguments
    )
    found = refused(pickle.dumps({"a": [1, Calls(function, *filled)]}, protocol))
    assert f"asks for the name '{name}' of the module " in found
    assert "pickle files can run programs" in found
    if module != "numpy":
        assert f"'{module}'" in found
    assert list(tmp_path.iterdir()) == []


def test_the_hostile_files_of_these_tests_do_harm_elsewhere(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    pickle.loads(pickle.dumps(Calls(os.system, f"touch {mark}")))
    assert mark.exists()


@pytest.mark.parametrize(
    ("content", "wish"),
    [
        (b"cos\nsystem\n(S'true'\ntR.", "the name 'system' of the module 'os'"),
        (b"(S'true'\nios\nsystem\n.", "the pickle instruction STRING"),
        (b"(ios\nsystem\n.", "the pickle instruction INST"),
        (b"Pid\n.", "the pickle instruction PERSID"),
        (b"K\x01Q.", "the pickle instruction BINPERSID"),
        (b"\x82\x01.", "the pickle instruction EXT1"),
        (b"\x83\x01\x00.", "the pickle instruction EXT2"),
        (b"\x84\x01\x00\x00\x00.", "the pickle instruction EXT4"),
        (b"(cnumpy\ndtype\no.", "the pickle instruction OBJ"),
        (b"cnumpy\ndtype\n)\x81.", "the pickle instruction NEWOBJ"),
        (b"cnumpy\ndtype\n)}\x92.", "the pickle instruction NEWOBJ_EX"),
        (b"\x97.", "the pickle instruction NEXT_BUFFER"),
        (b"cnumpy.core.multiarray\n_reconstruct\n.", "the name '_reconstruct' of the module 'numpy.core.multiarray'"),
        (b"ccopyreg\n_reconstructor\n.", "the name '_reconstructor' of the module 'copyreg'"),
        (b"ccopyreg\nadd_extension\n.", "the name 'add_extension' of the module 'copyreg'"),
        (b"cnumpy\ndtype.__class__\n.", "the name 'dtype.__class__' of the module 'numpy'"),
        (b"cnumpy.core.multiarray\nscalar.__self__\n.", "the name 'scalar.__self__'"),
        (b"K\x01K\x02\x93.", "the name 2 of the module 1"),
    ],
)
def test_other_instructions_and_names_are_refused(content: bytes, wish: str) -> None:
    assert f"asks for {wish}" in refused(content)


DTYPE = b"cnumpy\ndtype\n"
SCALAR = b"cnumpy.core.multiarray\nscalar\n"


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


@pytest.mark.parametrize(
    ("content", "wish"),
    [
        # a type of objects: numpy would take whatever is given as its scalar
        (DTYPE + text("O8") + b"\x85R.", "numpy values of the type 'O8'"),
        (DTYPE + text("V8") + b"\x85R.", "numpy values of the type 'V8'"),
        (DTYPE + b"]\x85R.", "numpy values of the type a list"),
        (DTYPE + b")R.", "numpy values of the type None"),
        (SCALAR + DTYPE + text("f8") + b"\x85RK\x01\x86R.", "a numpy scalar that is no plain number"),
        (SCALAR + DTYPE + b"C\x01a\x86R.", "a numpy scalar that is no plain number"),
        (SCALAR + b"}K\x01\x86R.", "a numpy scalar that is no plain number"),
        # attributes of what can be called, of a list, and fields of a type
        (SCALAR + b"}" + text("__defaults__") + b"K\x01\x85sb.", "attributes of a function or a type"),
        (DTYPE + b"}b.", "attributes of a function or a type"),
        (b"]}b.", "attributes of a list"),
        (DTYPE + text("f8") + b"\x85R}b.", "a numpy type with fields or of another byte order"),
        (
            DTYPE + text("f8") + b"\x85R(K\x03" + text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb.",
            "a numpy type with fields or of another byte order",
        ),
        (
            DTYPE + text("f8") + b"\x85R(K\x03" + text("<") + b"N}NJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ftb.",
            "a numpy type with fields or of another byte order",
        ),
    ],
)
def test_numpys_types_can_not_be_bent(content: bytes, wish: str) -> None:
    assert f"asks for {wish}" in refused(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "what follows is cut off or no pickle instruction"),
        (b"\xff", "what follows is cut off or no pickle instruction"),
        (b".", "it leaves 0 values, expected one"),
        (b"K\x01K\x02.", "it leaves 2 values, expected one"),
        (b"K\x01.more", "4 bytes follow its end"),
        (b"s.", "it takes more values than there are"),
        (b"K\x01(K\x02s.", "it takes more values than there are"),
        (b"e.", "it ends a group of values that it never began"),
        (b"a.", "it takes more values than there are"),
        (b"K\x01a.", "it takes more values than there are"),
        (b"\x94.", "it takes more values than there are"),
        (b"q\x01.", "it takes more values than there are"),
        (b"K\x01K\x02a.", "expected a list, got 1"),
        (b"]K\x02K\x03s.", "expected a dictionary, got a list"),
        (b"}(K\x01u.", "a key has no value"),
        (b"}]K\x01s.", "a key is a list, expected a text or an integer"),
        (b"})K\x01s.", "a key is a tuple, expected a text or an integer"),
        (b"}\x88K\x01s.", "a key is True, expected a text or an integer"),
        (b"}K\x01K\x02sK\x01K\x03s.", "the key 1 stands twice"),
        (b"h\x05.", "it takes the value number 5, which it never kept"),
        (b"K\x01)R.", "it calls what is no name"),
        (DTYPE + b".", "it holds a type in place of values"),
        (b"]" + DTYPE + b"a.", "it holds a type in place of values"),
        (b"}K\x01" + DTYPE + text("f8") + b"\x85Rs.", "it holds a type in place of values"),
        (b"K\x01]" + SCALAR + b"\x85a\x86.", "it holds a type in place of values"),
        (b"}\x8a\x05\x00\x00\x00\x80\x00K\x01s.", "a key is 2147483648, expected an integer below 2,147,483,648"),
        (b"}\x8a\x05\x00\x00\x00\x80\xffK\x01s.", "a key is -2147483648, expected an integer below 2,147,483,648"),
        (SCALAR + DTYPE + text("f8") + b"\x85RC\x01a\x86R.", "a number has 1 bytes, expected 8"),
        (b"cnumpy\n.", "what follows is cut off or no pickle instruction"),
        (b"I" + b"9" * 5_000 + b"\n.", "what follows is cut off or no pickle instruction"),
        (b"\x8a\xff\x01.", "what follows is cut off or no pickle instruction"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    found = refused(content)
    assert "is damaged or no pickle of numbers" in found
    assert reason in found


def test_depth_takes_neither_the_stack_nor_time() -> None:
    depth = 200_000
    doubled = b"".join(b"h" + bytes([step]) + b"\x86\x94" for step in range(100))
    assert type(loaded(b"]" * depth + b"a" * (depth - 1) + b".")) is list
    # nested tuples as a key: hashing them would recurse, or take 2 to the power of their depth steps
    assert "a key is a tuple" in refused(b"})" + b"\x85" * depth + b"K\x01s.")
    assert "a key is a tuple" in refused(b"})\x94" + doubled + b"K\x01s.")


def test_numbers_in_the_file_take_no_memory() -> None:
    # a place in the memo, and a length, of four thousand million
    assert loaded(b"K\x01r\xff\xff\xff\xff.") == 1
    assert "cut off" in refused(b"X\xff\xff\xff\xffabc")
    assert "cut off" in refused(b"B\xff\xff\xff\xffabc")


def test_keys_that_python_hashes_alike_take_no_time() -> None:
    # a dictionary of the multiples of 2**61 - 1 takes quadratic time: each is compared with all before
    keys = [(number * (2**61 - 1)).to_bytes(12, "little") for number in range(1, 20_000)]
    content = b"\x80\x04}(" + b"".join(b"\x8a\x0c" + key + b"N" for key in keys) + b"u."
    assert "a key is 2305843009213693951, expected an integer below" in refused(content)


def test_many_small_values_are_not_made() -> None:
    # half a million empty dictionaries that are all kept take two bytes each in the file and hundreds in memory
    assert "more than 500,000 instructions" in refused(b"\x80\x04(" + b"}\x94" * 400_000 + b"t.")


def test_a_large_file_is_not_read_to_its_end() -> None:
    file = io.BytesIO(bytes(MAX_BYTES + 10))
    with pytest.raises(DataError, match=r"odd\.pickle has more than 2 MiB, expected a small table"):
        load_plain(file, "odd.pickle")
    assert file.tell() == MAX_BYTES + 1

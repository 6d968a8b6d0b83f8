"""Reading plain values from pickle files of unknown origin, without running anything they say.

The standard library's unpickler stays a machine that calls what it finds, even when ``find_class`` allows few names:
it hands attributes to whatever stands on its stack, looks extension codes up in a cache, sizes its memo by a number in
the file, and hashes nested keys without a limit. Numbers in containers need a few of its instructions only. Those are
carried out here (``pickletools`` splits the file into them) on values that can do nothing; all others are refused.
"""

import pickletools
import struct
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from terranas.benchmark.small_files import read_small
from terranas.core.errors import DataError

_DTYPE, _SCALAR = "dtype", "scalar"

ALLOWED = {
    ("numpy", "dtype"): _DTYPE,
    ("numpy.core.multiarray", "scalar"): _SCALAR,
    ("numpy._core.multiarray", "scalar"): _SCALAR,
}
"""The names a pickle may ask for, and what each stands for here; numpy itself is never called."""

MAX_BYTES = 1 << 21
"""Larger files are refused before they are read. The published ones have at most 81 kB for 225 cells."""

MAX_INSTRUCTIONS = 500_000
"""More are not carried out, since each may take some hundred bytes of memory. The published files have at most
33,000 for 225 cells."""

MAX_KEY = 1 << 31
"""Keys of dictionaries are integers below it. Python hashes multiples of 2**61 - 1 alike, which makes a dictionary of
them take quadratic time."""

_NUMBERS = {"f8": "d", "f4": "f", "i8": "q", "i4": "i"}
_BYTE_ORDERS = ("<", ">")
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
}
_NUMBERS_AND_TEXTS = (
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
    *("SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINBYTES", "BINBYTES"),
)
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_KINDS: dict[type, str] = {list: "a list", dict: "a dictionary", tuple: "a tuple"}
_NOTHING_TO_DO = ("PROTO", "FRAME", "STOP")


class _Global:
    """A name that the pickle asks for."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


class _NumberType:
    """A numpy dtype of one number."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.order = "<"


def load_plain(file: BinaryIO, name: str) -> Any:
    """Return the content of a pickle of numbers, texts, None, lists, tuples and dictionaries.

    Keys of dictionaries are texts and integers below 2**31 in size. numpy's scalars become Python's numbers.

    Args:
        file: the pickle, protocol 3 or later.
        name: what to call the file in messages.

    Raises:
        DataError: the file asks for anything else, is damaged, or is too large.
    """
    content = read_small(file, name, MAX_BYTES)
    machine = _Machine(name)
    position = -1
    try:
        for number, (instruction, argument, position) in enumerate(_instructions(content)):  # noqa: B007
            if number == MAX_INSTRUCTIONS:
                raise ValueError(f"it has more than {MAX_INSTRUCTIONS:,} instructions, more than any published table")
            machine.run(instruction, argument)
        result = machine.result()
        if position + 1 != len(content):
            raise ValueError(f"{len(content) - position - 1:,} bytes follow its end")
    except ValueError as error:
        raise DataError(
            f"{name} is damaged or no pickle of numbers (after byte {max(position, 0):,}: {error}). Fetch it again."
        ) from error
    return result


def _instructions(content: bytes) -> Iterator[tuple[str, Any, int]]:
    """Yield name, argument and place of each instruction.

    Raises:
        ValueError: the bytes are none, or the file ends before it says so.
    """
    found = pickletools.genops(content)
    while True:
        try:
            instruction, argument, place = next(found)
        except StopIteration:
            return
        except ValueError as error:
            raise ValueError("what follows is cut off or no pickle instruction") from error
        yield instruction.name, argument, place or 0


class _Machine:
    """The stack and memo of an unpickler that knows plain values only."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def result(self) -> Any:
        """Return what is left on the stack at the end."""
        if len(self._stack) != 1:
            raise ValueError(f"it leaves {len(self._stack):,} values, expected one")
        if _holds_a_type(self._stack[0]):
            raise ValueError("it holds a type in place of values")
        return self._stack[0]

    def run(self, instruction: str, argument: Any) -> None:
        """Carry out one instruction.

        Raises:
            DataError: it is none that plain values need.
            ValueError: it does not fit what came before.
        """
        if instruction in _NUMBERS_AND_TEXTS:
            self._stack.append(argument)
        elif instruction in _CONSTANTS:
            self._stack.append(_CONSTANTS[instruction]())
        elif instruction in _TUPLES:
            self._stack.append(tuple(self._pop(_TUPLES[instruction])))
        elif instruction == "MEMOIZE":
            self._memo[len(self._memo)] = self._last()
        elif instruction in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = self._last()
        elif instruction in ("BINGET", "LONG_BINGET"):
            if argument not in self._memo:
                raise ValueError(f"it takes the value number {argument}, which it never kept")
            self._stack.append(self._memo[argument])
        elif instruction == "MARK":
            self._marks.append(len(self._stack))
        elif (handler := _HANDLERS.get(instruction)) is not None:
            handler(self)
        elif instruction == "GLOBAL":
            self._find(*argument.split(" ", 1))
        elif instruction not in _NOTHING_TO_DO:
            raise self._refusal(f"the pickle instruction {instruction}")

    def tuple_(self) -> None:
        """Put what is above the last mark into a tuple."""
        self._stack.append(tuple(self._pop_marked()))

    def append(self) -> None:
        """Append the top of the stack to the list below it."""
        values = self._pop(1)
        self._top(list).extend(values)

    def appends(self) -> None:
        """Append what is above the last mark to the list below it."""
        values = self._pop_marked()
        self._top(list).extend(values)

    def set_item(self) -> None:
        """Put the pair on top of the stack into the dictionary below it."""
        self._set(self._pop(2))

    def set_items(self) -> None:
        """Put the pairs above the last mark into the dictionary below it."""
        self._set(self._pop_marked())

    def find(self) -> None:
        """Replace module and name on top of the stack by what they name."""
        self._find(*self._pop(2))

    def call(self) -> None:
        """Make the number, or the type of numbers, that the two values on top of the stack describe."""
        asked, arguments = self._pop(2)
        if not isinstance(asked, _Global) or not isinstance(arguments, tuple):
            raise ValueError("it calls what is no name")
        if asked.kind == _DTYPE:
            code = arguments[0] if arguments else None
            if not isinstance(code, str) or code not in _NUMBERS:
                raise self._refusal(f"numpy values of the type {_shown(code)}")
            self._stack.append(_NumberType(code))
            return
        number_type, content = arguments if len(arguments) == 2 else (None, None)
        if not isinstance(number_type, _NumberType) or not isinstance(content, bytes):
            raise self._refusal("a numpy scalar that is no plain number")
        layout = number_type.order + _NUMBERS[number_type.code]
        if len(content) != struct.calcsize(layout):
            raise ValueError(f"a number has {len(content):,} bytes, expected {struct.calcsize(layout)}")
        self._stack.append(struct.unpack(layout, content)[0])

    def build(self) -> None:
        """Set the byte order of a type of numbers, which stands below the state on top of the stack."""
        (state,) = self._pop(1)
        number_type = self._last()
        if not isinstance(number_type, _NumberType):
            raise self._refusal(f"attributes of {_shown(number_type)}")
        if not isinstance(state, tuple) or state[2:] != (None, None, None, -1, -1, 0) or state[1] not in _BYTE_ORDERS:
            raise self._refusal("a numpy type with fields or of another byte order")
        number_type.order = state[1]

    def _find(self, module: Any, name: Any) -> None:
        kind = ALLOWED.get((module, name)) if isinstance(module, str) and isinstance(name, str) else None
        if kind is None:
            raise self._refusal(f"the name {_shown(name)} of the module {_shown(module)}")
        self._stack.append(_Global(kind))

    def _set(self, pairs: list[Any]) -> None:
        table = self._top(dict)
        if len(pairs) % 2:
            raise ValueError("a key has no value")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if type(key) not in (str, int):
                raise ValueError(f"a key is {_shown(key)}, expected a text or an integer")
            if type(key) is int and abs(key) >= MAX_KEY:
                raise ValueError(f"a key is {_shown(key)}, expected an integer below {MAX_KEY:,} in size")
            if key in table:
                raise ValueError(f"the key {_shown(key)} stands twice")
            table[key] = value

    def _top(self, kind: type) -> Any:
        if type(self._last()) is not kind:
            raise ValueError(f"expected {_KINDS[kind]}, got {_shown(self._last())}")
        return self._last()

    def _last(self) -> Any:
        if not self._stack:
            raise ValueError("it takes more values than there are")
        return self._stack[-1]

    def _pop(self, count: int) -> list[Any]:
        start = len(self._stack) - count
        if start < (self._marks[-1] if self._marks else 0):
            raise ValueError("it takes more values than there are")
        values = self._stack[start:]
        del self._stack[start:]
        return values

    def _pop_marked(self) -> list[Any]:
        if not self._marks:
            raise ValueError("it ends a group of values that it never began")
        return self._pop(len(self._stack) - self._marks.pop())

    def _refusal(self, wish: str) -> DataError:
        return DataError(
            f"{self._name} asks for {wish}, which numbers, texts, lists and dictionaries do not need; pickle files can "
            "run programs, so this one was not read further. Fetch it again from its publisher."
        )


_HANDLERS: dict[str, Callable[[_Machine], None]] = {
    "TUPLE": _Machine.tuple_,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "STACK_GLOBAL": _Machine.find,
    "REDUCE": _Machine.call,
    "BUILD": _Machine.build,
}


def _holds_a_type(result: Any) -> bool:
    """Return whether there is anything but plain values in a result, which may be nested deeply or circular."""
    waiting, seen = [result], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, _Global | _NumberType):
            return True
        if isinstance(value, list | tuple | dict) and id(value) not in seen:
            seen.add(id(value))
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return False


def _shown(value: Any) -> str:
    """Return a short form of a value for messages; containers only by their kind, since they can be huge."""
    if isinstance(value, str | bytes | int | float | None):
        return repr(value)[:60]
    return _KINDS.get(type(value), "a function or a type")

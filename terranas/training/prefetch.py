"""Reading batches ahead of the device: two buffers take turns, one is filled while the other travels.

A thread gathers the rows of the next batch into page-locked host memory and hands them to a stream of its own, so that
neither the copy on the host nor the way over the bus holds up the device or the thread that launches its work. numpy
gathers without the interpreter's lock.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

import torch
from numpy.typing import NDArray
from torch import Tensor

Item = TypeVar("Item")
Result = TypeVar("Result")

SLOTS = 2


class Slot(Protocol):
    """A buffer on the host and its counterpart on the device, reused batch after batch.

    The calls come in this order, again and again: ``rows`` and ``send`` by the thread that reads ahead, ``arrived`` and
    ``release`` by the one that computes.
    """

    def rows(self, count: int) -> NDArray[Any]:
        """Return host memory for so many rows, once nothing reads from it any more."""

    def send(self) -> None:
        """Start to bring the rows to the device, once nothing there reads the rows before."""

    def arrived(self) -> Tensor:
        """Return the rows on the device; work that is queued from now on finds them complete."""

    def release(self) -> None:
        """Say that all work that reads the rows is queued."""

    def close(self) -> None:
        """Wait until nothing uses the buffers, so that their memory can be given back."""


class CudaSlot:
    """Page-locked host memory, device memory, and the events between the two streams that use them."""

    def __init__(
        self, row: Sequence[int], dtype: torch.dtype, computing: torch.cuda.Stream, copying: torch.cuda.Stream
    ):
        """Take the shape and type of a row, and the streams that compute and copy."""
        self._row, self._dtype, self._computing, self._copying = tuple(row), dtype, computing, copying
        self._count = 0
        # waiting sleeps rather than spins: the core belongs to the thread that launches work
        self._sent: torch.cuda.Event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        self._used: torch.cuda.Event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        self._host: Tensor | None = None
        self._device: Tensor | None = None

    def rows(self, count: int) -> NDArray[Any]:
        """See :class:`Slot`."""
        self._sent.synchronize()  # the copy before has left the host; one that never was counts as done
        if self._host is None or count > len(self._host):
            shape = (count, *self._row)
            with torch.cuda.stream(self._computing):  # on this GPU, and in the order of its work
                self._host = torch.empty(shape, dtype=self._dtype, pin_memory=True)
                self._device = torch.empty(shape, dtype=self._dtype, device=self._computing.device)
            # work that is still queued may use what had this memory before
            self._copying.wait_stream(self._computing)
        self._count = count
        return self._host[:count].numpy()

    def send(self) -> None:
        """See :class:`Slot`."""
        assert self._host is not None
        assert self._device is not None
        with torch.cuda.stream(self._copying):
            self._copying.wait_event(self._used)
            self._device[: self._count].copy_(self._host[: self._count], non_blocking=True)
            self._sent.record(self._copying)

    def arrived(self) -> Tensor:
        """See :class:`Slot`."""
        assert self._device is not None
        self._computing.wait_event(self._sent)
        return self._device[: self._count]

    def release(self) -> None:
        """See :class:`Slot`."""
        self._used.record(self._computing)

    def close(self) -> None:
        """See :class:`Slot`."""
        self._copying.synchronize()


def cuda_slots(row: Sequence[int], dtype: torch.dtype, device: torch.device) -> list[CudaSlot]:
    """Return the buffers for rows of one shape and type, with a stream of their own to the device."""
    computing = torch.cuda.current_stream(device)
    copying: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    return [CudaSlot(row, dtype, computing, copying) for _ in range(SLOTS)]


def read_ahead(
    items: Iterable[Item],
    slots: Sequence[Slot],
    fill: Callable[[Item, Slot], None],
    finish: Callable[[Item, Tensor], Result],
) -> Iterator[Result]:
    """Yield one result an item, in order, with the next item's rows on their way already.

    Args:
        items: what to read; consumed in the thread that reads ahead.
        slots: buffers, which take turns.
        fill: gathers an item's rows into a slot (calls its ``rows``).
        finish: makes the result from the rows on the device; the result must not share memory with them.
    """
    free: SimpleQueue[Slot | None] = SimpleQueue()
    ready: SimpleQueue[tuple[Item, Slot] | BaseException | None] = SimpleQueue()

    def read() -> None:
        try:
            for item in items:
                slot = free.get()
                if slot is None:  # whoever takes the results has left
                    return
                fill(item, slot)
                slot.send()
                ready.put((item, slot))
        except BaseException as error:
            ready.put(error)  # raised where the result is waited for
        else:
            ready.put(None)

    for slot in slots:
        free.put(slot)
    thread = threading.Thread(target=read, name="read ahead", daemon=True)
    thread.start()
    try:
        while (given := ready.get()) is not None:
            if isinstance(given, BaseException):
                raise given
            item, slot = given
            result = finish(item, slot.arrived())
            slot.release()
            free.put(slot)
            yield result
    finally:
        free.put(None)
        thread.join()
        for slot in slots:
            slot.close()

"""Makes batches of demo customers in a second process, so that inventing and storing run side by side.

Shape: the parent reads one marshalled batch after the other. The pipe holds the worker back: it is never more than a
few batches ahead. Where the database takes a finished search index, the worker builds it in a file, and sends an empty
message when it is done. Errors: a worker that ends early ends the load (`EOFError`); nothing was stored then.
The worker knows nothing of the parent's database connection, and ends without touching it.
"""

from __future__ import annotations

import contextlib
import gc
import marshal
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from domain.demo_data.customers import CustomerMaker
    from flask_appadmin.loading import TextMaker

#: Table -> rows, and the search texts of the customers.
Batch = tuple[dict[str, list[tuple[Any, ...]]], list[tuple[int, str, str]]]


#: So much of the search index is collected before it is written.
_INDEX_BYTES = 134_217_728
#: Room in the pipe for batches that wait (Linux).
_PIPE_BYTES = 1_048_576


class WorkerBatches:
    """The batches of a worker, in the order of their jobs."""

    def __init__(self, receiver: Connection, count: int, index_file: Path | None) -> None:
        self._receiver = receiver
        self._count = count
        self._index_file = index_file

    def __iter__(self) -> Iterator[Batch]:
        for _number in range(self._count):
            yield marshal.loads(self._receiver.recv_bytes())

    def index_file(self) -> Path:
        """Where the search index is, once the worker has finished it."""
        assert self._index_file is not None
        self._receiver.recv_bytes()
        return self._index_file


@contextlib.contextmanager
def batches_from_worker(
    maker: CustomerMaker,
    texts: TextMaker,
    jobs: Sequence[tuple[int, Sequence[int]]],
    *,
    index_file: Path | None = None,
) -> Iterator[WorkerBatches]:
    """The batches for all jobs; the process ends with the context.

    With an `index_file` the search texts go there, and the batches have none.
    """
    # A forked worker needs no second to start; where forking is not safe, it is started anew.
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    receiver, sender = context.Pipe(duplex=False)
    _widen(sender)
    process = context.Process(target=_work, args=(sender, maker, texts, jobs, index_file), daemon=True)
    process.start()
    # The worker's end must be open nowhere else, or its early death would never be heard.
    sender.close()
    try:
        yield WorkerBatches(receiver, len(jobs), index_file)
    finally:
        receiver.close()
        process.terminate()
        process.join()


def _widen(sender: Connection) -> None:
    if sys.platform == "linux":
        import fcntl

        # An unprivileged user may have less.
        with contextlib.suppress(OSError):
            fcntl.fcntl(sender.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _work(
    sender: Connection,
    maker: CustomerMaker,
    texts: TextMaker,
    jobs: Sequence[tuple[int, Sequence[int]]],
    index_file: Path | None,
) -> None:
    """The worker's side."""
    from flask_appadmin.search import IndexFile

    # Nothing here has cycles, and looking for them takes a tenth of the time.
    gc.disable()
    index = IndexFile(index_file, memory_bytes=_INDEX_BYTES) if index_file is not None else None
    # The parent may give up early; it says why.
    with contextlib.suppress(BrokenPipeError):
        for job in jobs:
            rows = maker.batch(*job)
            found = texts.texts(rows)
            sender.send_bytes(marshal.dumps((rows, found if index is None else [])))
            if index is not None:
                index.add(found)
        if index is not None:
            index.close()
            sender.send_bytes(b"")

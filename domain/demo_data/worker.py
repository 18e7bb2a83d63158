"""Makes batches of demo customers in a second process, so that inventing and storing run side by side.

Shape: the parent starts Python on `main` of this file, sends the makers and the jobs by pickle, and reads one
marshalled batch after the other, each with its length before it. The pipe holds the worker back: it is never more
than one batch ahead. Errors: a worker that ends early ends the load (`EOFError`); nothing was stored then.
Neither end reads anything but what the other one wrote.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domain.demo_data.customers import CustomerMaker
    from flask_appadmin.loading import TextMaker

#: Table -> rows, and the search texts of the customers.
Batch = tuple[dict[str, list[tuple[Any, ...]]], list[tuple[int, str]]]

_LENGTH = struct.Struct("<Q")


@contextlib.contextmanager
def batches_from_worker(
    maker: CustomerMaker, texts: TextMaker, jobs: Sequence[tuple[int, Sequence[int]]]
) -> Iterator[Iterator[Batch]]:
    """The batches for all jobs in their order; the process ends with the context."""
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", f"from {__name__} import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        keys = (maker.seed, maker.keys, maker.first_keys, texts, jobs)
        pickle.dump(keys, process.stdin, pickle.HIGHEST_PROTOCOL)
        process.stdin.close()
        yield _read(process.stdout, len(jobs))
    finally:
        process.stdout.close()
        process.terminate()
        process.wait()


def _read(stream: Any, count: int) -> Iterator[Batch]:
    for _number in range(count):
        head = stream.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            raise EOFError("the worker that makes demo data ended early")
        yield marshal.loads(stream.read(_LENGTH.unpack(head)[0]))


def main() -> None:
    """The worker's side."""
    from domain.demo_data.customers import CustomerMaker

    seed, keys, first_keys, texts, jobs = pickle.load(sys.stdin.buffer)
    maker = CustomerMaker(seed, keys, first_keys)
    output = sys.stdout.buffer
    try:
        for job in jobs:
            rows = maker.batch(*job)
            batch = marshal.dumps((rows, texts.texts(rows)))
            output.write(_LENGTH.pack(len(batch)))
            output.write(batch)
            output.flush()
    except BrokenPipeError:
        # The parent gave up; it says why.
        os._exit(1)

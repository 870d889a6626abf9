"""A 2xx answer to a write means it is on disk, also when the power goes: the log is synced before the answer's first byte.

A kill leaves the kernel's pages alone, so it cannot tell. What can is the order of the server's system calls.
"""

import os
import re
import shutil
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from tests.process.serving import IS_LONG, Place, descendants

WRITES = 100 if IS_LONG else 20
CALLS = "fsync,fdatasync,pwrite64,write,writev,sendto,sendmsg"
STRACE = ["strace", "--follow-forks", "--seccomp-bpf", "-qq", "-y", "-s", "16", "-e", f"trace={CALLS}", "-e", "signal=none", "-o"]
LINE = re.compile(r"^(?P<thread>\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>|(?P<call>\w+)\(\d+<(?P<file>[^>]*)>)(?P<rest>.*)$")


@pytest.fixture
def strace() -> list[str]:
    """The command that traces; it is left out only where nobody promised it."""
    if shutil.which("strace") is None:
        is_promised = IS_LONG or "CI" in os.environ
        assert not is_promised, "strace is missing; on Debian: apt-get install strace"
        pytest.skip("strace is not installed; on Debian: apt-get install strace")
    return STRACE


def test_the_log_is_synced_between_the_last_page_and_the_first_byte_of_the_answer(strace: list[str], sqlite_place: Place) -> None:
    """To see it fail: open the database with `synchronous=NORMAL`."""
    trace = sqlite_place.folder / "trace"
    with sqlite_place.serving(wrapped_by=[*strace, str(trace)]) as server:
        with server.client() as asker:
            for number in range(WRITES):
                assert asker.ask("POST", "/v1/order", {"external_ref": f"order-{number}"}).status == 201
        os.kill(descendants(server.process.pid)[0], signal.SIGTERM)
        server.process.wait(30)
    assert judged(trace) == ["synced"] * WRITES


def judged(trace: Path) -> list[str]:
    """For each 201 answer what came before it."""
    found, state = [], "nothing written"
    for event in events(trace.read_text(errors="replace").splitlines()):
        if event == "answer":
            found.append(state)
            state = "nothing written"
        elif event == "page":
            state = "not synced"
        elif state == "not synced":
            state = "synced"
    return found


def events(lines: Iterable[str]) -> Iterator[str]:
    """page, sync and answer, in their order. A sync counts from its end, the others from their beginning."""
    pending: dict[str, str] = {}
    for found in filter(None, map(LINE.match, lines)):
        thread, call = found["thread"], found["call"]
        if call is None:
            call, file = found["resumed"], pending.pop(thread, "")
            if "sync" in call and file.endswith(".db-wal"):
                yield "sync"
        elif "<unfinished" in found["rest"] and "sync" in call:
            pending[thread] = found["file"]
        elif found["file"].endswith(".db-wal"):
            yield "page" if call == "pwrite64" else "sync"
        elif '"HTTP/1.1 201' in found["rest"]:
            yield "answer"

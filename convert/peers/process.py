"""Asking a side that lives in a process of its own: it may crash or hang over a photograph, and the run goes on."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import IO, Any

from convert.peers.base import About, Answer, PeerError
from edge.errors import ImageError

LOADING_S = 300.0
"""Patience with a side that loads its models; one that downloads them may take longer."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A side to start: the module that loads it and what its `Config` says."""

    name: str
    module: str
    config: dict[str, Any]
    threads: int = 1
    download: bool = False


class Side:
    """A side that is running. `patience_s` is for one photograph; after a crash the next one starts the process anew."""

    def __init__(self, wanted: Wanted, patience_s: float = 60.0) -> None:
        self.name, self._wanted, self._patience_s = wanted.name, wanted, patience_s
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self.about = self._start()

    def ask(self, path: str, crop: bool) -> Answer:
        """What it makes of the photograph, or why it makes nothing of it. Raises ImageError when the picture cannot be read by anyone."""
        try:
            if self._process is None:
                self._start()
            row = self._exchange({"path": path, "crop": crop}, self._patience_s)
        except TimeoutError:
            self.close()
            return Answer(failure=f"no answer in {self._patience_s:g} s")
        except (EOFError, PeerError) as error:
            self.close()
            return Answer(failure=str(error))
        if "unreadable" in row:
            raise ImageError(row["unreadable"])
        return Answer.from_json(row)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._log.close()
            self._process = None

    def _start(self) -> About:
        threads = str(self._wanted.threads)
        limits = {name: threads for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (it lives as long as the process)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "convert.peers.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if self._wanted.download else self._log,  # a download shows its own progress
            env={**os.environ, **limits, "PYTHONPATH": os.pathsep.join(place for place in sys.path if place)},
            start_new_session=True,  # Ctrl-C is for the one who asks
            bufsize=0,
        )
        self._rest = b""
        wanted = {key: getattr(self._wanted, key) for key in ("name", "module", "config", "threads", "download")}
        try:
            row = self._exchange(wanted, 10 * LOADING_S if self._wanted.download else LOADING_S)
        except (TimeoutError, EOFError) as error:
            self.close()
            raise PeerError(f"{self.name}: cannot be loaded ({error or 'no sign of life'}); look at its files and packages") from None
        if "refused" in row:
            self.close()
            raise PeerError(row["refused"])
        return About.from_json(row["about"])

    def _exchange(self, row: dict[str, Any], patience_s: float) -> dict[str, Any]:
        """A line out, a line in. Raises TimeoutError, or EOFError that says how the process ended."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(row).encode() + b"\n")
        except BrokenPipeError:
            raise EOFError(self._end()) from None
        until = time.monotonic() + patience_s
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError
            more = os.read(self._process.stdout.fileno(), 1 << 16)
            if not more:
                raise EOFError(self._end())
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _end(self) -> str:
        """How the process ended, and the last that it wrote."""
        assert self._process is not None
        code = self._process.wait()
        how = f"its process was ended by {signal.Signals(-code).name}" if code < 0 else f"its process ended with code {code}"
        self._log.seek(0)
        words = self._log.read().decode(errors="replace").strip().splitlines()
        return f"{how}: {words[-1].strip()[:160]}" if words else how

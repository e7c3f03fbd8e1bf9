"""A bundle that was uploaded comes in: unpacked, verified, tried and put into its place, in a process of its own that tells how far it is.

`python -m edge.model.arrival '{"config", "depot", "file", "name", "out"}'`; `out` holds what `edge.model.chore` says, "file" (its name for people),
"step" and, where it is done, "bundle" and "self_test". The uploaded file is gone afterwards, whatever became of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import time
from pathlib import Path
from typing import IO, Any

from edge.errors import BundleError, PlatewatchError
from edge.model.chore import Chore, write

NAME = "arrival.json"
STEPS = ("unpack", "verify", "self-test")
PIECE = 1 << 16
UPLOAD = ".upload-"
FORGOTTEN_S = 3600.0
"""An upload that nobody took in so long is a dead page's."""


class Arrival(Chore):
    """The page's hand on it: one at a time in a runtime folder."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / NAME, "edge.model.arrival", "an upload")

    def receive(self, stream: IO[bytes], name: str, config: Path, depot: Path) -> None:
        """Lay the upload down and begin. Raises BundleError where it cannot be kept, ConfigError where another is under way."""
        file = depot / f"{UPLOAD}{secrets.token_hex(8)}"
        name = plain(name)
        try:
            try:
                depot.mkdir(parents=True, exist_ok=True)
                tidy(depot)
                with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as spool:
                    while piece := stream.read(PIECE):
                        spool.write(piece)
            except OSError as error:
                raise BundleError(f"{depot}: cannot take the upload ({error.strerror}); see models.depot and the space on the disk") from None
            self.begin({"config": str(config), "depot": str(depot), "file": str(file), "name": name}, {"file": name, "step": STEPS[0]})
        except PlatewatchError:
            file.unlink(missing_ok=True)
            raise


def plain(name: str) -> str:
    """A file's name as a sentence may hold it."""
    return "".join(char for char in name.replace("\\", "/").rpartition("/")[2] if char.isprintable())[:60] or "the upload"


def tidy(depot: Path) -> None:
    """Uploads that a page which died has left."""
    for left in depot.glob(f"{UPLOAD}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > FORGOTTEN_S:
                left.unlink()


def main(order: dict[str, Any]) -> int:
    """The process."""
    from edge.model.depot import Depot
    from edge.settings_file.settings import SettingsFile

    out, file = Path(order["out"]), Path(order["file"])
    told: dict[str, Any] = {"state": "running", "pid": os.getpid(), "file": order["name"], "step": STEPS[0]}

    def tell(step: str) -> None:
        told["step"] = step
        write(out, told)

    try:
        with file.open("rb") as raw:
            card = Depot(Path(order["depot"]), SettingsFile(Path(order["config"]))).take(raw, order["name"], tell)
        write(out, told | {"state": "done", "bundle": card.name, "self_test": card.self_test, "sentence": f"{card.name} is here and may be used"})
    except (PlatewatchError, OSError) as error:
        write(out, told | {"state": "failed", "sentence": str(error)})
        return 1
    finally:
        file.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))

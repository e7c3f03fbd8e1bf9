"""What stands around many devices, real ones on the loopback: mosquitto by the files of `broker init`, and PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.receivers import MOSQUITTO, free_port, wait_for

PG = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None)


@contextlib.contextmanager
def running(folder: Path, port: int) -> Iterator[None]:
    """mosquitto by the very file that was made, but for the port and for where its container has the folder."""
    assert MOSQUITTO is not None
    made = (folder / "broker/mosquitto.conf").read_text()
    text = (
        made.replace("listener 8883", f"listener {port} 127.0.0.1")
        .replace("/mosquitto/config", f"{folder}/broker")
        .replace("/mosquitto/data", f"{folder}/data")
    )
    assert (text.count(str(port)), text.count(str(folder))) == (1, 5)
    conf = folder / "test.conf"
    conf.write_text(f"user root\n{text}")
    with subprocess.Popen([MOSQUITTO, "-c", str(conf)], stderr=subprocess.DEVNULL) as process:

        def answers() -> bool:
            assert process.poll() is None, "mosquitto ended"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
                return True
            return False

        try:
            wait_for(answers, 30)
            yield
        finally:
            process.terminate()


@contextlib.contextmanager
def postgres() -> Iterator[Callable[..., str]]:
    """psql on a PostgreSQL of one's own, at a socket in a folder; as user postgres where the tests are root's.

    `sql(text, user, **environment)`; with a password in the environment (PGPASSWORD) the server asks for it, as in its container.
    """
    if PG is None:
        pytest.skip("PostgreSQL is not on this machine")
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL does not run as root")
    folder = Path(tempfile.mkdtemp(prefix="pw-pg-"))
    port = free_port()
    become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    if become:
        shutil.chown(folder, "postgres")

    def run(*words: str, text: str = "", **environment: str) -> str:
        done = subprocess.run([*become, *words], input=text, capture_output=True, text=True, cwd=folder, env=os.environ | environment, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        run(str(PG), "-D", f"{folder}/db", "--auth-local=trust", "--auth-host=scram-sha-256", "-U", "owner", "--no-sync", "-E", "UTF8", "--locale=C")
        server = str(PG.with_name("pg_ctl"))
        run(server, "-D", f"{folder}/db", "-w", "-t", "120", "-l", f"{folder}/log", "-o", f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -F", "start")
        try:

            def sql(text: str, user: str = "owner", **environment: str) -> str:
                where = ["-h", "127.0.0.1"] if "PGPASSWORD" in environment else ["-h", str(folder)]
                words = ["psql", *where, "-p", str(port), "-U", user, "-d", "postgres", "-qAtX", "-v", "ON_ERROR_STOP=1"]
                return run(*words, text=text, **environment).strip()

            yield sql
        finally:
            run(server, "-D", f"{folder}/db", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)

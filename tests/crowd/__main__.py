"""`python -m tests.crowd`: the real daemon on the bundled clip and the real page, with nobody, one viewer and a hundred, in turns.

What counts is the daemon: worked frames a second and its processor time for each, with the crowd against without it. The viewers run on the same machine and
take their share of it, which those of a real device do not: `--nice` (default 19) keeps them back, and their own time is told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from edge import status
from edge.web.access.access import Access
from tests.crowd import first_bytes
from tests.crowd.viewers import Crowd
from tests.pages import CLIP, YARD

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Turn:
    """A while with so many viewers: the daemon's worked frames a second and milliseconds of processor for each, the page's share of a core."""

    viewers: int
    frames_s: float
    frame_ms: float
    page_cores: float
    crowd_cores: float
    page_mb: float
    pictures_s: float
    messages_s: float
    refused: int
    picture_ms: tuple[float, float]
    page_ms: tuple[float, float]


def cpu_s(pid: int) -> float:
    parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


def worked(folder: Path) -> int:
    camera = (status.read(folder / "run") or {}).get("camera", {})
    return int(camera.get("frames", 0)) - int(camera.get("dropped", 0))


def spread(waits: list[float]) -> tuple[float, float]:
    """Median and 95th percentile, ms."""
    if len(waits) < 2:
        return (float("nan"), float("nan"))
    cuts = statistics.quantiles(waits, n=20)
    return 1000 * statistics.median(waits), 1000 * cuts[-1]


async def turn(folder: Path, daemon: int, page: int, port: int, token: str, viewers: int, seconds: float) -> Turn:
    crowd = Crowd(port, viewers, token)
    crowd.come()
    if viewers > 1:
        crowd.trouble()
    await asyncio.sleep(4.0)  # everybody is there
    crowd.seen.waits.clear()
    crowd.seen.got.clear()
    crowd.seen.codes.clear()
    before, began = (worked(folder), cpu_s(daemon), cpu_s(page), time.process_time()), time.monotonic()
    await asyncio.sleep(seconds)
    took, after = time.monotonic() - began, (worked(folder), cpu_s(daemon), cpu_s(page), time.process_time())
    frames, daemon_s, page_s, crowd_s = (b - a for a, b in zip(before, after, strict=True))
    seen, mb = crowd.seen, rss_mb(page)
    told = Turn(
        viewers, frames / took, 1000 * daemon_s / max(frames, 1), page_s / took, crowd_s / took, mb, seen.got["pictures"] / took,
        (seen.got["status"] + seen.got["plates"]) / took, sum(n for code, n in seen.codes.items() if code >= 400),
        spread(seen.waits.get("picture", [])), spread(seen.waits.get("page", [])),
    )  # fmt: skip
    await crowd.leave()
    return told


def wait_until(true: object, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        if time.monotonic() > end:
            sys.exit("tests.crowd: daemon or page did not come up; try platewatch demo to see why")
        time.sleep(0.1)


def answers(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crowd", description=str(__doc__).splitlines()[0])
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each turn (default: 20)")
    parser.add_argument("--rounds", type=int, default=3, help="each has a turn with nobody, one and all (default: 3)")
    parser.add_argument("--nice", type=int, default=19, help="of the viewers (default: 19)")
    parser.add_argument("--page-nice", type=int, default=0, help="of the page; under systemd it has CPUWeight=20 instead")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--first-bytes", action="store_true", help="instead: how long each room and address takes until its first byte, for one viewer")
    parser.add_argument("--times", type=int, default=40, help="so often each, with --first-bytes (default: 40)")
    args = parser.parse_args()
    if args.first_bytes:
        if args.times < 2:
            parser.error("--times: 2 or more")
        return first_bytes.main(args)
    turns: list[Turn] = []
    with tempfile.TemporaryDirectory(prefix="platewatch-crowd-") as name, ExitStack() as ends:
        folder = Path(name)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        (folder / "c.toml").write_text(YARD.format(clip=CLIP, port=port))
        _, token = Access(folder / "access.json", "").new_token("crowd", ["status:read", "events:read", "image:read"], 1)
        log = ends.enter_context((folder / "log").open("wb"))

        def start(*words: str, nice: int = 0) -> subprocess.Popen[bytes]:
            command = ["nice", "-n", str(nice), sys.executable, "-m", "edge", *words, "--config", str(folder / "c.toml")]
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
            ends.callback(process.wait, 20)
            ends.callback(process.terminate)
            return process

        daemon, page = start("run"), start("web", nice=args.page_nice)
        wait_until(lambda: answers(port) and worked(folder) > 20)
        os.nice(args.nice)
        for _ in range(args.rounds):
            for viewers in (0, 1, args.viewers):
                turns.append(asyncio.run(turn(folder, daemon.pid, page.pid, port, token, viewers, args.seconds)))
                print(turns[-1], flush=True)
    return tell(turns, args)


def tell(turns: list[Turn], args: argparse.Namespace) -> int:
    head = "viewers", "frames/s", "daemon ms/frame", "page cores", "page MB", "pictures/s", "messages/s", "refused", "picture p50/p95 ms", "page p50/p95 ms"
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for viewers in (0, 1, args.viewers):
        of = [one for one in turns if one.viewers == viewers]
        mean = {key: statistics.fmean(getattr(one, key) for one in of) for key in ("frames_s", "frame_ms", "page_cores", "page_mb", "pictures_s", "messages_s")}
        p, g = of[-1].picture_ms, of[-1].page_ms
        print(
            f"| {viewers} | {mean['frames_s']:.2f} | {mean['frame_ms']:.1f} | {mean['page_cores']:.3f} | {mean['page_mb']:.0f} | {mean['pictures_s']:.1f} "
            f"| {mean['messages_s']:.1f} | {sum(one.refused for one in of)} | {p[0]:.0f}/{p[1]:.0f} | {g[0]:.0f}/{g[1]:.0f} |"
        )
    for viewers in (1, args.viewers):
        ratios = [b.frames_s / a.frames_s for a, b in zip(*([one for one in turns if one.viewers == n] for n in (0, viewers)), strict=True)]
        print(f"worked frames a second with {viewers} against nobody: {statistics.fmean(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")
    if args.json:
        args.json.write_text(json.dumps([{name: getattr(one, name) for name in Turn.__dataclass_fields__} for one in turns], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

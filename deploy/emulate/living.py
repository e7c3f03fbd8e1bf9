"""Stages in a device that is set up: later starts, plates, updates, a camera, another board."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
import sys
import tarfile
import tomllib
from pathlib import Path

from deploy.emulate import device, program
from deploy.emulate.bench import BOOT_LIMIT_S, TRIAL_LIMIT_S, Bench, Figures, release_of, require, settled, told, well
from deploy.emulate.errors import EmulateError
from deploy.emulate.guest import BY_SSH_S, Guest

CLIPS = Path(__file__).resolve().parents[2] / "edge/clips"
PLATES_LIMIT_S = 2400.0
"""For several turns of the clip; one has 300 pictures at the rate that the device file allows."""
CONFIG = "/etc/platewatch/platewatch.toml"
BOOT_ID = "cat /proc/sys/kernel/random/boot_id"
DOCTOR = ("machine", "runtime", "detector", "reader")


def second_boot(bench: Bench) -> Figures:
    guest = bench.power_on(bench.card)
    to_page = guest.until("the page", guest.page.alive, BOOT_LIMIT_S)
    guest.until("pictures", well(guest), BOOT_LIMIT_S, BY_SSH_S)
    return {"power on to page, s": round(to_page), "power on to pictures, s": round(guest.age_s)}


def plates(bench: Bench) -> Figures:
    """What the daemon of this computer reads from the clip by the same settings, the emulated one reads too, and nothing else."""
    wanted = read_here(bench.folder / "here")
    guest = bench.running()
    guest.page.log_in(device.PAGE_PASSWORD)
    try:
        guest.until("all plates that are read here", lambda: seen(guest) >= wanted, PLATES_LIMIT_S)
    except EmulateError as error:
        raise EmulateError(f"{error}; not read: {', '.join(sorted(wanted - seen(guest)))}") from None
    found = seen(guest)
    require(found == wanted, f"read what is not read here: {', '.join(sorted(found - wanted))}")
    said = guest.ssh("cd / && sudo -u platewatch platewatch doctor --json", check=False)
    states = {one["what"]: one["state"] for line in said.splitlines() if line.startswith("{") and (one := json.loads(line))}
    bad = [what for what in DOCTOR if states.get(what) != "good"]
    require(not bad, f"the doctor on the device does not find good: {', '.join(bad)}")
    truth = {str(plate["text"]) for plate in json.loads((CLIPS / "demo.json").read_text(encoding="utf-8"))}
    told = {"plates": ", ".join(sorted(found)), "as this computer reads them": "yes", "right": f"{len(found & truth)} of {len(truth)}"}
    return told | {"golden self-test": "good"}


def read_here(folder: Path) -> set[str]:
    """Texts of the events that the daemon of this computer makes of the clip, by the device's camera settings. Raises EmulateError."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    own = tomllib.loads(device.text(folder / "nobody.pub", ""))["config"]
    camera = own["camera"] | {"source": str(CLIPS / "demo.mp4"), "loop": False}
    tables = {"camera": camera, "tracking": own["tracking"], "store": {"path": str(folder / "events.sqlite")}, "runtime": {"directory": str(folder / "run")}}
    lines = [f"[{table}]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in keys.items()) for table, keys in tables.items()]
    (folder / "here.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    program.run(sys.executable, "-m", "edge", "run", "--config", folder / "here.toml", log=folder / "here.log")
    with contextlib.closing(sqlite3.connect(f"{(folder / 'events.sqlite').as_uri()}?mode=ro", uri=True)) as store:
        return {str(text) for (text,) in store.execute("SELECT text FROM events")}


def seen(guest: Guest) -> set[str]:
    """Texts of the events so far."""
    try:
        return {str(event["text"]) for event in guest.page.json("/api/events?limit=100")["events"]}
    except EmulateError:
        return set()


def send(guest: Guest, archive: Path, log: Path) -> str:
    """As the README says it: through a pipe of SSH; the device's last words. A release that is rolled back is no error here."""
    roll = archive.with_suffix(".roll")
    with tarfile.open(roll, "w") as tar:
        for path in (archive, archive.with_name(archive.name + ".minisig")):
            tar.add(path, path.name)
    said = guest.ssh("sudo platewatch-deploy update - 2>&1", check=False, timeout_s=TRIAL_LIMIT_S, feed=roll)
    roll.unlink()
    log.write_text(said, encoding="utf-8")
    lines = said.strip().splitlines()
    return lines[-1] if lines else ""


def update(bench: Bench) -> Figures:
    guest, archive = bench.running(), bench.releases["newer"]
    before, begun = told(guest)["current"], guest.age_s
    require(before != release_of(archive), f"{before} runs already; begin with the stage first-boot")
    guest.until("pictures", well(guest), BOOT_LIMIT_S, BY_SSH_S)
    words = send(guest, archive, bench.folder / "update.txt")
    guest.until("the verdict", settled(guest), TRIAL_LIMIT_S, BY_SSH_S)
    after = told(guest)
    require(after["current"] == release_of(archive) and after["previous"] == before, f"after the update {after['current']} runs: {words}")
    require(after["page"] and after["daemon"]["version"] == after["version"], "the new release's page or daemon does not answer")
    return {"seconds": round(guest.age_s - begun), "words": after["report"][:160]}


def bad_update(bench: Bench) -> Figures:
    guest, archive = bench.running(), bench.releases["bad"]
    before, begun = told(guest)["current"], guest.age_s
    guest.until("pictures", well(guest), BOOT_LIMIT_S, BY_SSH_S)
    words = send(guest, archive, bench.folder / "bad-update.txt")
    guest.until("the verdict", settled(guest), TRIAL_LIMIT_S, BY_SSH_S)
    after = told(guest)
    require(after["current"] == before, f"the bad release stays: {after['current']}: {words}")
    require(after["failed"].get("id") == release_of(archive), f"status does not name the release that was rolled back, but {after['failed']}")
    guest.until("pictures of the release of before", well(guest), BOOT_LIMIT_S, BY_SSH_S)
    again = send(guest, archive, bench.folder / "bad-again.txt")
    require("was rolled back here" in again, f"the bad release is not refused the second time: {again}")
    return {"seconds until rolled back": round(guest.age_s - begun), "words": after["report"][:200]}


def hang(bench: Bench) -> Figures:
    """The system's first process stands still, and with it everything that would start something anew: only the board's watchdog is left."""
    guest = bench.power_on(bench.card, watchdog=True)
    guest.until("the page", guest.page.alive, BOOT_LIMIT_S)
    guest.until("pictures", well(guest), BOOT_LIMIT_S, BY_SSH_S)
    before = guest.ssh(BOOT_ID)
    begun = guest.age_s
    with contextlib.suppress(EmulateError):  # who says good-bye to it waits for an answer
        guest.ssh("sudo sh -c 'echo 1 >/sys/fs/cgroup/init.scope/cgroup.freeze'", timeout_s=20)
    guest.until("another start", lambda: another(guest, before), BOOT_LIMIT_S, BY_SSH_S)
    guest.until("pictures", well(guest), BOOT_LIMIT_S, BY_SSH_S)
    seconds = round(guest.age_s - begun)
    bench.cut()
    return {"seconds until pictures come again": seconds}


def another(guest: Guest, before: str) -> bool:
    """Whether the guest that answers was started since."""
    try:
        return guest.ssh(BOOT_ID, timeout_s=60) != before
    except EmulateError:
        return False


def vivid(bench: Bench) -> Figures:
    """The kernel's own test camera, as a USB camera would be used; afterwards the clip is the camera again."""
    guest = bench.running()
    guest.ssh(f"sudo modprobe vivid n_devs=1 && sudo cp {CONFIG} /root/clip.toml")
    device_of = guest.ssh("grep -l vivid /sys/class/video4linux/video*/name | head -1 | cut -d/ -f5").strip()
    require(re.fullmatch(r"video\d+", device_of), "the guest's kernel has no vivid device")
    change = (
        f'sudo sed -i -e \'s|^kind = "files"|kind = "opencv"|\' -e \'s|^source = .*demo.mp4"|source = "/dev/{device_of}"|\' '
        f"-e 's|^real_time = false|real_time = true|' -e 's|^loop = true|loop = false|' {CONFIG}"
    )
    guest.ssh(f"{change} && sudo systemctl restart platewatch")
    try:
        guest.page.log_in(device.PAGE_PASSWORD)
        pictures: list[bytes] = []

        def moves() -> bool:
            code, body = guest.page.get("/live.jpg")
            if code == 200 and body.startswith(b"\xff\xd8") and body not in pictures:
                pictures.append(body)
            return len(pictures) >= 3

        guest.until("three live pictures that differ", moves, BOOT_LIMIT_S)
        (bench.folder / "vivid.jpg").write_bytes(pictures[-1])
        camera = guest.page.json("/api/status").get("camera")
    finally:
        guest.ssh(f"sudo install -o platewatch -g platewatch -m 640 /root/clip.toml {CONFIG} && sudo systemctl restart platewatch", check=False)
    return {"device": f"/dev/{device_of}", "live pictures that differ": len(pictures), "camera": str(camera)[:120]}


def raspi3b(bench: Bench) -> Figures:
    """A copy of the same card in an emulated Raspberry Pi 3 B: its own SD controller, its network by USB."""
    card = bench.folder / "pi3.img"
    bench.cut()
    bench.copy(bench.card, card)
    guest = bench.power_on(card, "raspi3b")
    to_page = guest.until("the page", guest.page.alive, 2 * BOOT_LIMIT_S)
    model = guest.ssh("tr -d '\\0' < /proc/device-tree/model").strip()
    require("Raspberry Pi 3" in model, f"the guest is {model or 'nameless'}, not a Raspberry Pi 3")
    bench.cut()
    card.unlink()
    return {"power on to page, s": round(to_page), "model": model}

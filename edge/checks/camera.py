"""The camera: is it there, does it open, do pictures come?"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from edge.checks.outcome import Device, Outcome

PATIENCE_S = 20.0
FRAME, SENT = "edge.checks.frame", "edge.checks.sent"
ROOT = Path(__file__).parents[2]
DEVICES = Path("/dev")
DARK, BRIGHT, FLAT = 12.0, 243.0, 3.0
"""Mean and standard deviation of luma, beyond which a picture shows nothing."""


def check_library(device: Device) -> Outcome | None:
    """picamera2; None where it is missing and the configured camera is another one."""
    if importlib.util.find_spec("picamera2"):
        return Outcome("good", "picamera2 is installed")
    if device.config is not None and device.config.camera.kind != "pi":
        return None
    return Outcome("note", "picamera2 is not installed: USB, RTSP and files work", "for a Pi camera: sudo apt install python3-picamera2")


def check_camera(device: Device) -> Outcome | None:
    """The configured one, opened for a moment unless the daemon has it; without a config, which there are."""
    if device.config is None or device.config_file is None:
        return None if device.config_file else _there()
    from edge import status

    settings = device.config.camera
    stream = settings.kind == "opencv" and "://" in settings.source
    told = status.read(Path(device.config.runtime.directory))
    if told is not None and status.is_alive(told):
        found = of_daemon(told)
        # A stream may be opened twice, a device may not.
        return scaled(found, told["camera"], look(Path(device.config_file), way=SENT)) if stream and found.state == "good" else found
    return in_words("stream" if stream else settings.kind, look(Path(device.config_file)))


def _there(devices: Path = DEVICES) -> Outcome:
    found = sorted(path.name for path in devices.glob("video[0-9]*"))
    if found:
        return Outcome("good", f"video devices: {', '.join(found)}; with --config FILE the configured one is tried")
    mend = "plug one in; for an RTSP camera or a recording nothing is needed, and platewatch demo shows how it works without"
    return Outcome("note", "no USB or Pi camera is to be seen here", mend)


def of_daemon(told: dict[str, Any]) -> Outcome:
    """What the daemon that holds the camera says of it."""
    camera, state = told.get("camera") or {}, told.get("state")
    if state == "watching":
        size = f"{camera.get('width')}x{camera.get('height')}, {camera.get('fps')} frames/s"
        return Outcome("good", f"the daemon watches: {camera.get('name')}, {size}, {camera.get('dropped', 0)} frames dropped")
    return Outcome("note" if state == "starting" else "bad", f"the daemon runs, but the camera does not: {state}; {told.get('detail') or 'no frame comes'}")


def scaled(watched: Outcome, camera: dict[str, Any], sent: dict[str, Any]) -> Outcome:
    """`watched`, unless the camera sends (`edge.checks.sent`) another size than the daemon has; where it does not say, nobody knows."""
    if "width" not in sent or (camera.get("width"), camera.get("height")) == (sent["width"], sent["height"]):
        return watched
    words = f"{watched.words}; but the camera sends {sent['width']}x{sent['height']} now, and the pictures are scaled: its resolution changed within the stream"
    return Outcome("note", words, "restart platewatch; if that does not help, restart the camera too, or set its resolution back")


def look(config_file: Path, patience_s: float = PATIENCE_S, way: str = FRAME) -> dict[str, Any]:
    """Open it in a process of its own, since a driver may hang or crash; what `edge.checks.frame` (or `sent`) prints, or {"why": ...}."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    words = [sys.executable, "-m", way, str(config_file.resolve())]
    quiet = {"PYTHONPATH": paths, "OPENCV_LOG_LEVEL": "SILENT", "OPENCV_FFMPEG_LOGLEVEL": "-8", "LIBCAMERA_LOG_LEVELS": "*:ERROR"}
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | quiet)
    try:
        said, _ = process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # what hangs in a driver cannot even be killed
            process.wait(1.0)
        if process.stdout is not None:
            process.stdout.close()
        return {"why": f"no picture came within {patience_s:.0f} s"}
    if process.returncode < 0:
        return {"why": f"its driver crashed (signal {-process.returncode})"}
    try:
        found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return {"why": f"it could not be tried (exit {process.returncode})"}
    return found


def in_words(kind: str, found: dict[str, Any]) -> Outcome:
    """What was seen, for the owner. `kind` is that of the config, or `stream` for an address."""
    if "why" in found:
        mend = {
            "stream": "see whether the address plays in another player, and whether this network reaches the camera",
            "opencv": "see v4l2-ctl --list-devices, the cable, and whether another program holds it (fuser -v /dev/video*)",
            "pi": "see rpicam-hello --list-cameras, and the ribbon cable",
            "files": "set camera.source",
        }[kind]
        return Outcome("bad", str(found["why"]), mend)
    pace = f", {found['fps']:.0f} frames/s" if found.get("fps") and kind != "files" else ""
    words = f"{found['width']}x{found['height']}{pace}"
    if found["spread"] < FLAT:
        shade = "black" if found["mean"] < DARK else "white" if found["mean"] > BRIGHT else "all one grey"
        return Outcome("note", f"{words}, but the picture is {shade}", "take off the lens cap; see light, exposure and focus")
    return Outcome("good", f"{words}, a picture came")

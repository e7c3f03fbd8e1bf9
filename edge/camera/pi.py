"""The Raspberry Pi camera. Luma is the Y plane as the ISP wrote it, in its own memory: the processor converts and copies nothing.

The small plane is the ISP's too (the lores stream). A frame's buffer goes back to the camera when the frame is released.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from edge.camera.base import Lost, Why
from edge.camera.knobs import USUAL_FRAME_US, Knob, pi_controls, pi_knobs
from edge.camera.metering import PlateMetering
from edge.camera.overview import WIDTH, overview
from edge.camera.profiles import DayOrNight, Profile, controls
from edge.camera.settings import CameraConfig, NightConfig
from edge.errors import CameraLost, ConfigError
from edge.records import Frame, Luma, Quad

BUFFERS = 6
"""One in the slot, one at work, one just taken; the sensor needs the others to go on."""
WAIT_S = 5.0
CLOSE_TRIES, CLOSE_EVERY_S = 20, 0.1
"""As long as the daemon may take for the frame at hand."""
TUNED = {"shutter_us", "gain", "focus_dioptres", "metering", "fps_limit", "stall_s", "freeze_s"}
"""What a camera that is open can change; to let go of a fixed focus or rate it is opened again."""
PROFILES: tuple[Profile, ...] = ("day", "night", "infra-red")
log = logging.getLogger(__name__)


def luma_plane(buffer: npt.NDArray[np.uint8], width: int, height: int, stride: int) -> Luma:
    """(height, width) view of the Y plane that a YUV420 buffer (bytes,) begins with; its rows are `stride` bytes apart."""
    if stride < width or buffer.size < stride * height:
        raise CameraLost(f"the camera sent {buffer.size} bytes for {width}x{height} pixels with rows of {stride}")
    return buffer.reshape(-1)[: stride * height].reshape(height, stride)[:, :width]


def _picamera2() -> Any:
    try:
        import picamera2
    except ImportError:
        raise ConfigError(
            "the Pi camera needs picamera2: sudo apt install python3-picamera2, and a virtual environment made with --system-site-packages"
        ) from None
    return picamera2


class _Held:
    """A completed request with its planes mapped; given back once, from whichever thread is done with it."""

    def __init__(self, library: Any, request: Any) -> None:
        self._library, self._request = library, request
        self._lock = threading.Lock()
        self._maps = contextlib.ExitStack()

    def plane(self, stream: str) -> npt.NDArray[np.uint8]:
        """The stream's buffer (bytes,), not copied."""
        try:
            mapped = self._library.MappedArray(self._request, stream, reshape=False, write=False)
        except TypeError:  # an older picamera2 maps for writing too, which is only slower
            mapped = self._library.MappedArray(self._request, stream, reshape=False)
        return np.asarray(self._maps.enter_context(mapped).array)

    def release(self) -> None:
        with self._lock:
            request, self._request = self._request, None
        if request is None:
            return
        # A camera that was closed meanwhile unmaps its memory now, and cannot while somebody still has a view of it; it goes with the view then.
        with contextlib.suppress(BufferError):
            self._maps.close()
            request.release()


class PiCamera:
    """`source` is the camera's number, 0 where there is one. `library` gives the module picamera2."""

    kind = "pi"
    waits = False

    def __init__(
        self,
        config: CameraConfig,
        night: NightConfig | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        library: Callable[[], Any] = _picamera2,
    ) -> None:
        self.name, self.skipped = config.name, 0
        self._config, self._night, self._clock, self._sleep, self._library_of = config, night or NightConfig(), clock, sleep, library
        self._day_or_night, self._metering = DayOrNight(self._night), PlateMetering()
        self._profile: Profile = "day"
        self._library: Any = None
        self._device: Any = None
        self._index = 0
        self._ev = self._set_ev = 0.0
        self._tried: Mapping[str, float] = {}
        self._usual: dict[str, Any] = {}
        """What a try has touched, as it was before."""
        self._retune = False
        self._seen: Mapping[str, Any] = {}

    def again(self) -> Self:
        return type(self)(self._config, self._night, clock=self._clock, sleep=self._sleep, library=self._library_of)

    def __enter__(self) -> Self:
        self._library, config = self._library_of(), self._config
        small = (min(2 * WIDTH, config.width) // 2 * 2, max(2, round(min(2 * WIDTH, config.width) * config.height / config.width) // 2 * 2))
        try:
            self._device = self._library.Picamera2(int(config.source or 0))
            wanted = self._controls()
            asked = self._device.create_video_configuration(
                main={"size": (config.width // 2 * 2, config.height // 2 * 2), "format": "YUV420"},
                lores={"size": small, "format": "YUV420"},
                buffer_count=BUFFERS,
                queue=False,
                controls=wanted,
            )
            self._device.configure(asked)
            self._device.start()
            self._set_ev = 0.0
        except (RuntimeError, IndexError, ValueError, OSError) as error:
            self.__exit__()
            if isinstance(error, ConfigError):
                raise
            raise CameraLost(f"camera {self.name}: the Pi camera cannot be opened ({error}); check the ribbon cable and `rpicam-hello`") from None
        return self

    def __exit__(self, *_: object) -> None:
        device, self._device = self._device, None
        for _try in range(CLOSE_TRIES if device is not None else 0):
            try:
                device.close()
                return
            except BufferError:  # somebody is still looking at a frame: its memory cannot be unmapped
                self._sleep(CLOSE_EVERY_S)
        if device is not None:
            log.warning("camera %s: closed while a frame of it was in use; its memory is given back later", self.name)

    def frames(self) -> Iterator[Frame]:
        if self._device is None:
            raise CameraLost(f"camera {self.name}: is not open")
        given = self._device.camera_configuration()
        (width, height), stride = given["main"]["size"], int(given["main"]["stride"])
        (small_w, small_h), small_stride = given["lores"]["size"], int(given["lores"]["stride"])
        while True:
            held = None
            try:
                request = self._device.capture_request(wait=WAIT_S)  # an older picamera2 takes it for True; then the pump sees that we hang
                now, held = self._clock(), _Held(self._library, request)
                self._adjust(request.get_metadata(), now)
                luma, small = luma_plane(held.plane("main"), width, height, stride), luma_plane(held.plane("lores"), small_w, small_h, small_stride)
            except (RuntimeError, OSError) as error:  # TimeoutError is an OSError
                if held is not None:
                    held.release()
                if isinstance(error, CameraLost):
                    raise
                why: Why = "stalled" if isinstance(error, TimeoutError) else "gone"
                raise Lost(why, f"camera {self.name}: the Pi camera stopped ({str(error) or 'no picture came'}); check the ribbon cable") from None
            frame = Frame(luma, now, self.name, None, self._index, overview(np.array(small)), held.release)
            del luma, small  # what is kept here could not be unmapped when the camera is closed
            yield frame
            del frame, held
            self._index += 1

    def heed(self, luma: Luma, quads: Sequence[Quad]) -> None:
        """Meter by these plates, where the config says so."""
        if self._config.metering == "plate":
            self._ev = self._metering.after(luma, quads, self._clock())

    def state(self) -> dict[str, object]:
        return {"profile": self._profile} | ({"exposure_ev": round(self._set_ev, 2)} if self._config.metering == "plate" else {})

    def knobs(self) -> list[Knob]:
        """As `edge.camera.knobs.Adjustable`."""
        if (device := self._device) is None:
            raise ConfigError(f"camera {self.name}: is not open; wait until it is")
        return pi_knobs(device.camera_controls, self._seen)

    def try_out(self, values: Mapping[str, float]) -> None:
        """The camera's own thread sets them with its next frame."""
        usual = {"LensPosition": self._seen.get("LensPosition", 1.0)} if "focus_dioptres" in values else {}
        usual |= {"FrameDurationLimits": (USUAL_FRAME_US, USUAL_FRAME_US)} if "fps" in values else {}
        usual |= {"ExposureValue": self._set_ev} if "ev" in values else {}
        self._usual, self._tried, self._retune = usual | self._usual, dict(values), True

    def tune(self, config: CameraConfig, night: NightConfig) -> bool:
        """As `edge.camera.base.Tunable`: exposure, gain, metering and focus, by day and by night, and the rate."""
        device, held = self._device, ("focus_dioptres", "fps_limit")
        let_go = any(getattr(self._config, key) and not getattr(config, key) for key in held) or (self._night.focus_dioptres and not night.focus_dioptres)
        if device is None or let_go or self._config.model_dump(exclude=TUNED) != config.model_dump(exclude=TUNED):
            return False
        for profile in PROFILES:
            controls(config, night, profile, device.camera_controls)
        if night != self._night:
            self._day_or_night = DayOrNight(night)
        self._config, self._night, self._retune = config, night, True
        return True

    def _adjust(self, metadata: dict[str, Any], now: float) -> None:
        """Day or night, darker or brighter: tell the camera what changed."""
        profile, self._seen = self._day_or_night.after(metadata, now), metadata
        if profile != self._profile or self._retune:
            if profile != self._profile:
                log.info("camera %s: %s", self.name, profile)
            self._profile, self._retune = profile, False
            self._device.set_controls(self._controls())
        if self._ev != self._set_ev and "ExposureValue" in self._device.camera_controls:
            self._set_ev = self._ev
            self._device.set_controls({"ExposureValue": self._ev})

    def _controls(self) -> dict[str, Any]:
        ranges = self._device.camera_controls
        usual = controls(self._config, self._night, self._profile, ranges)
        return pi_controls(usual, self._tried, ranges, self._usual) if self._tried or self._usual else usual

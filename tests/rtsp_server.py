"""An RTSP server on the loopback, run by Debian's Python (GStreamer's bindings are not on PyPI): rtsp_server.py PORT WIDTH HEIGHT FPS [KEY].

A moving test picture with a key frame at least every KEY frames (one second's worth). Prints `ready` when it listens. Then it does what stands in the lines
of its standard input, for the streams that are open and for those to come, and prints `done` after each: `size WIDTH HEIGHT` (another resolution, within the
stream), `still` (the same picture for ever), `stall` (no more pictures, though the connection stands), `flow` (pictures again), `ball` (moving again).
It ends with its standard input.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PORT, WIDTH, HEIGHT, FPS = (int(word) for word in sys.argv[1:5])
KEY = int(sys.argv[5]) if len(sys.argv) > 5 else FPS
Gst.init(None)
now = {"pattern": "ball", "drop": False, "size": (WIDTH, HEIGHT)}
bins = []


def caps():
    width, height = now["size"]
    return Gst.Caps.from_string(f"video/x-raw,width={width},height={height},pixel-aspect-ratio=1/1")


def tell(bin_):
    """One open stream what is so now."""
    bin_.get_by_name("source").set_property("pattern", now["pattern"])
    bin_.get_by_name("valve").set_property("drop", now["drop"])
    bin_.get_by_name("size").set_property("caps", caps())


class Factory(GstRtspServer.RTSPMediaFactory):
    def do_create_element(self, url):
        return Gst.parse_launch(
            f"videotestsrc name=source is-live=true ! video/x-raw,width={WIDTH},height={HEIGHT},framerate={FPS}/1 ! valve name=valve ! "
            f"videoscale add-borders=false ! capsfilter name=size ! videoconvert ! "
            f"x264enc tune=zerolatency speed-preset=ultrafast bitrate=2000 key-int-max={KEY} threads=1 ! rtph264pay name=pay0 pt=96 config-interval=-1"
        )

    def do_configure(self, media):
        bin_ = media.get_element()
        tell(bin_)
        bins.append(bin_)
        media.connect("unprepared", lambda _: bins.remove(bin_))


def listen(channel, condition):
    words = sys.stdin.readline().split()
    if not words:
        loop.quit()
        return False
    match words:
        case ["size", width, height]:
            now["size"] = int(width), int(height)
        case ["stall" | "flow" as word]:
            now["drop"] = word == "stall"
        case ["still" | "ball" as word]:
            now["pattern"] = "smpte75" if word == "still" else "ball"
    for bin_ in bins:
        tell(bin_)
    print("done", flush=True)
    return True


server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(str(PORT))
factory = Factory()
factory.set_shared(True)
server.get_mount_points().add_factory("/cam", factory)
if server.attach(None) == 0:
    sys.exit("the port is taken")
GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_IN | GLib.IO_HUP, listen)
print("ready", flush=True)
loop = GLib.MainLoop()
loop.run()

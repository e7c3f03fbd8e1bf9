"""An RTSP server on the loopback, run by Debian's Python (GStreamer's bindings are not on PyPI): rtsp_server.py PORT WIDTH HEIGHT FPS MODE.

MODE: `ball` (a moving test picture with noise), `still` (the same picture for ever), `stall` (a ball whose pictures stop after six seconds while
the connection stands), `resize` (another size after six seconds). Prints `ready` when it listens.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PORT, WIDTH, HEIGHT, FPS = (int(word) for word in sys.argv[1:5])
MODE, AFTER_S = sys.argv[5], 6
Gst.init(None)


class Factory(GstRtspServer.RTSPMediaFactory):
    def do_create_element(self, url):
        pattern = "videotestsrc is-live=true pattern=smpte75" if MODE == "still" else "videotestsrc is-live=true pattern=ball"
        source = f"{pattern} ! video/x-raw,width={WIDTH},height={HEIGHT},framerate={FPS}/1"
        return Gst.parse_launch(
            f"{source} ! valve name=valve drop=false ! videoscale ! capsfilter name=size caps=video/x-raw,width={WIDTH},height={HEIGHT} ! "
            f"videoconvert ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=2000 key-int-max={FPS} threads=1 ! "
            f"rtph264pay name=pay0 pt=96 config-interval=1"
        )

    def do_configure(self, media):
        bin_ = media.get_element()
        if MODE == "stall":
            GLib.timeout_add(1000 * AFTER_S, lambda: bin_.get_by_name("valve").set_property("drop", True) and False)
        if MODE == "resize":
            caps = Gst.Caps.from_string(f"video/x-raw,width={WIDTH // 2 // 8 * 8},height={HEIGHT // 2 // 8 * 8}")
            GLib.timeout_add(1000 * AFTER_S, lambda: bin_.get_by_name("size").set_property("caps", caps) and False)


server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(str(PORT))
factory = Factory()
factory.set_shared(True)
server.get_mount_points().add_factory("/cam", factory)
if server.attach(None) == 0:
    sys.exit("the port is taken")
print("ready", flush=True)
GLib.MainLoop().run()

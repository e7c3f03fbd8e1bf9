"""The table of dialects: one event, many ways to say it. To add one: a module of pure functions beside this one, and its line here."""

from edge.publish.dialects import fast_plate_ocr, frigate, homeassistant, native, openalpr, platerecognizer
from edge.publish.dialects.base import Dialect

DIALECTS: dict[str, Dialect] = {
    "native": Dialect(document=native.document, leaf="event", takes_back=True),
    "alpr_results": Dialect(document=openalpr.results, leaf="alpr_results"),
    "alpr_group": Dialect(document=openalpr.group, leaf="alpr_group"),
    "platerecognizer": Dialect(document=platerecognizer.document, leaf="recognition", picture_part="upload"),
    "frigate": Dialect(document=frigate.document, leaf="tracked_object_update", base="frigate"),
    "homeassistant": Dialect(messages=homeassistant.messages, takes_back=True),
    "fast-plate-ocr": Dialect(row=fast_plate_ocr.row, needs_picture_file=True),
}

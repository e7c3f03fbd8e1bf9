"""Font files that the generator may use when the machine has them, each with its licence and where it comes from.

None of them is needed: the stroke font of `strokes.py` always works. Files are looked up by name below the usual font folders and in the
packages that ship some, and what was found can be asked with `available()`. No font file is copied into this repository.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts")
PACKAGES = {"matplotlib": "mpl-data/fonts/ttf", "font_roboto": "files", "cv2": "qt/fonts"}


@dataclass(frozen=True, slots=True)
class FontFile:
    """`families` are the kinds of plate lettering that the face is near to; "small" faces serve legends too."""

    name: str
    licence: str
    source: str
    families: tuple[str, ...]


OFL, MIT, APACHE, GPL_FONT = "OFL-1.1", "MIT", "Apache-2.0", "GPL with font exception"
FONTS: tuple[FontFile, ...] = (
    FontFile("OSP-DIN.ttf", OFL, "Debian fonts-opendin", ("din", "in")),
    FontFile("RG2014B.ttf", MIT, "Debian fonts-roadgeek", ("us", "din", "in")),
    FontFile("RG2014C.ttf", MIT, "Debian fonts-roadgeek", ("us", "din", "in", "gb")),
    FontFile("RG2014D.ttf", MIT, "Debian fonts-roadgeek", ("us", "din", "in", "gb", "wide")),
    FontFile("RG2014E.ttf", MIT, "Debian fonts-roadgeek", ("wide", "in")),
    FontFile("RG2014EM.ttf", MIT, "Debian fonts-roadgeek", ("wide", "gb")),
    FontFile("RG2014F.ttf", MIT, "Debian fonts-roadgeek", ("wide",)),
    FontFile("routed-gothic.ttf", OFL, "Debian fonts-routed-gothic", ("us", "soft", "vn")),
    FontFile("routed-gothic-narrow.ttf", OFL, "Debian fonts-routed-gothic", ("us", "soft", "vn")),
    FontFile("routed-gothic-wide.ttf", OFL, "Debian fonts-routed-gothic", ("soft", "wide")),
    FontFile("DejaVuSans-Bold.ttf", "Bitstream Vera", "Debian fonts-dejavu-core, matplotlib", ("wide", "in", "small")),
    FontFile("DejaVuSans.ttf", "Bitstream Vera", "Debian fonts-dejavu-core, matplotlib", ("wide", "small")),
    FontFile("DejaVuSansMono-Bold.ttf", "Bitstream Vera", "Debian fonts-dejavu-core, matplotlib", ("mono", "in")),
    FontFile("DejaVuSerif-Bold.ttf", "Bitstream Vera", "Debian fonts-dejavu-core, matplotlib", ("serif", "small")),
    FontFile("LiberationSans-Bold.ttf", OFL, "Debian fonts-liberation", ("gb", "wide", "in", "small")),
    FontFile("LiberationSans-Regular.ttf", OFL, "Debian fonts-liberation", ("in", "small")),
    FontFile("LiberationSansNarrow-Bold.ttf", OFL, "Debian fonts-liberation", ("gb", "din", "in")),
    FontFile("LiberationSansNarrow-Regular.ttf", OFL, "Debian fonts-liberation", ("din", "in")),
    FontFile("LiberationMono-Bold.ttf", OFL, "Debian fonts-liberation", ("mono",)),
    FontFile("LiberationSerif-Bold.ttf", OFL, "Debian fonts-liberation", ("serif", "small")),
    FontFile("LiberationSerif-BoldItalic.ttf", OFL, "Debian fonts-liberation", ("small",)),
    FontFile("LiberationSans-BoldItalic.ttf", OFL, "Debian fonts-liberation", ("italic", "small")),
    FontFile("FreeSansBold.ttf", GPL_FONT, "Debian fonts-freefont-ttf", ("gb", "wide", "in")),
    FontFile("FreeSans.ttf", GPL_FONT, "Debian fonts-freefont-ttf", ("in", "us")),
    FontFile("LeagueMono-CondensedBold.otf", OFL, "Debian fonts-league-mono", ("fe", "mono", "us")),
    FontFile("LeagueMono-CondensedSemiBold.otf", OFL, "Debian fonts-league-mono", ("fe", "mono", "us")),
    FontFile("LeagueMono-Bold.otf", OFL, "Debian fonts-league-mono", ("mono",)),
    FontFile("LeagueMono-NarrowBold.otf", OFL, "Debian fonts-league-mono", ("fe", "mono")),
    FontFile("JetBrainsMono-Bold.ttf", OFL, "Debian fonts-jetbrains-mono", ("fe", "mono", "us")),
    FontFile("JetBrainsMono-SemiBold.ttf", OFL, "Debian fonts-jetbrains-mono", ("fe", "mono")),
    FontFile("B612-Bold.otf", OFL, "Debian fonts-b612", ("wide", "small")),
    FontFile("B612Mono-Bold.otf", OFL, "Debian fonts-b612", ("fe", "mono")),
    FontFile("Cantarell-Bold.otf", OFL, "Debian fonts-cantarell", ("wide", "small")),
    FontFile("Inter-Bold.otf", OFL, "Debian fonts-inter", ("gb", "wide", "in", "small")),
    FontFile("Inter-SemiBold.otf", OFL, "Debian fonts-inter", ("gb", "wide")),
    FontFile("Lato-Heavy.ttf", OFL, "Debian fonts-lato", ("wide", "in", "small")),
    FontFile("RobotoCondensed-Bold.ttf", APACHE, "Debian fonts-roboto-unhinted", ("din", "gb", "in", "vn", "small")),
    FontFile("RobotoCondensed-Medium.ttf", APACHE, "Debian fonts-roboto-unhinted", ("din", "us", "vn")),
    FontFile("Hack-Bold.ttf", MIT, "Debian fonts-hack", ("mono",)),
    FontFile("LeagueSpartan-Bold.otf", OFL, "Debian fonts-league-spartan", ("wide", "small")),
    FontFile("OpenSans-CondBold.ttf", APACHE, "Debian fonts-open-sans", ("din", "in", "small")),
    FontFile("Cabin-Bold.otf", OFL, "Debian fonts-cabin", ("gb", "in", "small")),
    FontFile("Carlito-Bold.ttf", OFL, "Debian fonts-crosextra-carlito", ("in", "small")),
    FontFile("URWGothic-Demi.otf", "AGPL-3 with font exception", "Debian fonts-urw-base35", ("wide", "in")),
    FontFile("NimbusSansNarrow-Bold.otf", "AGPL-3 with font exception", "Debian fonts-urw-base35", ("gb", "din", "in")),
    FontFile("Dosis-Bold.otf", OFL, "Debian fonts-dosis", ("soft", "us", "vn")),
    FontFile("Dosis-SemiBold.otf", OFL, "Debian fonts-dosis", ("soft", "us")),
    FontFile("Play-Bold.otf", OFL, "Debian fonts-play", ("wide", "in")),
    FontFile("ClearSans-Bold.ttf", APACHE, "Debian fonts-clear-sans", ("in", "gb")),
    FontFile("Karla-Bold.otf", OFL, "Debian fonts-karla", ("wide",)),
)


def _folders() -> list[Path]:
    """Font folders that exist here, the system's before those of the packages."""
    found = [Path(folder).expanduser() for folder in (*FOLDERS, *filter(None, [os.environ.get("PLATEWATCH_FONTS")]))]
    for package, inner in PACKAGES.items():
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            found.append(Path(spec.origin).parent / inner)
    return [folder for folder in found if folder.is_dir()]


@cache
def _files() -> dict[str, Path]:
    files: dict[str, Path] = {}
    for folder in _folders():
        for path in sorted(folder.rglob("*.[to]tf")):
            files.setdefault(path.name, path)
    return files


@cache
def available() -> dict[FontFile, Path]:
    """The fonts of the table that this machine has, in the table's order, with their paths."""
    return {font: _files()[font.name] for font in FONTS if font.name in _files()}


def report() -> str:
    """One line for a training log: how many of the table's fonts were found and which are missing."""
    missing = [font.name for font in FONTS if font not in available()]
    return f"{len(available())} of {len(FONTS)} font files found" + (f"; missing: {', '.join(missing)}" if missing else "")

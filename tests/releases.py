"""Small wheels and release archives for tests; none of them does anything."""

from __future__ import annotations

import base64
import hashlib
import tarfile
import zipfile
from pathlib import Path

from deploy.release import archive

SERIAL, COMMIT = 1_790_000_000, "0123456789abcdef0123456789abcdef01234567"


def wheel(folder: Path, name: str, version: str, *, requires: tuple[str, ...] = (), tag: str = "py3-none-any", python: str = "", licence: str = "MIT") -> Path:
    """A wheel as pip takes it, of one module that says its version."""
    folder.mkdir(parents=True, exist_ok=True)
    module = name.replace("-", "_")
    inside = f"{module}-{version}.dist-info"
    about = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", f"License-Expression: {licence}"]
    about += [f"Requires-Python: {python}"] if python else []
    about += [f"Requires-Dist: {line}" for line in requires]
    files = {f"{module}.py": f"version = {version!r}\n", f"{inside}/METADATA": "\n".join(about) + "\n\n"}
    files[f"{inside}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n"
    digests = {name: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode() for name, text in files.items()}
    files[f"{inside}/RECORD"] = "".join(f"{name},sha256={digest},{len(files[name])}\n" for name, digest in digests.items()) + f"{inside}/RECORD,,\n"
    path = folder / f"{module}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as packed:
        for inner, text in files.items():
            packed.writestr(zipfile.ZipInfo(inner), text)
    return path


def release(out: Path, **changed: object) -> Path:
    """A whole archive of a release with tiny parts."""
    wheels = [wheel(out / "parts", "platewatch", "0.1.0", requires=("numpy",)), wheel(out / "parts", "pip", "25.0"), wheel(out / "parts", "numpy", "2.0")]
    files: dict[str, Path | bytes] = {f"wheels/{path.name}": path for path in wheels}
    files |= {"onboard.pyz": b"#!/usr/bin/env python3\n", "units/platewatch.service": b"[Service]\n"}
    about = {"version": "0.1.0", "serial": SERIAL, "commit": COMMIT, "pythons": ("3.11", "3.13")} | changed
    return archive.build(out, files, **about)  # type: ignore[arg-type]


def member(name: str, raw: bytes = b"", **about: object) -> bytes:
    """A member as any tar program may write it: header, contents, padding."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(raw), SERIAL, 0o644
    for field, value in about.items():
        setattr(info, field, value)
    return info.tobuf(tarfile.USTAR_FORMAT, "utf-8") + raw + bytes(-len(raw) % 512)

"""What a dialect is given of an event that waited."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from edge.publish.base import Parcel
from edge.publish.files import PictureFolder
from edge.publish.settings import TargetConfig
from edge.publish.told import Site, Told


class Packer:
    """Makes of a parcel what the dialects are given: with its picture, or that written to a file, or without."""

    def __init__(self, config: TargetConfig) -> None:
        self._config = config
        self._folder = PictureFolder(config.picture_folder, config.keep_pictures) if config.picture == "file" else None

    def pack(self, parcel: Parcel, site: Site, *, test: bool = False) -> Told:
        site = dataclasses.replace(site, camera_id=self._config.camera_id)
        told = Told(parcel.row, site, parcel.picture if self._config.picture != "none" else b"", target=self._config.name, test=test)
        if self._folder is not None and told.stage == "withdrawn":
            self._folder.remove(told)
        if self._folder is None or not told.picture:
            return told
        path = self._folder.save(told)
        name = os.path.relpath(path, Path(self._config.path).parent) if self._config.kind == "csv" else str(path)
        return dataclasses.replace(told, picture_file=name)

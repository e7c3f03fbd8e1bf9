"""What the TOML file of a pair says about its two networks (docs/peers.md has an example)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from convert.peers.config import Section, beside

Numbers = Annotated[list[float], Field(min_length=1, max_length=3)]
"""One for all channels, or one each."""


class Network(Section):
    """A file and what it wants its pixels to be: (pixel 0..255 - mean) / std, one number or one a channel in the network's order."""

    file: Annotated[Path, BeforeValidator(beside)]
    width: int = Field(gt=0, le=8192)
    height: int = Field(gt=0, le=8192)
    colour: Literal["rgb", "bgr", "grey"] = "rgb"
    layout: Literal["nchw", "nhwc"] = "nchw"
    fit: Literal["letterbox", "corner", "stretch"] = "letterbox"
    """`letterbox`: whole picture in the middle; `corner`: at the top left; `stretch`: to the full size."""
    fill: int = Field(default=114, ge=0, le=255)
    resize: Literal["nearest", "linear", "cubic", "area", "lanczos4"] = "linear"
    mean: Numbers = Field(default=[0.0])
    std: Numbers = Field(default=[255.0])
    output_name: str | None = None

    @field_validator("file")
    @classmethod
    def _file(cls, value: Path) -> Path:
        if value.suffix not in (".onnx", ".tflite"):
            raise ValueError("name an .onnx or a .tflite file")
        if not value.is_file():
            raise ValueError("no such file")
        return value

    @model_validator(mode="after")
    def _channels(self) -> Self:
        for key, numbers in (("mean", self.mean), ("std", self.std)):
            if len(numbers) not in {1, self.channels}:
                raise ValueError(f"{key}: one number, or one for each of the {self.channels} channel(s)")
        if 0.0 in self.std:
            raise ValueError("std: pixels are divided by it, so it cannot be 0")
        return self

    @property
    def channels(self) -> int:
        return 1 if self.colour == "grey" else 3

    @property
    def shape(self) -> tuple[int, ...]:
        """Of its input, one picture."""
        sizes = (self.height, self.width)
        return (1, self.channels, *sizes) if self.layout == "nchw" else (1, *sizes, self.channels)


class DetectorNetwork(Network):
    """`output`: `end2end` [x1, y1, x2, y2, score, class] a row; `batch-end2end` [batch, x1, y1, x2, y2, class, score]; `yolov8` [cx, cy, w, h, classes...]."""

    output: Literal["end2end", "batch-end2end", "yolov8"]
    coordinates: Literal["pixels", "shares"] = "pixels"
    threshold: float = Field(default=0.25, gt=0, lt=1)
    overlap: float = Field(default=0.5, gt=0, lt=1)
    classes: Annotated[list[int], Field(min_length=1)] | None = None


class ReaderNetwork(Network):
    """`output`: `slots` a class vector a place, as fast-plate-ocr; `ctc` a class vector a step, with the blank at index `blank`."""

    output: Literal["slots", "ctc"]
    alphabet: str = Field(min_length=2)
    pad_char: str = Field(default="_", min_length=1, max_length=1)
    blank: int = Field(default=0, ge=0)
    margin: float = Field(default=0.0, ge=0, le=0.5)

    @model_validator(mode="after")
    def _letters(self) -> Self:
        if len(set(self.alphabet)) != len(self.alphabet):
            raise ValueError("alphabet: a character stands in it twice")
        if self.output == "slots" and self.pad_char not in self.alphabet:
            raise ValueError(f"pad_char: {self.pad_char!r} is not in the alphabet")
        if self.output == "ctc" and self.blank > len(self.alphabet):
            raise ValueError(f"blank: with {len(self.alphabet)} characters it is an index of 0 to {len(self.alphabet)}")
        return self


class Config(Section):
    """A detector and a reader, or a reader alone, which is asked on cut-out plates."""

    name: str = Field(default="pair", min_length=1)
    detector: DetectorNetwork | None = None
    reader: ReaderNetwork

    @model_validator(mode="before")
    @classmethod
    def _is_a_file(cls, value: Any) -> Any:
        if isinstance(value, dict) and not {"detector", "reader"} & value.keys():
            raise ValueError("a pair is told by a TOML file with [detector] and [reader]; docs/peers.md has an example")
        return value

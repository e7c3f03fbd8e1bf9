"""What a pipeline goes by, out of the config: at the start, and again when the config has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.attention.attention import Attention
from edge.attention.lens import Lens

if TYPE_CHECKING:
    from edge.config import Config
    from edge.pipeline import Pipeline


def tune(pipeline: Pipeline, config: Config) -> None:
    """All but its attention, whose memory of the scene is worth keeping where it can be kept."""
    tracking, view = config.tracking, config.view
    pipeline.min_plate_px, pipeline.min_score = tracking.min_plate_px, tracking.min_detection_score
    pipeline.tracker.lost_after_s = tracking.lost_after_s
    pipeline.lens = None if view.lens is None else Lens(*view.lens)
    pipeline.excluded = view.exclude
    pipeline.frames = config.store.frames and not (config.privacy.known_only or config.privacy.pseudonyms)
    pipeline.judge.adopt(tracking, camera=config.camera.name, country=config.country.code, strict=config.country.strict, crops=config.store.crops)


def attention_of(config: Config, slowness: Callable[[], float], *, every_frame: bool) -> Attention:
    """`every_frame` is looked at, whether something moves or not."""
    motion = config.motion.model_copy(update={"enabled": False}) if every_frame else config.motion
    return Attention(config.view, motion, lost_after_s=config.tracking.lost_after_s, settle_s=config.tracking.settle_s, slowness=slowness)

"""What the two networks are told. Only `keras.ops`, so that every backend of Keras trains the same."""

from __future__ import annotations

import keras
from keras import ops

from edge.vision.alphabet import BLANK

Tensor = keras.KerasTensor


def detector_loss(target: Tensor, output: Tensor) -> Tensor:
    """Scalar loss; target (B, h, w, 17) from `detector_codec.encode`, output (B, h, w, 14) from `for_training`.

    Score: quality focal loss (Li et al. 2020). Its target is the square root of the overlap that the cell's own box reaches, so that the score ranks
    boxes by how well they sit; the root, because one pixel costs a small plate a third of its overlap and it is there all the same. Box: distance-IoU
    (Zheng et al. 2020) and a little L1 on the logarithms of the size. Corners and lines only where they are known.
    """
    middle = target[..., 0]
    positive, counted = ops.cast(middle > 0.5, "float32"), ops.cast(middle > -0.5, "float32")
    weight = positive * target[..., 16]
    number = ops.maximum(ops.sum(weight), 1.0)
    logit, lines_logit, box, corners = output[..., 0], output[..., 1], output[..., 2:6], output[..., 6:14]
    overlap, distance = _overlap(box, target[..., 1:5])
    quality = ops.stop_gradient(ops.sqrt(ops.clip(overlap, 1e-6, 1.0))) * positive
    importance = ops.square(ops.abs(ops.sigmoid(logit) - quality)) * ops.where(positive > 0, target[..., 16], 1.0)
    score = ops.sum(counted * importance * _cross_entropy(logit, quality)) / number
    place = ops.sum(weight * (1.0 - overlap + distance)) / number
    size = ops.sum(weight[..., None] * ops.abs(box - target[..., 1:5]) * _per_number((0.05, 0.05, 0.5, 0.5))) / number
    known = positive * target[..., 13]
    shape = ops.sum(known[..., None] * ops.abs(corners - target[..., 5:13])) / ops.maximum(ops.sum(known), 1.0)
    told = positive * target[..., 15]
    lines = ops.sum(told * _cross_entropy(lines_logit, target[..., 14])) / ops.maximum(ops.sum(told), 1.0)
    return 2.0 * score + 2.0 * place + size + 1.0 * shape + 0.2 * lines


def _per_number(values: tuple[float, ...]) -> Tensor:
    return ops.reshape(ops.convert_to_tensor(values, dtype="float32"), (1, 1, 1, len(values)))


def _cross_entropy(logit: Tensor, target: Tensor) -> Tensor:
    return ops.relu(logit) - logit * target + ops.softplus(-ops.abs(logit))


def _overlap(box: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """(IoU, squared distance of the middles over the squared diagonal of the hull) of boxes as the codec writes them, both (B, h, w)."""
    sizes = [ops.exp(ops.clip(b[..., 2:4], -3.0, 7.5) * 0.6931472) for b in (box, truth)]
    lows = [b[..., 0:2] - s / 2 for b, s in zip((box, truth), sizes, strict=True)]
    highs = [b[..., 0:2] + s / 2 for b, s in zip((box, truth), sizes, strict=True)]
    shared = ops.prod(ops.relu(ops.minimum(*highs) - ops.maximum(*lows)), axis=-1)
    union = ops.prod(sizes[0], axis=-1) + ops.prod(sizes[1], axis=-1) - shared
    hull = ops.maximum(*highs) - ops.minimum(*lows)
    between = ops.sum(ops.square(box[..., 0:2] - truth[..., 0:2]), axis=-1)
    return shared / (union + 1e-6), between / (ops.sum(ops.square(hull), axis=-1) + 1e-6)


def reader_loss(target: Tensor, output: Tensor) -> Tensor:
    """Scalar loss; target (B, 2 L + 2) from `train.data.reading.target`, output logits (B, steps, 37): the upper row's steps, then the lower row's.

    Where it is known which characters stand in which line, each row has a CTC of its own; an empty line is told to stay blank. Where it is
    not, one CTC runs along both rows and finds the split itself (it needs the others: left alone it writes both lines in one row).
    """
    length, steps = (target.shape[1] - 2) // 2, output.shape[1]
    upper, lower = ops.cast(target[:, :length], "int32"), ops.cast(target[:, length:-2], "int32")
    known, weight = target[:, -2], target[:, -1]
    rows = _path(ops.concatenate([upper, lower]), ops.concatenate([output[:, : steps // 2], output[:, steps // 2 :]]))
    upper_path, lower_path = ops.split(rows, 2)
    both = _path(upper, output)
    path = ops.where(known > 0.5, upper_path + lower_path, both)
    # A path that cannot exist (too many repeats for the steps) has an infinite loss: it teaches nothing.
    path = ops.where(path < 2000.0, path, 0.0)
    return ops.sum(weight * path) / ops.maximum(ops.sum(weight), 1e-6)


def slots_loss(target: Tensor, output: Tensor) -> Tensor:
    """Scalar loss; target (B, slots + 1) from `train.models.readers.slots_target`, output logits (B, slots, 37): cross-entropy, summed over the slots."""
    label, weight = ops.cast(target[:, :-1], "int32"), target[:, -1]
    missed = ops.sum(ops.sparse_categorical_crossentropy(label, output, from_logits=True), axis=1)
    return ops.sum(weight * missed) / ops.maximum(ops.sum(weight), 1e-6)


def _path(label: Tensor, logits: Tensor) -> Tensor:
    """CTC's negative log likelihood, (B,)."""
    spelled = ops.sum(ops.cast(ops.not_equal(label, BLANK), "int32"), axis=1)
    steps = ops.full_like(spelled, logits.shape[1])
    return ops.ctc_loss(label, logits, spelled, steps, mask_index=BLANK)

"""Onto a card: an image with everything in it, in one go; or the kit alone onto a card that was written already.

The image's boot partition is unpacked beside, merged and filled there, and only then is anything written: what cannot work is found while the card is
still what it was. The card is written once, and read back with the kit and all.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from deploy.card.amounts import size
from deploy.card.boot import BootFolder, FatPartition
from deploy.card.detect import System, Way, detect
from deploy.card.disks import Disk, allow
from deploy.card.eject import eject
from deploy.card.ending import ending_well
from deploy.card.errors import CardError
from deploy.card.image import Image, Stream
from deploy.card.partitions import SECTOR, Partition, boot_partition, check_fat, find
from deploy.card.plan import Plan, carry_out, plan
from deploy.card.prepare import Prepared, kit_for
from deploy.card.telling import Telling
from deploy.card.write import BLOCK, opened


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done, whatever it is done to."""

    made: Prepared
    archive: Path
    trusted: Path
    way: Way | None
    dry: bool
    telling: Telling


def onto_folder(work: Work, boot: BootFolder, where: str) -> None:
    """Merges and puts the kit there. Raises CardError."""
    system, planned = look_into(work, boot, where)
    if work.dry:
        work.telling.step(f"would write {size(planned.kit.length)} and {len(planned.changes)} files onto {where}, and read them back")
        return
    fill(work, boot, planned, where)
    done(work, system, planned)


def written_boot(disk: Disk, told_again: str) -> FatPartition:
    """The boot partition of a card that was written already, by Raspberry Pi Imager or by this. Raises CardError."""
    try:
        with Path(disk.path).open("rb") as file:
            partition = find(file, disk.path)
    except OSError as error:
        if isinstance(error, CardError):
            raise
        raise CardError(f"{disk.path}: cannot be read ({error.strerror}); is it still plugged in?") from None
    allow(disk, partition.end, told_again, "--onto-written")
    return FatPartition(Path(disk.path), partition.start)


def onto_written(work: Work, disk: Disk, boot: FatPartition) -> None:
    """Raises CardError."""
    onto_folder(work, boot, disk.words)
    if not work.dry:
        away(work, disk)


def image_onto(work: Work, image: Image, disk: Disk, told_again: str) -> None:
    """Everything. Raises CardError; the card then boots nothing, or is as it was."""
    telling = work.telling
    allow(disk, image.size or image.packed, told_again)
    if os.path.realpath(image.path) == os.path.realpath(disk.path):
        raise CardError(f"{image.path}: is the image and the card at once; nothing was written")
    telling.step(f"{disk.words}: may be written; everything on it will be lost")
    checksum = "its checksum is compared while it is read" if image.sha256 else "nobody told its checksum, so that a damaged download may go unnoticed"
    telling.step(f"{image.path.name}: {image.kind}, {size(image.packed)}{f', unpacked {size(image.size)}' if image.size else ''}; {checksum}")
    with ending_well(), image.open() as stream, contextlib.ExitStack() as beside:
        first = stream.read(SECTOR)
        partition = boot_partition(first, str(image.path))
        head = Path(beside.enter_context(tempfile.TemporaryDirectory(prefix="platewatch-card-", dir=roomy(partition.end)))) / "head.img"
        length = unpack_head(work, stream, head, image, first, partition)
        boot = FatPartition(head, partition.start)
        system, planned = look_into(work, boot, f"the image's boot partition ({size(partition.length)})")
        fill(work, boot, planned, "the image, not yet on the card")
        if work.dry:
            telling.step(f"would write {size(image.size or image.packed)} onto {disk.path}, but for the partition table")
            telling.step("would read it back and compare every block, and write the partition table")
            telling.step(f"would let {disk.path} go")
            return
        telling.step(f"writing onto {disk.words}; Ctrl-C leaves a card that boots nothing, and nothing worse")
        with opened(Path(disk.path)) as target:
            with telling.bar("writing", image.size) as progress:
                written = target.write(blocks(head, length, stream), progress, disk.size)
            stream.finish()
            telling.step(f"reading back {size(written.length)}")
            with telling.bar("reading back", written.length) as progress:
                target.verify(written, progress)
            telling.step("everything is as it was written; now the partition table, which makes it a card that boots")
            target.complete(written)
    away(work, disk)
    done(work, system, planned)


def roomy(length: int) -> str:
    """A folder for temporary files with room for so many bytes; where /tmp lies in memory it may have none. Raises CardError."""
    folders = dict.fromkeys((tempfile.gettempdir(), "/var/tmp"))
    for folder in folders:
        with contextlib.suppress(OSError):
            if shutil.disk_usage(folder).free > length + BLOCK:
                return folder
    raise CardError(f"{size(length + BLOCK)} are needed for a while, and there is no such room in {' or '.join(folders)}; delete something there")


def unpack_head(work: Work, stream: Stream, head: Path, image: Image, first: bytes, partition: Partition) -> int:
    """The image, whose first sector was read, up to the end of its boot partition, in whole blocks, as a file: its length. Raises CardError."""
    length = -(-partition.end // BLOCK) * BLOCK
    got = len(first)
    try:
        with head.open("w+b") as file, work.telling.bar("looking into the image", length) as progress:
            file.write(first)
            while got < length and (block := stream.read(min(BLOCK, length - got))):
                file.write(block)
                got += len(block)
                progress(len(block))
            if got < partition.end:
                raise CardError(f"{image.path}: ends within its boot partition; download it again")
            check_boot(file, partition, image)
    except OSError as error:
        if isinstance(error, CardError):
            raise
        raise CardError(f"{head.parent}: {size(length)} do not fit there ({error.strerror}); make room there") from None
    return got


def check_boot(file: BinaryIO, partition: Partition, image: Image) -> None:
    file.seek(partition.start)
    check_fat(file.read(SECTOR), str(image.path))


def blocks(head: Path, length: int, stream: Stream) -> Iterator[bytes]:
    """The head as it is now, then the rest of the image."""
    with head.open("rb") as file:
        left = length
        while left:
            block = file.read(min(BLOCK, left))
            left -= len(block)
            yield block
    while block := stream.read(BLOCK):
        yield block


def look_into(work: Work, boot: BootFolder, where: str) -> tuple[System, Plan]:
    """What the system is, and what will be changed. Raises CardError."""
    system = detect(boot, work.way)
    work.telling.step(f"{where}: {system.words}")
    kit = kit_for(work.made, work.archive, work.trusted, system.python)
    planned = plan(boot, system, work.made.settings, kit)
    for words in (*work.made.notes, *planned.notes):
        work.telling.note(words)
    if work.dry:
        work.telling.plan(planned, work.made.secrets)
    return system, planned


def fill(work: Work, boot: BootFolder, planned: Plan, where: str) -> None:
    work.telling.step(f"putting the kit ({size(planned.kit.length)}) and {len(planned.changes)} changed files onto {where}")
    carry_out(boot, planned, lambda name: work.telling.line(f"   {name}"))


def away(work: Work, disk: Disk) -> None:
    if not disk.file:
        gone = eject(Path(disk.path))
        work.telling.step(f"{disk.path} {'is ejected; take the card out' if gone else 'is written to its end; take the card out'}")


def done(work: Work, system: System, planned: Plan) -> None:
    """The last words."""
    wait = "a few minutes" if system.way != "firstrun" else "a few minutes, in which it starts twice"
    work.telling.line(f"Done. Put the card into the Raspberry Pi and give it power. After {wait} the page is at {work.made.address(planned.host)}, user admin.")
    work.telling.line("If it is not: put the card back into this computer and read platewatch-log.txt on it.")

"""Refuses float tensors, Flex operations and variables in a TFLite file."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "refuse float tensors, Flex operations and variables in a TFLite file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)


def run(options: argparse.Namespace) -> int:
    from convert.audit import audit

    found = audit(options.file)
    print(f"{options.file}: {found.size / 1024:.0f} KiB, {found.macs / 1e6:.1f} MMAC a run")
    print("operations: " + ", ".join(f"{name} {count}" for name, count in found.operations.most_common()))
    print("tensors: " + ", ".join(f"{name} {count}" for name, count in found.tensor_types.most_common()))
    for complaint in found.complaints:
        print(f"REFUSED: {complaint}")
    print("refused" if found.complaints else "clean: int8 throughout")
    return 1 if found.complaints else 0

"""What a run costs on a Raspberry Pi, counted in instructions on an emulated processor."""

from convert.cost.measure import instructions as instructions

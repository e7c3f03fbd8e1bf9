"""What closes the circuit: a GPIO, or a program of the owner's. Both are off when they are made and off when they are closed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from edge.errors import GateError

COMMAND_TIMEOUT_S = 5.0


class Pin(Protocol):
    """May be told twice what it is already. Every method raises GateError when it cannot be done."""

    def on(self) -> None: ...

    def off(self) -> None: ...

    def close(self) -> None:
        """Off, and given back."""


def output_device(gpio: int, active_high: bool) -> Any:
    """gpiozero's pin, off. The only place that knows gpiozero; Raspberry Pi OS has it, elsewhere it is installed beside Platewatch."""
    try:
        from gpiozero import OutputDevice
    except ImportError:
        raise GateError("gate.gpio is set, but gpiozero is not installed; run: apt install python3-gpiozero, or use gate.command") from None
    return OutputDevice(gpio, active_high=active_high, initial_value=False)


class GpioPin:
    """A pin of the board by its BCM number."""

    def __init__(self, gpio: int, active_high: bool, device: Callable[[int, bool], Any] = output_device) -> None:
        self._gpio = gpio
        self._device = self._try(lambda: device(gpio, active_high))

    def on(self) -> None:
        self._try(self._device.on)

    def off(self) -> None:
        self._try(self._device.off)

    def close(self) -> None:
        self.off()
        self._try(self._device.close)

    def _try(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except GateError:
            raise
        except Exception as error:  # each of gpiozero's back ends has errors of its own, and none may leave the relay on
            raise GateError(f"GPIO {self._gpio} cannot be worked ({error or type(error).__name__}); check gate.gpio, and who else holds it") from None


class CommandPin:
    """A program that is run with `on` or `off` as its last word, and must end with 0 within 5 seconds."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self.off()

    def on(self) -> None:
        self._run("on")

    def off(self) -> None:
        self._run("off")

    def close(self) -> None:
        self.off()

    def _run(self, word: str) -> None:
        words = [*self._command, word]
        try:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=COMMAND_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            raise GateError(f"{' '.join(words)}: did not end within {COMMAND_TIMEOUT_S:g} s") from None
        except OSError as error:
            raise GateError(f"{' '.join(words)}: cannot be run ({error.strerror}); check gate.command") from None
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise GateError(f"{' '.join(words)}: ended with {done.returncode}" + (f" ({said[0]})" if said else ""))


def make_pin(gpio: int | None, active_high: bool, command: Sequence[str]) -> Pin:
    return CommandPin(command) if gpio is None else GpioPin(gpio, active_high)

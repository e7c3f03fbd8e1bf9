"""Whose fault it is that an event does not get through. Pure."""

from __future__ import annotations


class Doubt:
    """Counts the failures of the oldest event that waits, known by its `seq`; those of another begin at 0.

    `other` says how many places behind it the event stands that may be tried to find out.
    """

    def __init__(self, tries: int) -> None:
        self._tries, self._seq = tries, -1
        self._refusals = self._stumbles = 0
        self._why = self._last_why = ""
        self._asked_first = False
        self.other = 1

    def refused(self, seq: int) -> bool:
        """It was refused; True when that was often enough to set it aside."""
        self._about(seq)
        self._refusals += 1
        return self._refusals >= self._tries

    def stumbled(self, seq: int, why: str) -> bool:
        """The other side stumbled; True when that was so often that another event must tell whether it is this one's fault."""
        self._about(seq)
        self._stumbles += 1
        self._last_why = why
        return self._stumbles >= self._tries

    def another_failed(self, *, reached: bool, ask_first: bool) -> None:
        """It tells something only where somebody was `reached`. `ask_first`: the next time the same one goes before this event, once."""
        self.other += reached
        self._why = self._last_why if ask_first and not self._asked_first else ""
        self._asked_first = False

    def asked_in_vain(self, seq: int) -> str:
        """Why this event failed the last time, where now another is to be tried first, once; else ''."""
        why, self._why = (self._why if seq == self._seq else ""), ""
        self._asked_first = bool(why)
        return why

    def none_left(self) -> None:
        """There is none so far behind: begin with the next one again."""
        self.other = 1

    def _about(self, seq: int) -> None:
        if seq != self._seq:
            self._seq, self._refusals, self._stumbles, self.other, self._why = seq, 0, 0, 1, ""

"""A language of the page: its phrases, and how it writes numbers, times and sizes. page.js writes them alike. No Flask in here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from math import floor

from edge.web import phrases

SIZES = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True, slots=True)
class Language:
    """Called with a key, it says the phrase."""

    code: str
    name: str
    """As its speakers call it."""
    group: str
    """Between thousands."""
    point: str
    grouped_from: int = 1000
    """The least number that is grouped."""

    def __call__(self, key: str, /, **values: object) -> str:
        """`count` chooses the form. Numbers are written as the language writes them, all else as it is. CatalogueError for an unknown key."""
        try:
            forms = phrases.catalogue()[key][self.code]
        except KeyError:
            raise phrases.CatalogueError(f"the catalogue has no {key}") from None
        sentence = phrases.form(self.code, values.get("count"), forms)
        return phrases.fill(sentence, {name: self.shown(value) for name, value in values.items()}, key)

    def under(self, *prefixes: str) -> dict[str, str | phrases.Forms]:
        """All phrases below some keys, for a script: text, or the forms where a number matters."""
        found = {key: forms[self.code] for key, forms in phrases.catalogue().items() if key.startswith(prefixes)}
        return {key: forms if len(forms) > 1 else forms["other"] for key, forms in found.items()}

    def shown(self, value: object) -> str:
        """A value in a gap: whole numbers grouped, others with one decimal."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return str(value)
        return self.number(value, 0 if isinstance(value, int) else 1)

    def number(self, value: float, digits: int = 0) -> str:
        if isinstance(value, int) and not digits:
            whole, decimals = f"{abs(value):,}", ""
        else:  # half goes up, as in the browser: a card that the script paints says the same as one of the template
            rounded = Decimal(str(abs(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
            whole, _, decimals = f"{rounded:,f}".partition(".")
        if abs(value) < self.grouped_from:
            whole = whole.replace(",", "")
        sign = "-" if value < 0 and (whole.strip("0,") or decimals.strip("0")) else ""
        return sign + whole.replace(",", self.group) + (self.point + decimals if decimals else "")

    def percent(self, share: float) -> str:
        """Of a share from 0 to 1; never 100 for what is not certain."""
        shown = floor(share * 100 + 0.5)
        return f"{self.number(min(shown, 99) if share < 1 else shown)}\N{NO-BREAK SPACE}%"

    def size(self, count: float) -> str:
        """Bytes, in thousands: 12.3 MB."""
        step = 0
        while abs(count) >= 999.5 and step < len(SIZES) - 1:
            count, step = count / 1000, step + 1
        return f"{self.number(count, 1 if step and abs(count) < 99.95 else 0)}\N{NO-BREAK SPACE}{SIZES[step]}"

    def ago(self, seconds: float) -> str:
        if seconds < 1:
            return self("common.script.ago.now")
        for limit, size, unit in ((60, 1, "s"), (3600, 60, "min"), (48 * 3600, 3600, "h")):
            if seconds < limit:
                return self(f"common.script.ago.{unit}", count=int(seconds / size))
        return self("common.script.ago.days", count=int(seconds / 86400))

    def moment(self, iso: str) -> str:
        """Local time of the device, for pages without script; what is no time is shown as it is."""
        try:
            found = datetime.fromisoformat(iso).astimezone()
        except ValueError:
            return iso
        month = self("common.months").split()[found.month - 1]
        return self("common.moment", day=str(found.day), month=month, time=f"{found:%H:%M:%S}")


ENGLISH = Language("en", "English", ",", ".")
LANGUAGES: dict[str, Language] = {
    "en": ENGLISH,
    "de": Language("de", "Deutsch", ".", ","),
    "fr": Language("fr", "Français", "\N{NARROW NO-BREAK SPACE}", ","),
    "es": Language("es", "Español", ".", ",", 10_000),
}

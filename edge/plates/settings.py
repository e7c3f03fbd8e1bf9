"""The config's section on countries."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from edge.section import Section


class CountryConfig(Section):
    """Whose plates are expected."""

    code: str = Field(
        default="auto",
        description='`"auto"` (any country), `"none"` (no rules), a code such as `"gb"` or `"us-ca"`, or several: `"de,fr,pl"` or `["de", "fr", "pl"]`.',
    )
    strict: bool = Field(default=False, description="Report no plate that fits no format of these countries (foreign and vanity plates among them).")

    @field_validator("code", mode="before")
    @classmethod
    def _known(cls, code: Any) -> Any:
        if isinstance(code, list) and all(isinstance(one, str) for one in code):
            code = ",".join(code)
        if isinstance(code, str) and code not in ("", "auto", "none"):
            from edge.errors import ConfigError
            from edge.plates.choice import choice  # reads all country files

            try:
                choice(code)
            except ConfigError as error:
                raise ValueError(f"country.code {code!r}: {str(error).partition(': ')[2]}") from None
        return code or "none"

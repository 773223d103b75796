"""The languages of mails: how each writes a moment and a duration."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

# A weight of Accept-Language (RFC 9110 section 12.4.2).
_WEIGHT = re.compile(r"q=([01](?:\.\d{0,3})?)", re.I)

_MINUTE, _HOUR, _DAY = 60, 60 * 60, 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Language:
    """How a language writes what templates are given as ISO 8601 text and as seconds."""

    code: str
    months: tuple[str, ...]
    moment_format: str
    #: One and several of each unit, by its seconds. The longest unit comes first.
    units: dict[int, tuple[str, str]]

    def moment(self, text: str) -> str:
        """Write a moment, such as "2 March 2027, 14:05 UTC"."""
        # `str` reports a missing value by its name.
        moment = datetime.fromisoformat(str(text)).astimezone(UTC)
        return self.moment_format.format(moment=moment, month=self.months[moment.month - 1])

    def duration(self, seconds: int) -> str:
        """Write a duration in the longest unit that divides it, such as "15 minutes"."""
        unit = next((unit for unit in self.units if seconds and seconds % unit == 0), _MINUTE)
        number = max(1, seconds // unit)
        one, several = self.units[unit]
        return f"{number} {one if number == 1 else several}"


ENGLISH = Language(
    code="en",
    months=(
        *("January", "February", "March", "April", "May", "June", "July"),
        *("August", "September", "October", "November", "December"),
    ),
    moment_format="{moment.day} {month} {moment.year}, {moment:%H:%M} UTC",
    units={_DAY: ("day", "days"), _HOUR: ("hour", "hours"), _MINUTE: ("minute", "minutes")},
)

GERMAN = Language(
    code="de",
    months=(
        *("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli"),
        *("August", "September", "Oktober", "November", "Dezember"),
    ),
    moment_format="{moment.day}. {month} {moment.year}, {moment:%H:%M} Uhr UTC",
    # Accusative: "gilt 7 Tage".
    units={_DAY: ("Tag", "Tage"), _HOUR: ("Stunde", "Stunden"), _MINUTE: ("Minute", "Minuten")},
)

LANGUAGES = {language.code: language for language in (ENGLISH, GERMAN)}


def language_of(tag: str | None) -> Language:
    """Return the language of a tag such as `de-AT`, or English (RFC 4647 section 3.4)."""
    return find_language(tag or "") or ENGLISH


def find_language(tag: str) -> Language | None:
    """Return the language of a tag, or None if there is no text in it."""
    return LANGUAGES.get(tag.strip().lower().replace("_", "-").partition("-")[0])


def preferred_language(accept_language: str) -> str | None:
    """Return the code of the language that a header Accept-Language prefers, or None if it lists
    none that exists (RFC 9110 section 12.5.4)."""
    ranges = [part.partition(";") for part in accept_language.split(",")]
    found = [(_weight(rest), find_language(tag)) for tag, _, rest in ranges]
    weight, language = max(found, key=lambda one: one[0] if one[1] else 0)
    return language.code if language and weight else None


def _weight(parameters: str) -> float:
    weight = _WEIGHT.fullmatch(parameters.strip())
    return float(weight[1]) if weight else 1

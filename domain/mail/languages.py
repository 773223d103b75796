"""The languages of mails: how each writes a moment and a duration."""

from dataclasses import dataclass
from datetime import UTC, datetime

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
    return LANGUAGES.get((tag or "").lower().replace("_", "-").partition("-")[0], ENGLISH)

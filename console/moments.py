"""Times as programs write them (RFC 3339), and days in an organization's time zone."""

import re
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

# A `+` that was not written as %2B in an address arrives as a space; before an offset it can be nothing else.
_WRITTEN = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>[.,]\d+)?)?"
    r"(?:(?P<utc>[Zz])|(?P<sign>[-+\u2212 ])(?P<ahead>\d\d):?(?P<past>\d\d))?",
    re.ASCII,
)
# The first and the last years contain moments that other time zones cannot express.
_FIRST, _LAST = date(1900, 1, 1), date(9990, 1, 1)


def read(text: Any) -> datetime | None:
    """Return the time that an RFC 3339 text names, aware if the text has an offset; None for any other text.

    `t` and `z` may be lower case, a space may replace `T`, fractions may have any number of digits (those after the
    sixth are cut off), and the seconds may be missing. A leap second, 23:59:60 in UTC, is the instant that follows it.
    """
    found = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    is_leap = found["second"] == "60"
    second = "59" if is_leap else found["second"] or "00"
    fraction = "" if is_leap else (found["fraction"] or "").replace(",", ".")[:7]
    offset = "+00:00" if found["utc"] else ""
    if found["sign"]:
        sign = "-" if found["sign"] in "-\u2212" else "+"
        offset = f"{sign}{found['ahead']}:{found['past']}"
    try:
        at = datetime.fromisoformat(f"{found['day']}T{found['hour']}:{found['minute']}:{second}{fraction}{offset}")
        if not is_leap:
            return at
        utc = at - (at.utcoffset() or timedelta())
        return at + timedelta(seconds=1) if (utc.hour, utc.minute) == (23, 59) else None
    except (ValueError, OverflowError):
        return None


def zone_of(organization: Any) -> zoneinfo.ZoneInfo:
    """Return the time zone of an organization; UTC without one."""
    return zoneinfo.ZoneInfo(organization.time_zone if organization is not None else "UTC")


def begin(day: date, organization: Any) -> datetime:
    """Return when a day begins in the organization's zone, also where its clocks skip midnight or have it twice."""
    midnight = datetime.combine(min(max(day, _FIRST), _LAST), time.min, zone_of(organization))
    # In UTC, because times that clocks skip or show twice never compare equal to those of another zone.
    return midnight.astimezone(UTC)


def end(day: date, organization: Any) -> datetime:
    """Return when the next day begins in the organization's zone: days of 23 or 25 hours have their true length."""
    return begin(min(max(day, _FIRST), _LAST - timedelta(days=1)) + timedelta(days=1), organization)

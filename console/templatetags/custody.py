"""The few template tags and filters that all templates share."""

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from console import settings_tabs as all_tabs
from console import slots, way_back
from console.audit import count_acts, describe, events_about, kind_of

register = template.Library()
NONE = "—"
# Pages show the same icons and days again and again.
KEPT = 4096


@register.simple_tag
@lru_cache(maxsize=KEPT)
def icon(name: str, title: str = "") -> SafeString:
    """Return an icon of the sprite; decorative unless it has a title."""
    url = static("img/icons.svg")
    if title:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"/></svg>', title, url, name)
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', url, name)


@register.simple_tag(takes_context=True)
def list_url(context: Any, url_name: str) -> str:
    """Return the address of a list as the reader left it: with its filters, its order and its page."""
    return way_back.to_list(context.get("request"), url_name)


@register.simple_tag
def pill(kind: str, icon_name: str, text: Any) -> SafeString:
    """Return a status: an icon and a word in a colour (ok, warn, bad, accent, idle)."""
    return format_html('<span class="status {}">{}{}</span>', kind, icon(icon_name), text)


@register.filter
def when(value: datetime | None) -> str | SafeString:
    """Return day and time in the reader's zone, with the exact UTC time in the tooltip."""
    return _time(value, "DATETIME_SHORT")


@register.filter
def day(value: datetime | None) -> str | SafeString:
    """Return the day in the reader's zone, with the exact UTC time in the tooltip."""
    return _time(value, "DAY")


@register.filter
def ago(value: datetime | None) -> str | SafeString:
    """Return how long ago, in one unit of time: "3 min", "2 h", "4 d", then the day."""
    if value is None:
        return NONE
    seconds = (timezone.now() - value).total_seconds()
    if seconds >= 7 * 86400 or seconds < -60:
        return day(value)
    if seconds < 60:
        text = _("now")
    elif seconds < 3600:
        text = _("%d min") % (seconds // 60)
    elif seconds < 86400:
        text = _("%d h") % (seconds // 3600)
    else:
        text = _("%d d") % (seconds // 86400)
    return _tag(value, text)


@register.filter
def dash(value: Any) -> Any:
    """Return the value, or a dash if there is none."""
    return value if value not in (None, "") else NONE


@register.filter
def may(actor: Any, permission: str) -> bool:
    """Whether the actor holds the permission: `{% if actor|may:"device.assign" %}`."""
    return bool(actor) and permission in actor.permissions


@register.simple_tag(takes_context=True)
def panels(context: dict[str, Any], place: str, subject: Any = None) -> SafeString:
    """Return what other apps add to this page: `place` names the slot of functions (request, subject) -> HTML."""
    return SafeString("".join(slots.DECLARED[place].call(context["request"], subject)))


@register.simple_tag
def settings_tabs() -> list[all_tabs.Tab]:
    """Return the tabs of the settings in order."""
    return all_tabs.every()


@register.simple_tag(takes_context=True)
def described(context: dict[str, Any], event: Any) -> Any:
    """Return the event as a sentence for the reader of this page: `{% described event as line %}`."""
    return describe.sentence(event, context["request"].actor)


@register.inclusion_tag("console/audit/_activity.html", takes_context=True)
def activity(context: dict[str, Any], subject: Any, is_subject: bool = False) -> dict[str, Any]:
    """Return the last events of an object, as a card with a link to all of them; `is_subject` as in `events_about`."""
    reader, kind = context["request"].actor, kind_of(subject)
    found = events_about(reader, kind, subject.pk, limit=20, is_subject=is_subject)
    count_acts([event for event in found if event.subject_kind != kind or event.subject_id != subject.pk])
    return {
        "lines": [describe.sentence(event, reader, (kind, subject.pk)) for event in found],
        "about": f"{kind}:{subject.pk}",
    }


def _time(value: datetime | None, style: str) -> str | SafeString:
    if value is None:
        return NONE
    local = timezone.localtime(value)
    text = _day(local.date(), get_language())
    return _tag(value, f"{text} {local:%H:%M}" if style == "DATETIME_SHORT" else text)


@lru_cache(maxsize=KEPT)
def _day(value: date, language: str | None) -> str:
    return formats.date_format(value, "j M Y")


def _tag(value: datetime, text: str) -> SafeString:
    # Nothing here is entered by people except the words of a translation, and these are escaped.
    exact = value.astimezone(UTC).isoformat()
    return SafeString(f'<time datetime="{exact}" title="{exact[:10]} {exact[11:19]} UTC">{escape(text)}</time>')

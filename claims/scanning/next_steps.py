"""Next steps after a refused scan: a link or a button for each answer that has one."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from claims.models import Return, Shipment
from claims.scanning.answers import Answer, Step
from console.access import Actor, Permission


def offered(answers: Iterable[Answer], actor: Actor, shipment: Shipment | None = None) -> list[Answer]:
    """Return the answers, each with the next step that this actor may take.

    Takes one query if any of the devices are waiting for inspection.
    """
    answers = list(answers)
    waiting = [answer.device.pk for answer in answers if answer.code == "in_quarantine" and answer.device]
    returned = {}
    if waiting and actor.may(Permission.RETURN_EDIT):
        rows = Return.objects.visible_to(actor).under_way().filter(device__in=waiting)
        returned = dict(rows.values_list("device_id", "pk"))
    return [replace(each, steps=_steps(each, actor, shipment, returned)) if each.stays else each for each in answers]


def _steps(answer: Answer, actor: Actor, shipment: Shipment | None, returned: dict[int, int]) -> list[Step]:
    if answer.code == "in_quarantine" and answer.device and answer.device.pk in returned:
        url = f"{reverse('claims:return_inspect')}?ids={returned[answer.device.pk]}"
        return [Step(_("Inspect…"), "clipboard-check", url)]
    step = _STEPS.get(answer.code, _to_device)(answer, actor, shipment)
    return [step] if step else []


def _to_device(answer: Answer, _actor: Actor, _shipment: Shipment | None) -> Step | None:
    if answer.device is None:
        return None
    return Step(_("Open device"), "cpu", answer.device.get_absolute_url())


def _unclaim(answer: Answer, actor: Actor, shipment: Shipment | None) -> Step | None:
    if answer.device is None or not actor.may(Permission.DEVICE_UNCLAIM):
        return _to_device(answer, actor, shipment)
    return Step(_("Unclaim…"), "user-x", f"{reverse('devices:device_unclaim')}?ids={answer.device.pk}")


def _take_out(answer: Answer, actor: Actor, shipment: Shipment | None) -> Step | None:
    other = answer.about
    if not isinstance(other, Shipment) or answer.device is None:
        return _to_device(answer, actor, shipment)
    words = {"code": other.code}
    if other.is_open and actor.may(Permission.SHIPMENT_EDIT):
        url = reverse("claims:shipment_unpack", args=[other.pk])
        return Step(_("Remove from %(code)s") % words, "undo-2", url, answer.device.pk)
    return Step(_("Open %(code)s") % words, "package", other.get_absolute_url())


def _edit_order(_answer: Answer, _actor: Actor, shipment: Shipment | None) -> Step | None:
    if shipment is None:
        return None
    return Step(_("Edit order"), "pencil", reverse("claims:shipment_edit", args=[shipment.pk]))


def _search(answer: Answer, _actor: Actor, _shipment: Shipment | None) -> Step | None:
    return Step(_("Search"), "search", f"{reverse('console:search')}?{urlencode({'q': answer.scanned[:200]})}")


def _open(answer: Answer, _actor: Actor, _shipment: Shipment | None) -> Step | None:
    if answer.about is None:
        return None
    return Step(_("Open %(code)s") % {"code": answer.about}, "arrow-right", answer.about.get_absolute_url())


def _none(_answer: Answer, _actor: Actor, _shipment: Shipment | None) -> Step | None:
    return None


_STEPS: dict[str, Callable[[Answer, Actor, Shipment | None], Step | None]] = {
    "already_owned": _unclaim,
    "reserved": _take_out,
    "wrong_product": _edit_order,
    "too_many": _edit_order,
    "unknown": _search,
    "a_return": _open,
    "return_over": _open,
    "not_open": _open,
    "no_unit": _none,
    "ambiguous": _none,
}

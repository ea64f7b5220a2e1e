"""The events of calls to devices."""

from django.utils.translation import gettext_lazy as _

from console.audit.kinds import Kind
from devices.events import DEVICES, NO_HANDOVER

CALLED = Kind("device.called", _("Device called"), "radio", _("{actor} called {subject}"), DEVICES)

NO_HANDOVER.append(CALLED)

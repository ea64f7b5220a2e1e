"""The log of gunicorn. It is read before Django is set up, so nothing of Django may be imported here."""

from typing import Any

from gunicorn.glogging import Logger

from console.logs import HideCodes


class ServerLogger(Logger):
    """gunicorn's log of errors, without the codes that stand in claim links."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.addFilter(HideCodes())

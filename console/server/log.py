"""The log of gunicorn. It is imported before Django is set up, so it must not import anything from Django."""

from typing import Any

from gunicorn.glogging import Logger

from console.logs import HideCodes


class ServerLogger(Logger):
    """gunicorn's error log, with the codes in claim links removed."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.addFilter(HideCodes())

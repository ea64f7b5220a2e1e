"""Stops an upload that is too large while it arrives, without storing it."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.utils.translation import gettext as _


class QuotaHandler(FileUploadHandler):
    """Drops a file once it exceeds the limit, and records that, so that its field can report it."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.received += len(raw_data)
        if self.received > settings.UPLOAD_LIMIT:
            self.request.oversized_uploads = {  # type: ignore[union-attr]
                *getattr(self.request, "oversized_uploads", set()),
                self.field_name,
            }
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def oversized(request: HttpRequest, field: str) -> str | None:
    """Return the sentence for a file field whose upload was too large, or None."""
    if field not in getattr(request, "oversized_uploads", ()):
        return None
    limit = settings.UPLOAD_LIMIT // (1024 * 1024)
    return _("The file is larger than %(limit)d MB. Split it, or remove what you don't need.") % {"limit": limit}

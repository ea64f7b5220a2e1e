"""Loads templates without the indentation that makes them readable, so that pages don't carry it."""

import re

from django.template import Origin
from django.template.loaders import filesystem

_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
# What stands in these is shown with its white space.
_PREFORMATTED = re.compile(r"<(pre|textarea)\b")


class Loader(filesystem.Loader):
    """Reads the project's templates. Lines keep their numbers; text files and pages with `<pre>` stay as they are."""

    def get_contents(self, origin: Origin) -> str:
        """Return the source of a template as it is compiled."""
        source: str = super().get_contents(origin)
        if not origin.name.endswith(".html") or _PREFORMATTED.search(source):
            return source
        return _INDENTATION.sub("", source)

"""In what an address answers."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation


class JsonOrFile(BaseContentNegotiation):
    """What an address answers is said by its documentation, and not by what the caller would accept."""

    def select_parser(self, request: Any, parsers: list) -> Any:
        """The one for the body's type; None answers 415."""
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(
        self, request: Any, renderers: list, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """JSON."""
        return renderers[0], renderers[0].media_type

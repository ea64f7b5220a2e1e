"""In what an address answers."""

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import JSONParser


class JsonOrFile(BaseContentNegotiation):
    """What an address answers is said by its documentation, and not by what the caller would accept."""

    def select_parser(self, request: Any, parsers: list) -> Any:
        """The one for the body's type; None answers 415."""
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(self, request: Any, renderers: list, format_suffix: str | None = None) -> tuple[Any, str]:
        """JSON."""
        return renderers[0], renderers[0].media_type


class Json(JSONParser):
    """JSON that is not deeper than Python can follow."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Raises ParseError for what is no JSON, and for what is too deep."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("It is nested too deep.") from None

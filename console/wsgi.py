"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from console.server.chunked import measured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
_application = get_wsgi_application()

from console.checks import refuse_what_is_unfit  # noqa: E402 -- it needs the settings

refuse_what_is_unfit()
application = measured(_application)

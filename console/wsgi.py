"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from console.chunked import measured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
application = measured(get_wsgi_application())

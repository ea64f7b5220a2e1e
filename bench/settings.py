"""The settings of the product, plus Django's admin as the peer and an empty view as the floor."""

from console.settings import *  # noqa: F403
from console.settings import ALLOWED_HOSTS, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.admin"]
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]
ROOT_URLCONF = "bench.urls"

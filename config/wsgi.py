"""The WSGI entry that the production web server loads."""

import os

from django.core.wsgi import get_wsgi_application

from core.middleware import ChunkedBodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = ChunkedBodies(get_wsgi_application())

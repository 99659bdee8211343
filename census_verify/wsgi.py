import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "census_verify.settings")

application = get_wsgi_application()

# What lives as long as the process is loaded now, and left out by the collector from here on: one time in fifteen
# somebody's page waited 85 ms while it looked through all of it.
get_resolver().url_patterns  # noqa: B018 reading it imports every view
gc.collect()
gc.freeze()

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "census_verify.settings")

app = Celery("census_verify")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

"""Importing this readies Django; the environment is that of manage.py."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "census_verify.settings")
django.setup()

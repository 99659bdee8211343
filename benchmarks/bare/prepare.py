"""`python -m benchmarks.bare.prepare N`: tables, N officers and their sessions; prints the session keys."""

import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.bare.settings"

import django

django.setup()

from importlib import import_module  # noqa: E402

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402


def main(officers: int) -> None:
    call_command("migrate", verbosity=0)
    sessions = import_module(settings.SESSION_ENGINE)
    for number in range(officers):
        user, _ = get_user_model().objects.get_or_create(username=f"canbo{number}", defaults={"password": "x"})
        session = sessions.SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        print(session.session_key)


if __name__ == "__main__":
    main(int(sys.argv[1]))

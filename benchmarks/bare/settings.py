"""The least Django that knows who asks: the limit of the product's pages and saves. Its tables lie in a schema of their own."""

from environs import Env

env = Env()
SECRET_KEY = "limits-only"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "benchmarks.bare.views"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DATABASES = {"default": env.dj_db_url("DATABASE_URL", conn_max_age=600, conn_health_checks=True)}
DATABASES["default"].setdefault("OPTIONS", {}).update(
    options="-c search_path=benchmark", application_name="benchmark_bare"
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# no log-in is measured here
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

"""What keeps the code guessable: one-way imports, one clock, no missing migration, no unused template."""

import ast
import hashlib
import re
import tomllib
from io import StringIO
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.core.management import call_command
from django.template import engines

ROOT = Path(settings.BASE_DIR)
APPS = ["households", "verification", "reports"]  # lower to higher
PYTHON = [p for app in [*APPS, "census_verify"] for p in (ROOT / app).rglob("*.py") if "migrations" not in p.parts]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


def imported_modules(path: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
    return modules


@pytest.mark.parametrize("app", APPS)
def test_imports_run_one_way(app):
    higher = APPS[APPS.index(app) + 1 :]
    for path in (ROOT / app).rglob("*.py"):
        for module in imported_modules(path):
            assert module.split(".")[0] not in higher, f"{path.relative_to(ROOT)} imports {module}"


def test_the_apps_use_of_the_wiring_is_the_clock_and_the_health_key():
    allowed = {"census_verify", "census_verify.clock", "census_verify.health"}
    for path in PYTHON:
        if path.parts[len(ROOT.parts)] in APPS and "tests" not in path.parts:
            used = {m for m in imported_modules(path) if m.startswith("census_verify")}
            assert used <= allowed, path


def test_nothing_but_the_clock_asks_the_system_for_the_date():
    asks = re.compile(
        r"timezone\.(now|localtime\(\)|localdate\(\))|datetime\.(now|utcnow)\(|date\.today\(|auto_now|\bNow\(\)"
    )
    for path in PYTHON:
        if path.name != "clock.py" and "tests" not in path.parts:
            assert not asks.search(path.read_text("utf-8")), path


def test_no_migration_is_missing(db):
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())


def test_every_template_compiles_and_is_used():
    sources = "\n".join(p.read_text("utf-8") for p in [*PYTHON, *TEMPLATES])
    # named by Django, by django-axes or by the handlers rather than by us
    named_elsewhere = {"403_csrf.html", "registration/login.html", "registration/logged_out.html"}
    named_elsewhere |= {"registration/password_change_form.html", "registration/password_change_done.html"}
    for path in TEMPLATES:
        name = path.relative_to(ROOT / "templates").as_posix()
        engines["django"].get_template(name)
        assert name in named_elsewhere or f'"{name}"' in sources or f"'{name}'" in sources, f"nobody uses {name}"


def test_no_inline_script_or_style():
    inline = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\bsrc=)|javascript:", re.IGNORECASE)
    for path in TEMPLATES:
        found = inline.search(path.read_text("utf-8"))
        assert not found, f"{path}: {found.group()}"


def test_vendored_files_are_what_their_list_says():
    packages = tomllib.loads((ROOT / "static/vendor/vendor.toml").read_text("utf-8"))
    listed = {name: digest for package in packages.values() for name, digest in package["files"].items()}
    folder = ROOT / "static/vendor"
    found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file() and p.suffix != ".toml"}
    assert set(found) == set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256(found[name].read_bytes()).hexdigest() == digest, name


def test_static_files_name_no_other_host():
    for path in (ROOT / "static").rglob("*"):
        if path.suffix in {".css", ".js", ".svg"}:
            hosts = set(re.findall(r"https?://([^/\s\"')]+)", path.read_text("utf-8"))) - {"www.w3.org"}
            assert not hosts, path


class TestTranslations:
    def entries(self, language):
        return polib.pofile(str(ROOT / f"locale/{language}/LC_MESSAGES/django.po"))

    def test_vietnamese_is_complete(self):
        messages = self.entries("vi")
        assert len(messages) > 100
        assert not messages.untranslated_entries()
        assert not messages.fuzzy_entries()

    def test_every_string_of_the_code_is_in_the_catalogue(self):
        known = {entry.msgid for entry in self.entries("vi")}
        for path in PYTHON:
            if "tests" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "say")
                if called and node.args and isinstance(node.args[0], ast.Constant):
                    assert node.args[0].value in known, f"{path.name}: {node.args[0].value}"

    def test_every_string_of_the_templates_is_in_the_catalogue(self):
        known = {entry.msgid for entry in self.entries("vi")}
        pattern = re.compile(r"""\{%\s*(?:translate|trans)\s+(?:"([^"]+)"|'([^']+)')""")
        for path in TEMPLATES:
            for double, single in pattern.findall(path.read_text("utf-8")):
                assert (double or single) in known, f"{path.name}: {double or single}"

    def test_the_compiled_catalogue_is_the_written_one(self):
        for language in ("vi", "en"):
            folder = ROOT / f"locale/{language}/LC_MESSAGES"
            compiled = {e.msgid: (e.msgstr, e.msgstr_plural) for e in polib.mofile(str(folder / "django.mo"))}
            written = self.entries(language).translated_entries()
            assert compiled == {e.msgid: (e.msgstr, e.msgstr_plural) for e in written}

    def test_placeholders_are_kept(self):
        names = re.compile(r"%\((\w+)\)")
        for entry in self.entries("vi"):
            for text in [entry.msgstr, *entry.msgstr_plural.values()]:
                if text:
                    assert set(names.findall(text)) <= set(names.findall(entry.msgid + (entry.msgid_plural or ""))), (
                        text
                    )

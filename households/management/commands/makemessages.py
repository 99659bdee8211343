from django.core.management.commands import makemessages


class Command(makemessages.Command):
    """Django's own, which also looks for `say(…)`, our name for gettext."""

    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=say"]

"""Alerts in the reader's words."""

from django import template
from django.utils.translation import gettext as say

from households.models import AdministrativeUnit
from reports.alerts.words import sentence_of
from reports.models import Alert

register = template.Library()
register.filter("sentence", sentence_of)

COLOURS = {Alert.Kind.BEHIND: "late", Alert.Kind.RETURNED: "wait", Alert.Kind.IDLE: "bad", Alert.Kind.JUMP: "suspect"}


@register.filter
def alert_css(alert: Alert) -> str:
    return COLOURS[Alert.Kind(alert.kind)]


@register.filter
def reached(alert: Alert) -> str:
    """Who has been told beside the commune itself."""
    if alert.reach == AdministrativeUnit.Level.PROVINCE:
        return say("district and PC06 told")
    return say("district told")

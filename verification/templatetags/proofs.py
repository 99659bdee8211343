from django import template
from django.utils.formats import number_format
from django.utils.html import format_html

from verification.models import Proof

register = template.Library()

SHOWN_SIDE = 96  # the small picture in a list; app.css has the same


@register.filter
def size(bytes: int) -> str:
    """340 kB, 1,2 MB."""
    if bytes < 1_000_000:
        return f"{number_format(max(1, round(bytes / 1000)))} kB"
    return f"{number_format(round(bytes / 1_000_000, 1), 1)} MB"


@register.simple_tag
def small_size(proof: Proof) -> str:
    """Width and height of its small picture, so that nothing moves when it arrives."""
    scale = min(1, SHOWN_SIDE / max(proof.width, proof.height))
    return format_html(
        ' width="{}" height="{}"', max(1, round(proof.width * scale)), max(1, round(proof.height * scale))
    )

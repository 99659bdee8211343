from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from households.serializers import UnitSerializer
from reports.models import Tally
from reports.rollups import COUNTS


class TallySerializer(serializers.ModelSerializer):
    class Meta:
        model = Tally
        fields = ["population", "plan", "collected", "qualified", "in_scope", "new_people", *COUNTS, "rolled_up_at"]


class UnitDetailSerializer(UnitSerializer):
    """A unit with its figures of the current round: counts only, the reader divides."""

    figures = serializers.SerializerMethodField()

    class Meta(UnitSerializer.Meta):
        fields = [*UnitSerializer.Meta.fields, "figures"]

    @extend_schema_field(TallySerializer)
    def get_figures(self, unit):
        tally = Tally.objects.filter(unit=unit, round=self.context["round"]).first()
        return TallySerializer(tally).data if tally else None

from rest_framework import serializers

from households.models import AdministrativeUnit


class UnitSerializer(serializers.ModelSerializer):
    class Meta:
        model = AdministrativeUnit
        fields = ["id", "code", "name", "full_name", "type", "level", "parent", "valid_from", "valid_to"]

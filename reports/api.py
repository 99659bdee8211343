from rest_framework import generics
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination

from census_verify import clock
from households.models import AdministrativeUnit, Commune, District, Hamlet, Province
from households.serializers import UnitSerializer
from reports.serializers import UnitDetailSerializer
from verification.models import Round


class InOrder(CursorPagination):
    ordering = ("code", "id")
    page_size = 300

    def decode_cursor(self, request):
        cursor = super().decode_cursor(request)
        if cursor and "\x00" in (cursor.position or ""):
            raise NotFound(self.invalid_cursor_message)
        return cursor


class UnitList(generics.ListAPIView):
    """Units valid today whose figures the officer may see."""

    serializer_class = UnitSerializer
    pagination_class = InOrder
    model = AdministrativeUnit

    def get_queryset(self):
        return self.model.objects.visible_to(self.request.user).valid_on(clock.today())


class ProvinceList(UnitList):
    model = Province


class DistrictList(UnitList):
    model = District


class CommuneList(UnitList):
    model = Commune


class HamletList(UnitList):
    model = Hamlet


class UnitDetail(generics.RetrieveAPIView):
    serializer_class = UnitDetailSerializer

    def get_queryset(self):
        return AdministrativeUnit.objects.visible_to(self.request.user).order_by("pk")

    def get_serializer_context(self):
        return super().get_serializer_context() | {"round": Round.objects.current()}

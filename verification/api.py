from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.response import Response
from rest_framework.views import APIView

from households.models import Household
from verification import services
from verification.models import Round
from verification.serializers import HouseholdSerializer, PassSerializer, ResultsSerializer


class HouseholdDetail(generics.RetrieveAPIView):
    serializer_class = HouseholdSerializer

    def get_queryset(self):
        return Household.objects.visible_to(self.request.user).prefetch_related("forms").order_by("pk")


class HouseholdResults(APIView):
    """Record the results of a household: 201 when written, 200 when this submission was written before,
    400 for what cannot be right, 403 for who may not, 409 when somebody was first."""

    @extend_schema(
        request=ResultsSerializer, responses={200: PassSerializer(many=True), 201: PassSerializer(many=True)}
    )
    def post(self, request, pk: int) -> Response:
        household = generics.get_object_or_404(Household.objects.visible_to(request.user), pk=pk)
        round = Round.objects.current()
        if round is None:
            raise Http404
        sent = ResultsSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        recorded = services.record_results(
            round=round, household_id=household.pk, by=request.user, **sent.to_arguments()
        )
        answered = status.HTTP_200_OK if recorded.replayed else status.HTTP_201_CREATED
        return Response(PassSerializer(recorded.passes, many=True).data, status=answered)

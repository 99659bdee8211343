from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.response import Response
from rest_framework.views import APIView

from households.models import Household
from verification import new_people, rules, services
from verification.models import Round
from verification.serializers import (
    HouseholdSerializer,
    NewPersonSerializer,
    PassSerializer,
    PersonSerializer,
    ResultsSerializer,
)


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


class HouseholdPeople(APIView):
    """Add somebody who has no form: 201 when written, 200 when this submission was written before; 400, 403, 409 as
    for results. What is suspected answers 409 with `doubts`: send their keys as `seen` to save all the same."""

    @extend_schema(request=PersonSerializer, responses={200: NewPersonSerializer, 201: NewPersonSerializer})
    def post(self, request, pk: int) -> Response:
        household = generics.get_object_or_404(Household.objects.visible_to(request.user), pk=pk)
        round = Round.objects.current()
        if round is None:
            raise Http404
        sent = PersonSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        try:
            added = new_people.add_person(
                round=round, household_id=household.pk, by=request.user, **sent.to_arguments()
            )
        except new_people.InvalidPerson as invalid:
            body = {"detail": invalid.sentence, "field": invalid.field, "errors": invalid.errors}
            return Response(body, status=invalid.status)
        except rules.Doubtful as doubtful:
            doubts = [{"key": d.key, "field": d.field, "sentence": d.sentence} for d in doubtful.doubts]
            return Response({"detail": doubtful.sentence, "doubts": doubts}, status=doubtful.status)
        answered = status.HTTP_200_OK if added.replayed else status.HTTP_201_CREATED
        return Response(NewPersonSerializer(added.person).data, status=answered)

from rest_framework import serializers

from households import text
from households.models import CollectionForm, Household
from verification.forms import BROKEN, BROKEN_SENTENCE
from verification.models import NewPerson, VerificationPass
from verification.new_people import FORM_VERSION, ITEMS, PersonEntry
from verification.rules import CorrectionEntry, Entry


class CleanCharField(serializers.CharField):
    """Text in NFC without control characters; broken encodings are refused, not stored."""

    def __init__(self, **options):
        super().__init__(**{"required": False, "allow_blank": True, "default": "", "max_length": 2000} | options)

    def to_internal_value(self, data):
        value = super().to_internal_value(data)
        if any(sign in value for sign in BROKEN):
            raise serializers.ValidationError(BROKEN_SENTENCE)
        return text.clean(value)


class FormSerializer(serializers.ModelSerializer):
    birth_date = serializers.CharField(source="birth_date_text")

    class Meta:
        model = CollectionForm
        fields = ["id", "line", "barcode", "full_name", "birth_date", "sex", "relation", "qualification"]


class HouseholdSerializer(serializers.ModelSerializer):
    forms = FormSerializer(many=True)

    class Meta:
        model = Household
        fields = ["id", "commune", "hamlet", "book_number", "address", "head_name", "forms"]


class CorrectionSerializer(serializers.Serializer):
    field = CleanCharField()
    new = CleanCharField()
    source = CleanCharField()
    fault = CleanCharField()
    note = CleanCharField(max_length=200)
    proof = serializers.UUIDField(required=False, allow_null=True, default=None)


class EntrySerializer(serializers.Serializer):
    form_id = serializers.IntegerField()
    outcome = CleanCharField()
    expected_pass = serializers.IntegerField(required=False, allow_null=True, default=None)
    event_on = serializers.DateField(required=False, allow_null=True, default=None)
    destination = CleanCharField(max_length=200)
    paper = CleanCharField()
    proof = serializers.UUIDField(required=False, allow_null=True, default=None)
    duplicate_barcode = CleanCharField(max_length=20)
    reason = CleanCharField(max_length=200)
    attempts = serializers.IntegerField(required=False, allow_null=True, default=None)
    next_visit_on = serializers.DateField(required=False, allow_null=True, default=None)
    corrections = CorrectionSerializer(many=True, required=False, default=list)


class ResultsSerializer(serializers.Serializer):
    """One submission of a household; sent again with the same `submission` it changes nothing."""

    submission = serializers.UUIDField()
    by_books = serializers.BooleanField()
    in_person = serializers.BooleanField()
    verified_on = serializers.DateField()
    entries = EntrySerializer(many=True)

    def to_arguments(self) -> dict:
        values = dict(self.validated_data)
        values["entries"] = [
            Entry(**{**entry, "corrections": tuple(CorrectionEntry(**c) for c in entry["corrections"])})
            for entry in values["entries"]
        ]
        return values


class PassSerializer(serializers.ModelSerializer):
    class Meta:
        model = VerificationPass
        fields = ["id", "form", "outcome", "verified_on", "recorded_at", "is_standing"]


class PersonItemsSerializer(serializers.Serializer):
    """The items of the form, each as an officer would type it; `birth_date` as 12/3/1956, 3/1956 or 1956."""

    def get_fields(self):
        return {name: CleanCharField() for name in ITEMS}


class PersonSerializer(serializers.Serializer):
    """Somebody who has no form; sent again with the same `submission` it changes nothing."""

    submission = serializers.UUIDField()
    items = PersonItemsSerializer()
    reason = CleanCharField()
    found_on = serializers.DateField()
    paper = CleanCharField()
    barcode = CleanCharField()
    form_version = CleanCharField(default=FORM_VERSION.value)
    seen = serializers.ListField(child=CleanCharField(max_length=60), required=False, default=list, max_length=100)

    def to_arguments(self) -> dict:
        values = dict(self.validated_data)
        submission, seen = values.pop("submission"), values.pop("seen")
        return {"submission": submission, "seen": seen, "entry": PersonEntry(**values)}


class NewPersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = NewPerson
        fields = ["form", "submission", "reason", "found_on", "paper", "recorded_at"]

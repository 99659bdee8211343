"""Photos and scans of papers (docs/decisions/0023-proofs.md). The database itself lets a proof be linked once
and nothing else: what is linked is neither changed nor deleted."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

GUARD = """
CREATE FUNCTION verification_keep_proof() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.correction_id IS NULL AND OLD.verification_pass_id IS NULL THEN
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        IF to_jsonb(OLD) - '{correction_id,verification_pass_id}'::text[]
            = to_jsonb(NEW) - '{correction_id,verification_pass_id}'::text[] THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'a proof is history: linked once, never changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE ON verification_proof
    FOR EACH ROW EXECUTE FUNCTION verification_keep_proof();
"""
UNGUARD = """
DROP TRIGGER keep_history ON verification_proof;
DROP FUNCTION verification_keep_proof();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("households", "0004_imports"),
        ("verification", "0005_sheets"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Proof",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("uploaded_at", models.DateTimeField(verbose_name="uploaded at")),
                (
                    "kind",
                    models.CharField(choices=[("image", "photo"), ("pdf", "PDF")], max_length=5, verbose_name="kind"),
                ),
                ("bytes", models.IntegerField(verbose_name="size in bytes")),
                ("sha256", models.CharField(max_length=64)),
                ("pages", models.SmallIntegerField(default=1, verbose_name="pages")),
                ("width", models.IntegerField(verbose_name="width")),
                ("height", models.IntegerField(verbose_name="height")),
                (
                    "commune",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="households.administrativeunit",
                    ),
                ),
                (
                    "correction",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proofs",
                        to="verification.correction",
                    ),
                ),
                (
                    "form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proofs",
                        to="households.collectionform",
                    ),
                ),
                (
                    "province",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="households.administrativeunit",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "verification_pass",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proofs",
                        to="verification.verificationpass",
                    ),
                ),
            ],
            options={
                "verbose_name": "proof",
                "verbose_name_plural": "proofs",
                "indexes": [
                    models.Index(
                        condition=models.Q(("correction", None), ("verification_pass", None)),
                        fields=["uploaded_by", "uploaded_at"],
                        name="proof_waiting",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("correction", None), ("verification_pass", None), _connector="OR"),
                        name="proof_of_one_thing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("bytes__gt", 0), ("height__gt", 0), ("pages__gt", 0), ("width__gt", 0)),
                        name="proof_not_empty",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]

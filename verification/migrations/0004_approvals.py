"""Who approves in a round, and since when each result waits, with the index of the district's queue."""

from django.db import migrations, models

# What waits already: for the district since it was recorded, for its officer since it was returned.
WAITS_SINCE = """
UPDATE verification_roundform of_round SET waits_since = CASE of_round.approval
    WHEN 'pending' THEN pass.recorded_at
    ELSE (SELECT max(event.at) FROM verification_passevent event
        WHERE event.verification_pass_id = pass.id AND event.kind = 'returned') END
FROM verification_verificationpass pass
WHERE pass.id = of_round.standing_pass_id AND of_round.approval IN ('pending', 'returned')
"""
NOTHING = migrations.RunSQL.noop


class Migration(migrations.Migration):
    dependencies = [("verification", "0003_storage")]

    operations = [
        migrations.AddField(
            model_name="round",
            name="approving_level",
            field=models.SmallIntegerField(
                choices=[(1, "the province (PC06)"), (2, "the district")],
                db_default=2,
                default=2,
                verbose_name="who approves",
            ),
        ),
        migrations.AddField(
            model_name="roundform",
            name="waits_since",
            field=models.DateTimeField(blank=True, null=True, verbose_name="waits since"),
        ),
        migrations.RunSQL(WAITS_SINCE, NOTHING),
        migrations.AddConstraint(
            model_name="roundform",
            constraint=models.CheckConstraint(
                condition=models.Q(("approval__in", ["pending", "returned"]), ("waits_since", None), _connector="XOR"),
                name="round_form_waits_since",
            ),
        ),
        migrations.AddIndex(
            model_name="roundform",
            index=models.Index(
                condition=models.Q(("approval__in", ["pending", "returned"])),
                fields=["round", "commune", "approval", "waits_since", "form"],
                include=("outcome", "household"),
                name="round_form_waiting",
            ),
        ),
    ]

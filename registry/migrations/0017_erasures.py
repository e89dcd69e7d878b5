from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import registry.ids


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("registry", "0016_quicker_share_sums"),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="ers", primary_key=True, serialize=False)),
                (
                    "refusals",
                    models.CharField(
                        choices=[("keep", "Keep"), ("withdraw", "Withdraw")], max_length=8
                    ),
                ),
                ("leaves_money", models.BooleanField()),
                ("claim_digest", models.BinaryField(max_length=32)),
                ("language", models.CharField(max_length=10)),
                ("requested_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("reminded_at", models.DateTimeField(null=True)),
                ("canceled_at", models.DateTimeField(null=True)),
                (
                    "blocked_by",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), default=list, size=None
                    ),
                ),
                ("begun_at", models.DateTimeField(null=True)),
                (
                    "creators",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("finished_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="user",
            name="erased_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="creator",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("erased_at", None),
                        models.Q(("handle__startswith", "erased-"), _negated=True),
                    ),
                    models.Q(
                        ("display_name", models.F("handle")),
                        ("erased_at__isnull", False),
                        ("handle__startswith", "erased-"),
                    ),
                    _connector="OR",
                ),
                name="creator_erased_has_no_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("erased_at", None),
                    models.Q(
                        ("email__endswith", "@erased.invalid"),
                        ("is_active", False),
                        ("is_payout_admin", False),
                        ("is_staff", False),
                        ("is_superuser", False),
                        ("name", ""),
                    ),
                    _connector="OR",
                ),
                name="user_erased_is_nobody",
            ),
        ),
        migrations.AddField(
            model_name="erasure",
            name="creator",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="erasures",
                to="registry.creator",
            ),
        ),
        migrations.AddField(
            model_name="erasure",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="erasures",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="erasure",
            index=models.Index(
                condition=models.Q(("canceled_at", None), ("finished_at", None)),
                fields=["due_at"],
                name="erasure_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.UniqueConstraint(
                condition=models.Q(("canceled_at", None), ("finished_at", None)),
                fields=("user",),
                name="one_erasure_of_a_person_is_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=models.Q(("refusals__in", ["keep", "withdraw"])),
                name="erasure_keeps_or_withdraws_refusals",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=models.Q(("due_at__gte", models.F("requested_at"))),
                name="erasure_is_due_after_it_is_asked_for",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=models.Q(("canceled_at", None), ("begun_at", None), _connector="OR"),
                name="erasure_is_canceled_or_begun",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("finished_at", None), ("begun_at__isnull", False), _connector="OR"
                ),
                name="erasure_finishes_what_was_begun",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

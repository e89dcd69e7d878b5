from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import registry.ids


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0017_missed_events"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # What is on record was decided by one person; nothing new is.
        migrations.AddField(
            model_name="adminaction",
            name="alone",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AlterField(
            model_name="adminaction",
            name="alone",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="adminaction",
            name="deed",
            field=models.CharField(
                choices=[
                    ("prepared", "prepared"),
                    ("submitted", "submitted"),
                    ("approved", "approved"),
                    ("canceled", "canceled"),
                    ("resumed", "resumed"),
                    ("line_held", "line_held"),
                    ("line_released", "line_released"),
                    ("line_canceled", "line_canceled"),
                    ("looked_up", "looked_up"),
                    ("taken_back", "taken_back"),
                    ("difference_settled", "difference_settled"),
                    ("file_issued", "file_issued"),
                    ("file_taken", "file_taken"),
                    ("marked_paid", "marked_paid"),
                    ("marked_failed", "marked_failed"),
                    ("event_retried", "event_retried"),
                    ("reconciled", "reconciled"),
                    ("adjusted", "adjusted"),
                    ("aside_released", "aside_released"),
                    ("aside_reassigned", "aside_reassigned"),
                    ("audited", "audited"),
                    ("proposed", "proposed"),
                    ("proposal_withdrawn", "proposal_withdrawn"),
                ],
                max_length=24,
            ),
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="prp", primary_key=True, serialize=False)),
                (
                    "deed",
                    models.CharField(
                        choices=[
                            ("adjust", "adjust"),
                            ("take_back", "take_back"),
                            ("release_aside", "release_aside"),
                            ("reassign_aside", "reassign_aside"),
                            ("release_capped", "release_capped"),
                            ("redirect_capped", "redirect_capped"),
                        ],
                        max_length=20,
                    ),
                ),
                ("subject", models.CharField(max_length=80)),
                ("reason", models.CharField(max_length=500)),
                ("lines", models.TextField()),
                ("lines_digest", models.BinaryField(max_length=32)),
                ("proposed_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("confirmed", "confirmed"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("factor", models.CharField(blank=True, max_length=20)),
                ("answer", models.CharField(blank=True, max_length=500)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="adminaction",
            name="proposal",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="actions",
                to="ledger.proposal",
            ),
        ),
        migrations.AddConstraint(
            model_name="adminaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "deed__in",
                            ["adjusted", "aside_reassigned", "aside_released", "taken_back"],
                        ),
                        _negated=True,
                    ),
                    ("proposal__isnull", False),
                    ("alone", True),
                    _connector="OR",
                ),
                name="admin_action_that_takes_two_names_its_proposal",
            ),
        ),
        migrations.AddIndex(
            model_name="proposal",
            index=models.Index(fields=["subject", "-proposed_at"], name="proposal_of_subject"),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "open")),
                fields=("subject",),
                name="proposal_one_open_per_subject",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "confirmed"), _negated=True),
                    models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                    _connector="OR",
                ),
                name="proposal_proposer_does_not_confirm",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "confirmed"), _negated=True),
                    models.Q(("factor", ""), _negated=True),
                    _connector="OR",
                ),
                name="proposal_is_confirmed_with_a_factor",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("decided_by", None), ("status", "open")),
                    models.Q(
                        models.Q(("status", "open"), _negated=True),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="proposal_decided_says_by_whom_and_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="proposal_says_why"
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

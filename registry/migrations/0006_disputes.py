from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0005_snapshots"),
    ]

    operations = [
        migrations.CreateModel(
            name="DisputeEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("answered", "Answered"),
                            ("decided", "Decided"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("made_it", "Made It"),
                            ("made_independently", "Made Independently"),
                            ("has_permission", "Has Permission"),
                            ("shared_source", "Shared Source"),
                            ("concedes", "Concedes"),
                        ],
                        max_length=18,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("distinct", "Distinct"),
                            ("work_upheld", "Work Upheld"),
                            ("other_upheld", "Other Upheld"),
                        ],
                        max_length=12,
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                (
                    "conflict",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="registry.claimconflict",
                    ),
                ),
                (
                    "creator",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dispute_answers",
                        to="registry.creator",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes_decided",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "work",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dispute_answers",
                        to="registry.work",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("creator", None),
                                ("kind", "opened"),
                                ("outcome", ""),
                                ("reason", ""),
                                ("work", None),
                                ("decided_by", None),
                            ),
                            models.Q(
                                ("creator__isnull", False),
                                ("kind", "answered"),
                                ("outcome", ""),
                                ("work__isnull", False),
                                ("decided_by", None),
                                (
                                    "reason__in",
                                    [
                                        "made_it",
                                        "made_independently",
                                        "has_permission",
                                        "shared_source",
                                        "concedes",
                                    ],
                                ),
                            ),
                            models.Q(
                                ("creator", None),
                                ("kind", "decided"),
                                ("reason", ""),
                                ("work", None),
                                ("outcome__in", ["distinct", "work_upheld", "other_upheld"]),
                            ),
                            _connector="OR",
                        ),
                        name="dispute_event_says_what_its_kind_says",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "answered")),
                        fields=("conflict", "creator", "reason"),
                        name="dispute_reason_said_once_by_each",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind__in", ["opened", "decided"])),
                        fields=("conflict", "kind"),
                        name="dispute_opened_and_decided_once",
                    ),
                ],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0009_drawn_holds"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seq", models.BigIntegerField(null=True)),
                ("findings_count", models.IntegerField()),
                (
                    "findings",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), default=list, size=None
                    ),
                ),
                ("ran_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "audit run",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("findings_count__gte", 0)),
                        name="audit_run_counts_its_findings",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AdminAction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "deed",
                    models.CharField(
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
                        ],
                        max_length=24,
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=80)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("facts", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
                (
                    "batch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actions",
                        to="ledger.payoutbatch",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actions",
                        to="ledger.payout",
                    ),
                ),
            ],
            options={
                "verbose_name": "admin action",
                "indexes": [
                    models.Index(fields=["batch", "-id"], name="admin_action_of_batch"),
                    models.Index(fields=["payout", "-id"], name="admin_action_of_payout"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("payout", None), ("batch__isnull", False), _connector="OR"
                        ),
                        name="admin_action_on_a_line_names_its_batch",
                    )
                ],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

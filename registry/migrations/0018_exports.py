from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import registry.ids


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0017_erasures"),
    ]

    operations = [
        migrations.CreateModel(
            name="DataExport",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="exp", primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("making", "Making"), ("ready", "Ready")],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("rows_count", models.BigIntegerField(default=0)),
                ("done_count", models.BigIntegerField(default=0)),
                ("size", models.BigIntegerField(default=0)),
                ("place", models.JSONField(default=dict)),
                ("files", models.JSONField(default=list)),
                ("requested_at", models.DateTimeField()),
                ("ready_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "creator",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exports",
                        to="registry.creator",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exports",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DataExportPart",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("start", models.BigIntegerField()),
                ("content", models.BinaryField()),
                (
                    "export",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="registry.dataexport",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="dataexport",
            index=models.Index(
                condition=models.Q(("status", "ready"), _negated=True),
                fields=["requested_at"],
                name="export_unfinished",
            ),
        ),
        migrations.AddIndex(
            model_name="dataexport",
            index=models.Index(fields=["expires_at"], name="export_expires_at"),
        ),
        migrations.AddConstraint(
            model_name="dataexport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("creator", None), ("user__isnull", False)),
                    models.Q(("creator__isnull", False), ("user", None)),
                    _connector="OR",
                ),
                name="export_is_of_a_person_or_a_creator",
            ),
        ),
        migrations.AddConstraint(
            model_name="dataexport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("expires_at", None),
                        ("ready_at", None),
                        ("status__in", ["waiting", "making"]),
                    ),
                    models.Q(
                        ("expires_at__gt", models.F("ready_at")),
                        ("ready_at__isnull", False),
                        ("status", "ready"),
                    ),
                    _connector="OR",
                ),
                name="export_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="dataexport",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "ready"), _negated=True),
                fields=("user", "creator"),
                name="one_export_of_a_person_is_made",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="dataexportpart",
            constraint=models.UniqueConstraint(
                fields=("export", "start"), name="export_part_starts_once"
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

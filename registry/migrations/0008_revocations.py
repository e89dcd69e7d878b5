from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import registry.ids


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0007_past_control"),
    ]

    operations = [
        migrations.CreateModel(
            name="RevocationNotice",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="rvk", primary_key=True, serialize=False)),
                ("purpose", models.CharField(max_length=12)),
                ("decision", models.CharField(max_length=8)),
                ("noticed_at", models.DateTimeField()),
                ("acknowledge_by", models.DateTimeField()),
                (
                    "manifest",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revocations",
                        to="registry.manifest",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revocations",
                        to="registry.operator",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revocation_notices",
                        to="registry.statement",
                    ),
                ),
                (
                    "work",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revocations",
                        to="registry.work",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RevocationAcknowledgement",
            fields=[
                (
                    "notice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="acknowledgement",
                        serialize=False,
                        to="registry.revocationnotice",
                    ),
                ),
                ("acknowledged_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "revocation acknowledgement",
            },
        ),
        migrations.AddConstraint(
            model_name="revocationnotice",
            constraint=models.UniqueConstraint(
                fields=("manifest", "work"), name="revocation_noticed_once_per_manifest_and_work"
            ),
        ),
        migrations.AddConstraint(
            model_name="revocationnotice",
            constraint=models.CheckConstraint(
                condition=models.Q(("decision__in", ["deny", "license", "unknown"])),
                name="revocation_is_of_what_is_not_allowed",
            ),
        ),
        migrations.AddConstraint(
            model_name="revocationnotice",
            constraint=models.CheckConstraint(
                condition=models.Q(("acknowledge_by__gt", models.F("noticed_at"))),
                name="revocation_deadline_lies_ahead",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

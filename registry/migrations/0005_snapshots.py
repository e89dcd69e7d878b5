from pathlib import Path

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0004_idempotent_requests")]

    operations = [
        migrations.CreateModel(
            name="SnapshotChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.BinaryField(max_length=32)),
                ("seq", models.BigIntegerField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["seq"], name="snapshot_change_seq")],
            },
        ),
        migrations.CreateModel(
            name="SnapshotRelease",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(choices=[("base", "base"), ("delta", "delta")], max_length=5),
                ),
                ("manifest", models.BinaryField()),
                ("sha256", models.BinaryField(max_length=32)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["base", "delta"])),
                        name="snapshot_release_kind_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))),
                        name="snapshot_release_expires_after_it_is_made",
                    ),
                ],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

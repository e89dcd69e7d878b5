from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0006_disputes"),
    ]

    operations = [
        migrations.CreateModel(
            name="PastControl",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("method", models.CharField(max_length=16)),
                ("evidence_sha256", models.BinaryField(max_length=32)),
                ("proven_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "past control",
            },
        ),
        migrations.AddField(
            model_name="collection",
            name="recheck_failures",
            field=models.SmallIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="collection",
            index=models.Index(fields=["recheck_at"], name="collection_recheck_at"),
        ),
        migrations.AddField(
            model_name="pastcontrol",
            name="collection",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="past_control",
                to="registry.collection",
            ),
        ),
        migrations.AddConstraint(
            model_name="pastcontrol",
            constraint=models.CheckConstraint(
                condition=models.Q(("ended_at__gt", models.F("proven_at"))),
                name="control_ended_after_it_was_proven",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

from pathlib import Path

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0007_payee_holder"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditMark",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("hash", models.BinaryField(max_length=32)),
                ("audited_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "audit mark",
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

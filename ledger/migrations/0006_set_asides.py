from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import ledger.fields


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0005_payment_returns"),
    ]

    operations = [
        migrations.CreateModel(
            name="SetAside",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject", models.CharField(max_length=40)),
                ("amount_micros", models.BigIntegerField()),
                ("currency", ledger.fields.CurrencyField()),
                ("entry_id", models.BigIntegerField()),
                ("set_aside_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "set-aside",
                "indexes": [
                    models.Index(
                        condition=models.Q(("released_at", None)),
                        fields=["subject"],
                        name="set_aside_waiting",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entry_id", "account", "subject"), name="set_aside_recorded_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_micros__gt", 0)),
                        name="set_aside_amount_is_positive",
                    ),
                ],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import ledger.fields


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0003_grants"),
    ]

    operations = [
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(unique=True)),
                ("amount_micros", models.BigIntegerField()),
                ("currency", ledger.fields.CurrencyField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("reserved", "reserved"),
                            ("settled", "settled"),
                            ("released", "released"),
                            ("expired", "expired"),
                        ],
                        default="reserved",
                        max_length=10,
                    ),
                ),
                ("settled_micros", models.BigIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "reserved",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="ledger.account",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.account",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "reserved")),
                        fields=["expires_at"],
                        name="hold_to_expire",
                    ),
                    models.Index(
                        condition=models.Q(("status", "reserved")),
                        fields=["reserved"],
                        name="hold_of_account",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_micros__gt", 0)), name="hold_amount_is_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("settled_micros__gt", 0),
                                ("settled_micros__lte", models.F("amount_micros")),
                                ("status", "settled"),
                            ),
                            models.Q(
                                models.Q(("status", "settled"), _negated=True),
                                ("settled_micros", 0),
                            ),
                            _connector="OR",
                        ),
                        name="hold_settles_at_most_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("status", "reserved")),
                            models.Q(
                                models.Q(("status", "reserved"), _negated=True),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="hold_that_ended_says_when",
                    ),
                ],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0004_holds"),
    ]

    operations = [
        migrations.CreateModel(
            name="PaymentReturn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("amount_micros", models.BigIntegerField()),
                ("prepaid_micros", models.BigIntegerField()),
                ("pending_micros", models.BigIntegerField()),
                ("debt_micros", models.BigIntegerField()),
                ("platform_micros", models.BigIntegerField()),
                (
                    "entry_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "topup",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="returns",
                        to="ledger.topup",
                    ),
                ),
            ],
            options={
                "verbose_name": "payment return",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("topup", "number"), name="payment_return_numbered_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_micros", 0), _negated=True),
                        name="payment_return_moves_money",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "amount_micros",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("prepaid_micros"),
                                            "+",
                                            models.F("pending_micros"),
                                        ),
                                        "+",
                                        models.F("debt_micros"),
                                    ),
                                    "+",
                                    models.F("platform_micros"),
                                ),
                            )
                        ),
                        name="payment_return_parts_add_up",
                    ),
                ],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

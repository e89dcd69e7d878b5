from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0010_admin_actions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PaymentFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("message_id", models.CharField(max_length=35, unique=True)),
                ("content", models.BinaryField()),
                ("payouts_count", models.PositiveIntegerField()),
                ("issued_at", models.DateTimeField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment_files",
                        to="ledger.payoutbatch",
                    ),
                ),
                (
                    "issued_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "payment file",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "number"), name="payment_file_numbered_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("payouts_count__gt", 0)),
                        name="payment_file_pays_somebody",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="payout",
            name="payment_file",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payouts",
                to="ledger.paymentfile",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

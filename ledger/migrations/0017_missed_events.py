from pathlib import Path

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0016_payees_who_left"),
    ]

    operations = [
        migrations.AddField(
            model_name="providerevent",
            name="fetched",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="providerevent",
            index=models.Index(
                name="provider_event_fetched", fields=["received_at"], condition=Q(fetched=True)
            ),
        ),
        migrations.CreateModel(
            name="EventListing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("gateway", models.CharField(max_length=20)),
                ("account", models.CharField(blank=True, max_length=120)),
                ("listed_until", models.DateTimeField(null=True)),
                ("listed_at", models.DateTimeField(null=True)),
                ("trouble", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "verbose_name": "event listing",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("gateway", "account"), name="event_listing_one_per_account"
                    )
                ],
                "indexes": [
                    models.Index(fields=["gateway", "listed_at"], name="event_listing_next")
                ],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

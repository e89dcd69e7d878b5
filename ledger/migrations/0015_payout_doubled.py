from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0014_quicker_posting"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="payout",
            index=models.Index(
                name="payout_doubled",
                fields=["id"],
                condition=Q(trouble="transfers_doubled"),
            ),
        ),
    ]

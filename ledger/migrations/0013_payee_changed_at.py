from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0012_payout_steps"),
    ]

    operations = [
        migrations.AddField(
            model_name="payee",
            name="changed_at",
            field=models.DateTimeField(null=True),
        ),
    ]

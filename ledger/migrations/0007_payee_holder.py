from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0006_set_asides"),
    ]

    operations = [
        migrations.AddField(
            model_name="payee",
            name="holder",
            field=models.CharField(blank=True, default="", max_length=70),
        ),
    ]

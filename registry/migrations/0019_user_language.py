from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0018_exports"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(blank=True, db_default="", default="", max_length=10),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("attribution", "0004_weigh_by_every_method")]

    operations = [
        migrations.AlterField(
            model_name="generativemodel",
            name="method",
            field=models.CharField(
                choices=[
                    ("cascade", "words found in registered texts, then resemblance"),
                    ("verbatim", "words of the output found in registered texts"),
                    ("similarity", "resemblance to registered texts"),
                    ("shapley", "resemblance of each passage, by Shapley values"),
                    ("reported", "the operator's own scores"),
                    ("uniform", "every work of the manifest alike"),
                ],
                default="cascade",
                max_length=12,
            ),
        ),
    ]

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("attribution", "0009_query_hold"),
        ("registry", "0012_claims"),
    ]

    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

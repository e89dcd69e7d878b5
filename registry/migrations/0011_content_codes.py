from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0010_intake"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(model_name="work", name="work_iscc_type"),
            ],
            database_operations=[
                migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
            ],
        ),
    ]

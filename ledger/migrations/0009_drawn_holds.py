from pathlib import Path

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0008_audit_marks"),
    ]

    operations = [
        migrations.AddField(
            model_name="hold",
            name="returned_micros",
            field=models.BigIntegerField(default=0, db_default=0),
        ),
        migrations.AddField(
            model_name="hold",
            name="in_parts",
            field=models.BooleanField(default=False, db_default=False),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        migrations.RemoveConstraint(model_name="hold", name="hold_settles_at_most_whole"),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                name="hold_gives_nothing_below_zero",
                condition=Q(settled_micros__gte=0, returned_micros__gte=0),
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                name="hold_goes_on_while_some_is_left",
                condition=Q(
                    status="reserved", amount_micros__gt=F("settled_micros") + F("returned_micros")
                )
                | (
                    ~Q(status="reserved")
                    & Q(amount_micros=F("settled_micros") + F("returned_micros"))
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                name="hold_that_settled_paid_something",
                condition=~Q(status="settled") | Q(settled_micros__gt=0),
            ),
        ),
    ]

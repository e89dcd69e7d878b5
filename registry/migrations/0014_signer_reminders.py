from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0013_signers"),
    ]

    operations = [
        migrations.AddField(
            model_name="signer",
            name="reminded_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="signer",
            constraint=models.CheckConstraint(
                condition=Q(reminded_at=None) | Q(control_proven_at__isnull=False),
                name="signer_reminder_is_of_a_proof",
            ),
        ),
    ]

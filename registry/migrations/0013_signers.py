from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import registry.ids


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0012_claims"),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkSignature",
            fields=[
                (
                    "work",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="signature",
                        serialize=False,
                        to="registry.work",
                    ),
                ),
                ("certificate_sha256", models.BinaryField(max_length=32)),
                ("evidence_sha256", models.BinaryField(max_length=32)),
                ("recorded_at", models.DateTimeField()),
            ],
        ),
        migrations.AlterField(
            model_name="pastcontrol",
            name="collection",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="past_control",
                to="registry.collection",
            ),
        ),
        migrations.CreateModel(
            name="Signer",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="sgn", primary_key=True, serialize=False)),
                ("challenge_token", models.CharField(max_length=43, unique=True)),
                ("begun_at", models.DateTimeField(editable=False)),
                ("certificate_sha256", models.BinaryField(max_length=32, null=True)),
                ("subject", models.CharField(blank=True, max_length=200)),
                ("issuer", models.CharField(blank=True, max_length=200)),
                ("serial", models.CharField(blank=True, max_length=40)),
                ("valid_until", models.DateTimeField(blank=True, null=True)),
                ("control_proven_at", models.DateTimeField(blank=True, null=True)),
                ("evidence_sha256", models.BinaryField(max_length=32, null=True)),
                ("recheck_at", models.DateTimeField(blank=True, null=True)),
                (
                    "creator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signers",
                        to="registry.creator",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="pastcontrol",
            name="signer",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="past_control",
                to="registry.signer",
            ),
        ),
        migrations.AddConstraint(
            model_name="pastcontrol",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("collection", None), ("signer__isnull", False)),
                    models.Q(("collection__isnull", False), ("signer", None)),
                    _connector="OR",
                ),
                name="past_control_is_of_one_thing",
            ),
        ),
        migrations.AddIndex(
            model_name="worksignature",
            index=models.Index(fields=["certificate_sha256"], name="work_signature_certificate"),
        ),
        migrations.AddIndex(
            model_name="signer",
            index=models.Index(fields=["certificate_sha256"], name="signer_certificate"),
        ),
        migrations.AddIndex(
            model_name="signer",
            index=models.Index(fields=["recheck_at"], name="signer_recheck_at"),
        ),
        migrations.AddConstraint(
            model_name="signer",
            constraint=models.UniqueConstraint(
                fields=("creator", "certificate_sha256"), name="signer_once_per_creator"
            ),
        ),
        migrations.AddConstraint(
            model_name="signer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("certificate_sha256", None)),
                fields=("creator",),
                name="one_signer_of_a_creator_waits",
            ),
        ),
        migrations.AddConstraint(
            model_name="signer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("control_proven_at__isnull", False)),
                fields=("certificate_sha256",),
                name="certificate_is_proven_by_one_creator",
            ),
        ),
        migrations.AddConstraint(
            model_name="signer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("certificate_sha256", None), ("serial", ""), ("valid_until", None)),
                    models.Q(
                        ("certificate_sha256__isnull", False),
                        ("valid_until__isnull", False),
                        models.Q(("serial", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="signer_certificate_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="signer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("control_proven_at", None), ("evidence_sha256", None), ("recheck_at", None)
                    ),
                    models.Q(
                        ("certificate_sha256__isnull", False),
                        ("control_proven_at__isnull", False),
                        ("evidence_sha256__isnull", False),
                        ("recheck_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="signer_proof_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="signer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("recheck_at", None),
                    ("recheck_at__lte", models.F("valid_until")),
                    _connector="OR",
                ),
                name="signer_proof_ends_with_its_certificate",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

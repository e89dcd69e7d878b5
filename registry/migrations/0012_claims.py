from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import registry.ids


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0011_content_codes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Cluster",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="clu", primary_key=True, serialize=False)),
                ("opened_at", models.DateTimeField(editable=False)),
            ],
        ),
        migrations.CreateModel(
            name="ClusterEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("merged", "Merged"),
                            ("separated", "Separated"),
                            ("joined", "Joined"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("same_work", "Same Work"),
                            ("edition", "Edition"),
                            ("excerpt", "Excerpt"),
                            ("independent", "Independent"),
                            ("shared_source", "Shared Source"),
                            ("by_chance", "By Chance"),
                        ],
                        max_length=13,
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="ClusterMember",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("merged", "Merged"),
                            ("separated", "Separated"),
                        ],
                        max_length=9,
                    ),
                ),
                ("distance_ppm", models.IntegerField(default=0)),
                ("added_at", models.DateTimeField(editable=False)),
            ],
        ),
        migrations.CreateModel(
            name="MatchAppeal",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="apl", primary_key=True, serialize=False)),
                ("iscc", models.CharField(max_length=80)),
                ("code_key", models.BinaryField(max_length=32)),
                ("distance_ppm", models.IntegerField()),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("made_independently", "Made Independently"),
                            ("shared_source", "Shared Source"),
                            ("by_chance", "By Chance"),
                        ],
                        max_length=18,
                    ),
                ),
                ("made_at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="disputeevent",
            name="dispute_event_says_what_its_kind_says",
        ),
        migrations.RemoveConstraint(
            model_name="disputeevent",
            name="dispute_opened_and_decided_once",
        ),
        migrations.AddField(
            model_name="claimconflict",
            name="admitted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="claimconflict",
            name="appealed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="claimconflict",
            name="claimed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="claimconflict",
            name="first_outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("distinct", "Distinct"),
                    ("work_upheld", "Work Upheld"),
                    ("other_upheld", "Other Upheld"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="claimconflict",
            name="overturned_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="claimconflict",
            name="reviewed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="disputeevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opened", "Opened"),
                    ("answered", "Answered"),
                    ("claimed", "Claimed"),
                    ("admitted", "Admitted"),
                    ("decided", "Decided"),
                    ("appealed", "Appealed"),
                    ("reviewed", "Reviewed"),
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="disputeevent",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("made_it", "Made It"),
                    ("made_independently", "Made Independently"),
                    ("has_permission", "Has Permission"),
                    ("shared_source", "Shared Source"),
                    ("concedes", "Concedes"),
                    ("new_evidence", "New Evidence"),
                    ("wrong_on_facts", "Wrong On Facts"),
                    ("not_heard", "Not Heard"),
                ],
                max_length=18,
            ),
        ),
        migrations.AddConstraint(
            model_name="claimconflict",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("appealed_at", None), ("reviewed_at", None)),
                    ("appealed_at__gte", models.F("resolved_at")),
                    _connector="OR",
                ),
                name="conflict_is_appealed_after_it_is_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="claimconflict",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("first_outcome", ""), ("overturned_at", None)),
                    models.Q(
                        ("overturned_at", models.F("reviewed_at")),
                        models.Q(("first_outcome__in", ["", models.F("outcome")]), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="conflict_is_overturned_by_a_review",
            ),
        ),
        migrations.AddConstraint(
            model_name="disputeevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("creator", None),
                        ("decided_by", None),
                        ("kind", "opened"),
                        ("outcome", ""),
                        ("reason", ""),
                        ("work", None),
                    ),
                    models.Q(
                        ("creator__isnull", False),
                        ("decided_by", None),
                        ("kind", "claimed"),
                        ("outcome", ""),
                        ("reason", ""),
                        ("work__isnull", False),
                    ),
                    models.Q(
                        ("creator__isnull", False),
                        ("decided_by", None),
                        ("kind", "answered"),
                        ("outcome", ""),
                        (
                            "reason__in",
                            [
                                "made_it",
                                "made_independently",
                                "has_permission",
                                "shared_source",
                                "concedes",
                            ],
                        ),
                        ("work__isnull", False),
                    ),
                    models.Q(
                        ("creator__isnull", False),
                        ("decided_by", None),
                        ("kind", "appealed"),
                        ("outcome", ""),
                        ("reason__in", ["new_evidence", "wrong_on_facts", "not_heard"]),
                        ("work__isnull", False),
                    ),
                    models.Q(
                        ("creator", None),
                        ("decided_by__isnull", False),
                        ("kind", "admitted"),
                        ("outcome", ""),
                        ("reason", ""),
                        ("work", None),
                    ),
                    models.Q(
                        ("creator", None),
                        ("kind", "decided"),
                        ("outcome__in", ["distinct", "work_upheld", "other_upheld"]),
                        ("reason", ""),
                        ("work", None),
                    ),
                    models.Q(
                        ("creator", None),
                        ("decided_by__isnull", False),
                        ("kind", "reviewed"),
                        ("outcome__in", ["distinct", "work_upheld", "other_upheld"]),
                        ("reason", ""),
                        ("work", None),
                    ),
                    _connector="OR",
                ),
                name="dispute_event_says_what_its_kind_says",
            ),
        ),
        migrations.AddConstraint(
            model_name="disputeevent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "answered"), _negated=True),
                fields=("conflict", "kind"),
                name="dispute_takes_each_other_step_once",
            ),
        ),
        migrations.AddField(
            model_name="clusterevent",
            name="cluster",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="registry.cluster",
            ),
        ),
        migrations.AddField(
            model_name="clusterevent",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="cluster_events",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="clusterevent",
            name="into",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="taken_in",
                to="registry.cluster",
            ),
        ),
        migrations.AddField(
            model_name="clusterevent",
            name="work",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="cluster_events",
                to="registry.work",
            ),
        ),
        migrations.AddField(
            model_name="clustermember",
            name="cluster",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="members",
                to="registry.cluster",
            ),
        ),
        migrations.AddField(
            model_name="clustermember",
            name="near_to",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="near_members",
                to="registry.work",
            ),
        ),
        migrations.AddField(
            model_name="clustermember",
            name="work",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="cluster_memberships",
                to="registry.work",
            ),
        ),
        migrations.CreateModel(
            name="MatchFinding",
            fields=[
                (
                    "appeal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="finding",
                        serialize=False,
                        to="registry.matchappeal",
                    ),
                ),
                ("lifted", models.BooleanField()),
                ("decided_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="matchappeal",
            name="creator",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="match_appeals",
                to="registry.creator",
            ),
        ),
        migrations.AddField(
            model_name="matchappeal",
            name="operator",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="match_appeals",
                to="registry.operator",
            ),
        ),
        migrations.AddField(
            model_name="matchappeal",
            name="work",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="match_appeals",
                to="registry.work",
            ),
        ),
        migrations.AddConstraint(
            model_name="clusterevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("into", None),
                        ("kind", "proposed"),
                        ("work__isnull", False),
                        ("decided_by", None),
                        ("reason", ""),
                    ),
                    models.Q(
                        ("decided_by__isnull", False),
                        ("into", None),
                        ("kind", "merged"),
                        ("work__isnull", False),
                        ("reason__in", ["same_work", "edition", "excerpt"]),
                    ),
                    models.Q(
                        ("decided_by__isnull", False),
                        ("into", None),
                        ("kind", "separated"),
                        ("work__isnull", False),
                        ("reason__in", ["independent", "shared_source", "by_chance"]),
                    ),
                    models.Q(
                        ("decided_by__isnull", False),
                        ("into__isnull", False),
                        ("kind", "joined"),
                        ("work", None),
                        ("reason__in", ["same_work", "edition", "excerpt"]),
                    ),
                    _connector="OR",
                ),
                name="cluster_event_says_what_its_kind_says",
            ),
        ),
        migrations.AddConstraint(
            model_name="clustermember",
            constraint=models.UniqueConstraint(
                fields=("cluster", "work"), name="cluster_member_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="clustermember",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["proposed", "merged"])),
                fields=("work",),
                name="work_is_in_one_cluster",
            ),
        ),
        migrations.AddConstraint(
            model_name="clustermember",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["proposed", "merged", "separated"])),
                name="cluster_member_state_is_known",
            ),
        ),
        migrations.AddField(
            model_name="matchfinding",
            name="decided_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="match_findings",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="matchappeal",
            constraint=models.UniqueConstraint(
                fields=("code_key", "work"), name="match_is_appealed_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="matchappeal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("creator", None), ("operator__isnull", False)),
                    models.Q(("creator__isnull", False), ("operator", None)),
                    _connector="OR",
                ),
                name="match_appeal_is_one_partys",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]

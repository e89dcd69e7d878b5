"""People, the creators and operators they act for, and the keys that act for those."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint
from django.db.models.functions import Lower, Now

from registry.ids import TypedIdField


class UserManager(BaseUserManager["User"]):
    """Make users, their e-mail addresses in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Save a user; without a password nobody can log in with one."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Save a user who may do everything."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user by address, whatever its case."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in."""

    id = TypedIdField(prefix="usr", primary_key=True)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    # The one chosen on the pages last; empty: English.
    language = models.CharField(max_length=10, blank=True, default="", db_default="")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_payout_admin = models.BooleanField(default=False)
    date_joined = models.DateTimeField(db_default=Now(), editable=False)
    # Since then the row stands for somebody nobody knows; what it did stays on record.
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            UniqueConstraint(Lower("email"), name="user_email_unique_in_any_case"),
            CheckConstraint(
                name="user_erased_is_nobody",
                condition=Q(erased_at=None)
                | Q(
                    name="",
                    email__endswith="@erased.invalid",
                    is_active=False,
                    is_staff=False,
                    is_superuser=False,
                    is_payout_admin=False,
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        """Return what to call this person."""
        return self.name or self.email

    def get_short_name(self) -> str:
        """Return the same: names are not ours to take apart."""
        return self.get_full_name()


class Creator(models.Model):
    """A person or organisation that holds rights."""

    id = TypedIdField(prefix="cre", primary_key=True)
    handle = models.CharField(max_length=40, unique=True)
    display_name = models.CharField(max_length=120)
    members = models.ManyToManyField(User, related_name="creators")
    identity_verified_at = models.DateTimeField(null=True, blank=True)
    wants_payment = models.BooleanField(default=True)
    # Deleting the key cuts the tie between this creator and the commitments in the public log.
    commitment_key = models.BinaryField(max_length=32, null=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            CheckConstraint(
                name="creator_handle_is_well_formed",
                condition=Q(handle__regex=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])$"),
            ),
            CheckConstraint(
                name="creator_erased_has_no_commitment_key",
                condition=Q(erased_at=None) | Q(commitment_key=None),
            ),
            CheckConstraint(
                name="creator_erased_has_no_name",
                condition=Q(erased_at=None) & ~Q(handle__startswith="erased-")
                | Q(
                    erased_at__isnull=False,
                    handle__startswith="erased-",
                    display_name=F("handle"),
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.handle


class Operator(models.Model):
    """An organisation that runs pipelines or models."""

    id = TypedIdField(prefix="opr", primary_key=True)
    handle = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    members = models.ManyToManyField(User, related_name="operators")
    created_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            CheckConstraint(
                name="operator_handle_is_well_formed",
                condition=Q(handle__regex=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])$"),
            ),
        ]

    def __str__(self) -> str:
        return self.handle


class ApiKey(models.Model):
    """A secret with which a program acts for one operator, creator or user."""

    id = TypedIdField(prefix="key", primary_key=True)
    operator = models.ForeignKey(Operator, models.CASCADE, null=True, related_name="keys")
    creator = models.ForeignKey(Creator, models.CASCADE, null=True, related_name="keys")
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="keys")
    prefix_id = models.CharField(max_length=8, unique=True, editable=False)
    digest = models.BinaryField(max_length=32, editable=False)
    scopes = ArrayField(models.CharField(max_length=40))
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"
        constraints = [
            CheckConstraint(
                name="api_key_has_exactly_one_owner",
                condition=(
                    Q(operator__isnull=False, creator=None, user=None)
                    | Q(operator=None, creator__isnull=False, user=None)
                    | Q(operator=None, creator=None, user__isnull=False)
                ),
            ),
            CheckConstraint(
                name="api_key_expires_after_it_was_made",
                condition=Q(expires_at=None) | Q(expires_at__gt=F("created_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"trb_live_{self.prefix_id}_…"

    @property
    def owner(self) -> Operator | Creator | User:
        """Return whom the key acts for."""
        owner = self.operator or self.creator or self.user
        assert owner is not None, "api_key_has_exactly_one_owner"
        return owner

    def is_live(self, at: datetime) -> bool:
        """Whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    # What Django REST framework asks of whoever sends a request.
    is_authenticated = True
    is_anonymous = False

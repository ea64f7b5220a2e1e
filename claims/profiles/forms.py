"""Forms of claim profiles. Every choice is limited to what the actor may see."""

import re
from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.utils.text import slugify
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from claims.models import ClaimProfile, Grant, ResourceKind, Scope
from claims.profiles.actions import profiles
from console import slugs
from console.access import Actor
from console.fields import fold
from console.forms import Fields, ModelForm, TextGuard, clean_text, closed_field
from console.formsets import rows_of
from console.models import Member
from customers.models import CustomerKind, CustomerRole, Project
from devices.models import Device, DeviceStatus, Product

MOST_DEVICES = 500
MOST_DOCUMENTS, MOST_MEMBERS, MOST_QUESTIONS = 20, 20, 5
MOST_CLAIMS = 1_000_000_000
NAMED = 10
FIRST_DAY, LAST_DAY = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _hinted(text: Any) -> forms.TextInput:
    """Return a text input with a placeholder: a row's labels are only read aloud, so the hint shows what to enter."""
    return forms.TextInput(attrs={"placeholder": text})


class DocumentForm(TextGuard, forms.Form):
    """A document that a claim provides."""

    title = forms.CharField(label=_("Title"), max_length=120, widget=_hinted(_("Title")))
    link = forms.URLField(label=_("Link"), max_length=500, assume_scheme="https", widget=_hinted("https://"))

    def clean_link(self) -> str:
        link = self.cleaned_data["link"]
        if not link.lower().startswith("https://"):
            raise ValidationError(_("Enter a link that begins with https://."))
        # Some programs end the host at a backslash, others read on to the @.
        if "@" in re.split(r"[/?#]", link[len("https://") :])[0]:
            raise ValidationError(_("Remove the user name and password: everyone who claims a device sees the link."))
        return link


class MemberForm(forms.Form):
    """A member who is added to the claimer's project."""

    fields: Fields
    member: "forms.ModelChoiceField[Member]" = forms.ModelChoiceField(
        None, label=_("Member"), empty_label=_("Choose a member")
    )
    role = forms.ChoiceField(label=_("Role"), choices=CustomerRole.choices, initial=CustomerRole.VIEWER)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = Member.objects.visible_to(actor).filter(removed_at=None).select_related("user")
        self.fields["member"].queryset = members.order_by("user__name", "user__email")
        self.fields["member"].label_from_instance = lambda member: f"{member.user} · {member.user.email}"


class QuestionForm(TextGuard, forms.Form):
    """A question of the short form. Its name stays when its label changes, so existing answers keep their place."""

    label = forms.CharField(label=_("Question"), max_length=60, widget=_hinted(_("Question, such as “Site name”")))
    required = forms.BooleanField(label=_("Required"), required=False)
    name = forms.SlugField(required=False, max_length=40, widget=forms.HiddenInput)


DocumentRows = rows_of(DocumentForm, most=MOST_DOCUMENTS, extra=2)
MemberRows = rows_of(MemberForm, most=MOST_MEMBERS, extra=2)
QuestionRows = rows_of(QuestionForm, most=MOST_QUESTIONS, extra=2)


class MomentField(forms.DateTimeField):
    """A date and time in the reader's time zone."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(required=False, widget=widget, **kwargs)
        # Beyond this range, the day may not exist in another time zone.
        sentence = _("Choose a day between 2000 and 2200.")
        self.validators += [MinValueValidator(FIRST_DAY, sentence), MaxValueValidator(LAST_DAY, sentence)]


class ClaimProfileForm(TextGuard, ModelForm):
    """A claim profile with everything that it lists. `cleaned_data` holds the arguments of the action."""

    data: dict[str, Any]
    IMPLIED: ClassVar = {"scope": ["product", "devices"], "questions": ["form"]}
    LIST_LABELS: ClassVar = {
        "documents": _("Documents"),
        "members": _("Additional members"),
        "questions": _("Short form"),
    }
    max_claims = forms.IntegerField(
        label=_("Max claims"),
        required=False,
        min_value=0,
        max_value=MOST_CLAIMS,
        help_text=_(
            "How often it can be claimed. Leave empty (or 0) for no limit. Ownership of listed devices can only be "
            "claimed once."
        ),
    )
    valid_from = MomentField(label=_("Valid from"))
    valid_until = MomentField(label=_("Valid until"))
    devices = forms.CharField(
        label=_("Devices"),
        required=False,
        max_length=40_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "mono"}),
        help_text=_("Serial numbers or device names, one per line. Every claim includes all of them."),
    )

    class Meta:
        model = ClaimProfile
        formfield_callback = closed_field
        fields = [
            "name",
            "slug",
            "description",
            "scope",
            "product",
            "grant",
            "is_enabled",
            "max_claims",
            "valid_from",
            "valid_until",
            "domain",
            "additional_project",
        ]
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "scope": forms.RadioSelect,
            "grant": forms.RadioSelect,
        }

    def __init__(self, data: Any = None, *, actor: Actor, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.actor, self.has_codes = actor, False
        self._limit_choices()
        profile = self.instance
        self.documents = DocumentRows(data, prefix="documents", initial=self._listed("documents"))
        self.members = MemberRows(data, prefix="members", initial=self._listed("members"), actor=actor)
        self.questions = QuestionRows(data, prefix="questions", initial=self._listed("questions"))
        self.lists = {"documents": self.documents, "members": self.members, "questions": self.questions}
        if profile.pk:
            self.initial["devices"] = "\n".join(_names(profile, actor))
            self.has_codes = profile.codes.exists()  # unscoped: limited to a visible profile
            for name in ("scope", "product") if self.has_codes else ():
                self.fields[name].disabled = True

    def is_valid(self) -> bool:
        rows = [rows.is_valid() for rows in (self.documents, self.members, self.questions)]
        return super().is_valid() and all(rows)

    def clean_slug(self) -> str:
        return self.cleaned_data["slug"].lower()

    def clean_max_claims(self) -> int | None:
        limit = self.cleaned_data["max_claims"] or None
        if limit is not None and limit < self.instance.claim_count:
            raise ValidationError(profiles.below_count(self.instance.claim_count))
        return limit

    def clean_devices(self) -> list[Device]:
        if self.cleaned_data.get("scope") == Scope.UNIT:
            # The field is hidden in this case: each code belongs to its own device.
            return []
        lines = {fold(line): clean_text(line) for line in self.cleaned_data["devices"].splitlines() if line.strip()}
        if len(lines) > MOST_DEVICES:
            raise ValidationError(_("A claim can include at most %(n)d devices."), params={"n": MOST_DEVICES})
        return _find(lines, self.actor)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        name = cleaned.get("name", "")
        if "slug" not in self.errors and name:
            cleaned["slug"] = self._slug(cleaned.get("slug", ""), name)
            slugs.refuse_number(self)
        if cleaned.get("scope") == Scope.LINK:
            cleaned["product"] = None
        start, end = cleaned.get("valid_from"), cleaned.get("valid_until")
        if start and end and end <= start:
            self.add_error("valid_until", _("The end must be after the start."))
        self._take_rows(cleaned)
        return cleaned

    def _post_clean(self) -> None:
        """Skip building the instance: the form only validates, and the action writes the row."""

    def _listed(self, name: str) -> list[dict[str, Any]]:
        profile = self.instance
        if not profile.pk:
            return []
        if name == "documents":
            return list(profile.resources.filter(kind=ResourceKind.DOCUMENT).values("title", "link"))
        if name == "members":
            # unscoped: limited to a visible profile
            return list(profile.members.filter(member__removed_at=None).order_by("pk").values("member", "role"))
        return profile.form

    def _limit_choices(self) -> None:
        fields, actor = self.fields, self.actor
        products = Product.objects.visible_to(actor)
        known = Q(archived_at=None) | Q(pk=self.instance.product_id)
        fields["product"].queryset = products.filter(known).order_by("name_key")
        fields["product"].empty_label = _now("None: select devices in the device list")
        fields["product"].help_text = _("Every device of the product gets a code, including those registered later.")
        fields["domain"].queryset = actor.organization.domains.order_by("host")
        fields["domain"].empty_label = _now("Any address of this server")
        fields["domain"].help_text = _("The codes only work there.")
        internal = Project.objects.visible_to(actor).filter(customer__kind=CustomerKind.INTERNAL)
        open_ones = Q(customer__archived_at=None) | Q(pk=self.instance.additional_project_id)
        fields["additional_project"].queryset = internal.filter(open_ones).select_related("customer").order_by("name")
        fields["additional_project"].empty_label = _now("None")
        fields["additional_project"].label_from_instance = _project_label
        fields["slug"].required = False
        fields["slug"].help_text = _("Used in links and the API. Leave empty to generate it from the name.")
        fields["scope"].choices = [
            (Scope.LINK, _("One shared code: anyone who has it can claim what is listed")),
            (Scope.UNIT, _("One code per device: each claims the device that it is printed on")),
        ]
        fields["grant"].choices = [
            (Grant.OWNERSHIP, _("Ownership: one customer owns the device, and nobody else sees its data")),
            (Grant.ACCESS, _("Access: customers see the device, and its owner stays the same")),
        ]

    def _slug(self, slug: str, name: str) -> str:
        if not slug:
            return profiles.propose_slug(name, by=self.actor, besides=self.instance.pk)
        others = ClaimProfile.objects.visible_to(self.actor).exclude(pk=self.instance.pk)
        if others.filter(slug=slug).exists():
            self.add_error("slug", _("Another claim profile has this identifier."))
        return slug

    def _take_rows(self, cleaned: dict[str, Any]) -> None:
        """Put the rows into `cleaned_data` in the action's format. Does nothing if a row is invalid."""
        if not all(rows.is_valid() for rows in (self.documents, self.members, self.questions)):
            return
        cleaned["documents"] = [(row["title"], row["link"]) for row in self.documents.filled]
        cleaned["members"] = [(row["member"], row["role"]) for row in self.members.filled]
        if len({member.pk for member, _role in cleaned["members"]}) < len(cleaned["members"]):
            self.add_error(None, _("A member is listed twice. Remove one of the lines."))
        cleaned["form"] = _questions(self.questions.filled)


class UnitsForm(TextGuard, forms.Form):
    """The profile in which the selected devices get codes: an existing one, or a new one by name."""

    profile: "forms.ModelChoiceField[ClaimProfile]" = forms.ModelChoiceField(
        None,
        label=_("Claim profile"),
        required=False,
        blank=True,
        widget=forms.RadioSelect,
        empty_label=_("A new profile, named below"),
    )
    name = forms.CharField(label=_("Name of the new profile"), max_length=120, required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = ClaimProfile.objects.visible_to(actor).filter(scope=Scope.UNIT, product=None)
        self.fields["profile"].queryset = rows.order_by("name_key", "pk")
        if not rows.exists():
            self.fields["profile"].widget = forms.HiddenInput()
            self.fields["name"].required = True
            self.fields["name"].label = _("Name of the claim profile")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and not cleaned.get("profile") and not cleaned.get("name"):
            self.add_error("name", _("Choose a profile, or name a new one."))
        return cleaned


def _find(lines: dict[str, str], actor: Actor) -> list[Device]:
    """Return the devices that the lines name, in order. Raises ValidationError with a message per kind of error."""
    found: dict[str, dict[int, Device]] = {key: {} for key in lines}
    rows = Device.objects.visible_to(actor).filter(Q(serial_key__in=lines) | Q(name_key__in=lines)).order_by("pk")
    for device in rows:
        for key in {device.serial_key, device.name_key} & set(lines):
            found[key][device.pk] = device
    unfit = [
        lines[key]
        for key, devices in found.items()
        if len(devices) == 1 and any(d.archived_at or d.status == DeviceStatus.SCRAPPED for d in devices.values())
    ]
    faults = [
        (_now("Not found: %s."), [lines[key] for key, devices in found.items() if not devices]),
        (
            _now("Several devices match %s. Enter the device name instead."),
            [lines[key] for key, devices in found.items() if len(devices) > 1],
        ),
        (_now("Archived or scrapped: %s."), unfit),
    ]
    errors = [ValidationError(sentence % _listed(names)) for sentence, names in faults if names]
    if errors:
        raise ValidationError(errors)
    return list({device.pk: device for devices in found.values() for device in devices.values()}.values())


def _listed(names: list[str]) -> str:
    rest = len(names) - NAMED
    listed = ", ".join(name[:64] for name in names[:NAMED])
    return listed + ngettext(" and %d more", " and %d more", rest) % rest if rest > 0 else listed


def _names(profile: ClaimProfile, actor: Actor) -> list[str]:
    """Return how the form names each device of the profile: by serial number or, if that is ambiguous, by name."""
    devices = [r.device for r in profile.resources.exclude(device=None).select_related("device") if r.device]
    keys = [device.serial_key for device in devices]
    others = Device.objects.visible_to(actor).exclude(pk__in=[device.pk for device in devices])
    same = others.filter(Q(serial_key__in=keys) | Q(name_key__in=keys)).values_list("serial_key", "name_key")
    twins = {key for pair in same for key in pair} | {key for key in keys if keys.count(key) > 1}
    return [device.device_name if device.serial_key in twins else device.serial_number for device in devices]


def _questions(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the questions of the short form, each with a unique name."""
    asked: list[dict[str, Any]] = []
    for row in rows:
        base = row["name"] or slugify(row["label"])[:36] or "field"
        taken = {each["name"] for each in asked}
        name = next(n for n in (base, *(f"{base}-{i}" for i in range(2, 99))) if n not in taken)
        asked.append({"name": name, "label": row["label"], "required": row["required"]})
    return asked


def _project_label(project: Project) -> str:
    same = project.name == project.customer.name
    return project.name if same else f"{project.customer} · {project}"

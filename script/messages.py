"""Extracts the messages of customers' pages from the sources, for `script/messages` and the translation's test.

The console itself is in English. This module lists the pages that customers see, and the pages around them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
from django.conf import settings
from django.template import engines
from django.template.base import Node
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.translation import trim_whitespace

ROOT = Path(__file__).resolve().parent.parent
PO = ROOT / "locale/de/LC_MESSAGES/django.po"
# The pages that customers see: all of their messages must be translated.
CUSTOMERS = [
    "templates/portal.html",
    "templates/portal/*",
    "templates/claims/redemption/*",
    "templates/mail/customer*",
    "templates/account/request_login_code.html",
    "templates/account/confirm_login_code.html",
    "templates/account/email/login_code_*",
    "templates/account/email/unknown_account_*",
    "templates/components/messages.html",
    "templates/components/field.html",
    "claims/redemption/offers.py",
    "claims/redemption/session.py",
    "claims/redemption/forms.py",
    "claims/redemption/views.py",
    "claims/shipments/parcels.py",
    "claims/returns/actions/returns.py",
    "claims/returns/request_forms.py",
    "claims/portal/returns.py",
    "claims/returns/choices.py",
    "claims/returns/slips.py",
    "claims/paper/fonts.py",
    "claims/portal/return_views.py",
    "claims/portal/key_views.py",
    "claims/portal/access_views.py",
    "customers/models/people.py",
    "customers/projects/actions/members.py",
    "customers/projects/actions/projects.py",
    "customers/projects/forms.py",
    "devices/models/ownership.py",
    "customers/keys/forms.py",
    "customers/keys/pages.py",
    "customers/keys/actions/api_keys.py",
    "templates/components/copy_once.html",
    "templates/customers/keys/_api_key_revoke.html",
    "templates/customers/keys/_api_key_state.html",
    "templates/customers/keys/_api_key_text.html",
    "templates/customers/keys/_api_key_shown.html",
    "templates/devices/calls/_call*.html",
    "devices/calls/forms.py",
    "devices/calls/actions.py",
    "devices/models/call.py",
    "claims/redemption/actions/redemption.py",
    "customers/people/actions/newcomers.py",
    "devices/ledger.py",
    "devices/messages/exports.py",
    "console/people/adapters.py",
    "console/people/allowances.py",
    "console/editing.py",
    "console/export.py",
    "console/places.py",
    "console/throttle.py",
    "console/transactions.py",
]
# The pages around them: sign-in with a password, a person's own account, errors.
AROUND = [
    "templates/entrance.html",
    "templates/account/**/*",
    "templates/mfa/**/*",
    "templates/mail/*",
    "templates/base.html",
    "templates/components/*_menu.html",
    "templates/components/form.html",
    "templates/console/people/account_edit.html",
    "templates/console/people/second_factor.html",
    "templates/console/plain.html",
    "templates/console/refused.html",
    "templates/console/_refused.html",
    "templates/console/setup.html",
    "templates/console/people/invitation_accept.html",
    "templates/console/people/invitation_closed.html",
    "console/middleware.py",
    "console/views/errors.py",
    "console/people/account_views.py",
    "console/access.py",
    "console/forms.py",
    "console/navigation.py",
    "customers/navigation.py",
    "devices/navigation.py",
    "claims/navigation.py",
    "console/templatetags/custody.py",
    "devices/templatetags/devices.py",
    "console/settings.py",
]
CALLS = {"_", "_now", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
Message = tuple[str, str]
# A translated argument of a tag: {% fact _("Owner") %}.
TAG, MARKED = re.compile(r"{%.*?%}"), re.compile(r'\b_\("([^"]+)"\)')


def extract(patterns: list[str]) -> dict[Message, list[str]]:
    """Return every message as (singular, plural or empty), with the files that contain it."""
    found: dict[Message, list[str]] = {}
    for path in sorted({path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}):
        read = in_python if path.suffix == ".py" else in_template
        for message in read(path):
            names = found.setdefault(message, [])
            if (name := str(path.relative_to(ROOT))) not in names:
                names.append(name)
    return found


def in_template(path: Path) -> Iterator[Message]:
    """Yield the messages that a template marks for translation, as they are looked up when it is rendered."""
    source = path.read_text()
    for text in MARKED.findall("".join(TAG.findall(source))):
        yield text, ""
    template = engines["django"].engine.from_string(source)
    for node in template.nodelist.get_nodes_by_type(Node):
        if isinstance(node, TranslateNode):
            yield str(node.filter_expression.var.literal), ""
        elif isinstance(node, BlockTranslateNode):
            trim = trim_whitespace if node.trimmed else str
            plural = trim(node.render_token_list(node.plural)[0]) if node.plural else ""
            yield trim(node.render_token_list(node.singular)[0]), plural


def in_python(path: Path) -> Iterator[Message]:
    """Yield the messages that a module passes to gettext."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if texts:
                yield texts[0], texts[1] if node.func.id.startswith("ngettext") else ""


def update() -> list[str]:
    """Update the .po file from the sources, keep its translations, and compile it.

    Returns the untranslated messages.
    """
    known = {(entry.msgid, entry.msgid_plural): entry for entry in polib.pofile(str(PO))} if PO.exists() else {}
    book = polib.POFile(wrapwidth=110)
    book.metadata = {
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Language": "de",
        "MIME-Version": "1.0",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
        "Project-Id-Version": "Custody",
    }
    for (one, many), names in extract(CUSTOMERS + AROUND).items():
        past = known.get((one, many))
        entry = polib.POEntry(msgid=one, msgid_plural=many, occurrences=[(name, "") for name in names])
        if many:
            entry.msgstr_plural = past.msgstr_plural if past else {0: "", 1: ""}
        else:
            entry.msgstr = past.msgstr if past else ""
        if "%(" in one + many:
            entry.flags.append("python-format")
        book.append(entry)
    PO.parent.mkdir(parents=True, exist_ok=True)
    book.save(str(PO))
    book.save_as_mofile(str(PO.with_suffix(".mo")))
    return [entry.msgid for entry in book if not entry.translated()]


if __name__ == "__main__":
    import django

    django.setup()
    assert settings.USE_I18N
    for text in update():
        print("untranslated:", text)

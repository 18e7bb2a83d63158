"""Who signs in, how often he may try, and when a sign-in ends; tokens against forged requests; nothing without sign-in.

Shape: `init_security(app)` after `init_shell`. Flask-Security checks the password and draws its forms; operators are
`rights.User` records and change through the gateway like all others. A sign-in is a row of `operator_session`: the
cookie carries a random token, the table its hash, so that a copied cookie dies with the row. Every route needs a
signed-in operator (`g.operator`) unless its view is marked `open_to_all`.
Units: waiting times in seconds, sessions in hours. Errors: whoever is not signed in is sent to the sign-in page,
scripts get 401; a form whose token is no longer good comes back with everything that was typed, to be sent again.
Source: trust.md 1 D and E, 2 A; OWASP (argon2id with 19 MiB and 2 passes, counter per account, never a lock for good).
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import logging
import secrets
import unicodedata
import uuid
from typing import Any

import flask
import flask_login  # type: ignore[import-untyped]
from flask import Flask, Response, current_app, g, request, session
from flask_security import LoginForm, PasswordUtil, Security, UserDatastore, UserMixin
from flask_security.signals import user_authenticated
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import BadSignature, URLSafeSerializer
from peewee import OperationalError
from wtforms import Form, PasswordField, StringField, SubmitField

from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import Prepared, engine, transaction, utcnow, waiting
from flask_appadmin.errors import AppAdminError, FaultList, FieldError
from flask_appadmin.i18n import _, gettext, ngettext, set_locale
from flask_appadmin.passwords import (
    MEMORY_KIB,
    PASSES,
    PASSWORD_LENGTHS,
    hash_secret,
    password_faults,
    username_of,
)
from flask_appadmin.rights import Operator, OperatorSession, Role, SignInAttempt, User, operator_of
from flask_appadmin.shell import answer, safe_path, set_defaults, shell_of, wants_json
from flask_appadmin.specs import spec_of

#: So many wrong passwords cost nothing; each further one doubles the wait, up to the longest.
_FREE_FAILURES = 3
_FREE_FAILURES_OF_ADDRESS = 20
_LONGEST_WAIT = 25
#: After this time without a try a row of failures is forgotten.
_FORGET_AFTER = datetime.timedelta(hours=1)

#: A sign-in form is a few hundred bytes.
_SIGN_IN_BYTES = 16 * 1024

_TOKEN = "sign_in"
_PASSWORD = "sign_in_password"
_DEVICE = "appadmin_device"

csrf = CSRFProtect()

log = logging.getLogger("appadmin.security")


def open_to_all(view: Any) -> Any:
    """Marks a view that needs no sign-in."""
    view.open_to_all = True
    return view


# --- passwords and operators ------------------------------------------------------------------------------------------


def add_user(
    username: str, password: str, role: str, operator: Operator, *, full_name: str = "", source: str = ""
) -> int:
    """A new operator; answers the key. Raises FaultList with everything that is wrong."""
    faults: list[AppAdminError] = []
    spec = spec_of(User)
    name = username_of(username)
    try:
        spec.field("username").check(username)
    except FieldError as fault:
        faults.append(fault)
    faults += [FieldError(spec.field("password"), None, sentence) for sentence in password_faults(password, name)]
    found = Role.get_or_none(Role.name == role)
    if found is None:
        known = ", ".join(row.name for row in Role.select(Role.name).order_by(Role.name))
        faults.append(
            FieldError(
                spec.field("role"), role, gettext("gibt es nicht"), gettext("Vorhanden sind: %(names)s.", names=known)
            )
        )
    if faults:
        raise FaultList(faults)
    change = ChangeSet("setup", source=source, title=gettext("Benutzer %(name)s angelegt", name=name))
    made = change.create(
        User,
        {
            "username": name,
            "full_name": full_name or None,
            "password": hash_secret(password),
            "role": found.id,
            "active": True,
            "locale": "de",
            "fs_uniquifier": uuid.uuid4().hex,
        },
    )
    change.apply(operator)
    return made.key or 0


def set_password(user_id: int, password: str, operator: Operator, *, source: str = "") -> None:
    """Gives an operator another password and ends all his sign-ins; raises FaultList for a bad one."""
    user = User.get_by_id(user_id)
    faults = password_faults(password, user.username)
    if faults:
        raise FaultList([FieldError(spec_of(User).field("password"), None, sentence) for sentence in faults])
    change = ChangeSet("setup", source=source, title=gettext("Passwort von %(name)s geändert", name=user.username))
    change.update(User, user_id, {"password": hash_secret(password), "fs_uniquifier": uuid.uuid4().hex})
    change.apply(operator)
    end_sessions(user_id)


def end_sessions(user_id: int | None = None) -> int:
    """Ends all sign-ins of an operator, of everybody without one; answers how many there were."""
    ended = OperatorSession.update(ended_at=utcnow()).where(OperatorSession.ended_at.is_null())
    return int((ended if user_id is None else ended.where(OperatorSession.user == user_id)).execute())


# --- Flask-Security on our users --------------------------------------------------------------------------------------


class Account(UserMixin):
    """A user record as Flask-Security wants to see it."""

    fs_uniquifier: Any = None

    def __init__(self, record: User) -> None:
        self.record = record
        self.id = record.id
        self.username: str = record.username
        self.password = record.password
        self.active = record.active
        self.fs_uniquifier = record.fs_uniquifier
        # Rights are asked of the operator (rights.py), never of Flask-Security.
        self.roles = []


class _Users(UserDatastore):
    """Finds accounts; what Flask-Security wants changed goes through the gateway."""

    def __init__(self) -> None:
        super().__init__(Account, Role)

    def find_user(self, case_insensitive: bool = False, **wanted: Any) -> Account | None:
        (name, value), *_rest = wanted.items()
        query = User.select(User, Role).join(Role)
        if name == "username":
            query = query.where(User.username.in_({username_of(value), value.strip()}))
        else:
            query = query.where(getattr(User, name) == value)
        record = query.first()
        return Account(record) if record is not None else None

    def find_role(self, role: str) -> Any:
        return Role.get_or_none(Role.name == role)

    def put(self, account: Any) -> Any:
        change = ChangeSet("setup", title=gettext("Passwort von %(name)s geändert", name=account.username))
        change.update(User, account.id, {"password": account.password, "fs_uniquifier": account.fs_uniquifier})
        change.apply(operator_with(account.record, {"user.edit"}))
        return account

    def commit(self) -> None:
        """Each change is its own transaction."""


def operator_with(record: User, rights: set[str]) -> Operator:
    """The operator behind a record for a change of his own account, which needs no right over others."""
    own = operator_of(record)
    return Operator(own.user_id, own.name, own.rights | rights, own.role)


class _Passwords(PasswordUtil):
    """The rules for new passwords, as Flask-Security asks for them."""

    def validate(self, password: str, is_register: bool, **about: Any) -> tuple[list[str] | None, str]:
        user = about.get("user")
        return password_faults(password, getattr(user, "username", "")) or None, self.normalize(password)


class SignInForm(LoginForm):
    """User name and password. Whatever is wrong, it says the same, after the same time."""

    email = None
    remember = None
    username = StringField(_("Benutzername"), render_kw={"autocomplete": "username", "autocapitalize": "none"})
    password = PasswordField(_("Passwort"), render_kw={"autocomplete": "current-password"})
    submit = SubmitField(_("Anmelden"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.next.data = safe_path(self.next.data)

    def validate(self, **options: Any) -> bool:
        if not Form.validate(self, **options):
            return False
        name, password = self.username.data or "", self.password.data or ""
        account = None
        if "\x00" not in name + password and len(password) <= PASSWORD_LENGTHS[1] and 0 < len(name) <= 60:
            account = _users().find_user(username=name)
        if account is None:
            # An unknown name takes as long as a known one.
            hash_secret(password[: PASSWORD_LENGTHS[1]])
        elif account.verify_and_update_password(unicodedata.normalize("NFC", password)) and account.active:
            self.user = account
            self.user_authenticated = True
            self.ifield = self.username
            self.requires_confirmation = False
            return True
        log.warning("authn_login_fail user=%s", account.id if account else "unknown")
        self.form_errors.append(
            gettext("Benutzername oder Passwort stimmen nicht. Bitte versuchen Sie es noch einmal.")
        )
        return False


def _users() -> _Users:
    found: _Users = current_app.extensions["security"].datastore
    return found


# --- how often one may try --------------------------------------------------------------------------------------------


class TooManyTries(AppAdminError):
    """Too many wrong passwords; says how long to wait."""

    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def sentence(self) -> str:
        return ngettext(
            "Nach mehreren Fehlversuchen ist die nächste Anmeldung in %(count)s Sekunde möglich.",
            "Nach mehreren Fehlversuchen ist die nächste Anmeldung in %(count)s Sekunden möglich.",
            self.seconds,
        )


def waiting_time(failures: int, free: int = _FREE_FAILURES) -> int:
    """Seconds between two tries after this many failures in a row.

    >>> [waiting_time(failures) for failures in (0, 3, 4, 5, 6, 7, 8, 9, 90)]
    [0, 0, 1, 2, 4, 8, 16, 25, 25]
    """
    return 0 if failures <= free else min(_LONGEST_WAIT, 2 ** min(failures - free - 1, 10))


def take_try(key: str, free: int = _FREE_FAILURES) -> None:
    """Counts a try before it is made, so that many at once count too; raises TooManyTries while it is too early.

    `clear_tries` takes the count back once the password was right.
    """
    name_hash = hashlib.sha256(key.encode()).hexdigest()
    now = utcnow()
    with transaction():
        query = SignInAttempt.select().where(SignInAttempt.name_hash == name_hash)
        found = (query.for_update() if engine() == "postgresql" else query).first()
        if found is None:
            SignInAttempt.insert(name_hash=name_hash, failures=1, last_at=now).on_conflict_ignore().execute()
            return
        failures = 0 if now - found.last_at > _FORGET_AFTER else found.failures
        left = waiting_time(failures, free) - int((now - found.last_at).total_seconds())
        if left > 0:
            raise TooManyTries(left)
        SignInAttempt.update(failures=failures + 1, last_at=now).where(SignInAttempt.id == found.id).execute()


def clear_tries(key: str) -> None:
    SignInAttempt.delete().where(SignInAttempt.name_hash == hashlib.sha256(key.encode()).hexdigest()).execute()


def forget_old_tries() -> int:
    """Removes counters that no longer count; housekeeping."""
    return int(SignInAttempt.delete().where(SignInAttempt.last_at < utcnow() - _FORGET_AFTER).execute())


def _try_keys(name: str) -> list[tuple[str, int]]:
    """The counters of one try: the name's, or that of a device which signed in with it before; and the address's."""
    device = _known_device(name)
    own = f"device:{device}" if device else f"name:{username_of(name)[:60]}"
    return [(own, _FREE_FAILURES), (f"address:{request.remote_addr}", _FREE_FAILURES_OF_ADDRESS)]


def _device_serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="device")


def _known_device(name: str) -> str:
    """The mark of this browser if this operator signed in with it before: others' failures do not slow him down."""
    try:
        device, known = _device_serializer().loads(request.cookies.get(_DEVICE, ""))
    except (BadSignature, ValueError, TypeError):
        return ""
    return f"{device}:{known}" if known == username_of(name) else ""


# --- sign-ins ---------------------------------------------------------------------------------------------------------


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _password_mark(user: Any) -> str:
    """Which password a sign-in was made with; tells nothing of the hash it is made of."""
    return hashlib.sha256(f"{user.fs_uniquifier}{user.password}".encode()).hexdigest()[:32]


def _start_session(_app: Any, user: Account, **_more: Any) -> None:
    """After a right password: a new token, whatever stood in the cookie before; the counters start anew."""
    kept = {name: session[name] for name in ("_user_id", "_fresh", "_id", "fs_paa", "fs_cc") if name in session}
    if session.get("seen_by") == user.id:
        # The same operator after a break: his lists stand where he left them.
        kept |= {name: session[name] for name in session if name in ("seen_by", "walk") or name.startswith("list:")}
    _end_session()
    session.clear()
    session.update(kept)
    g.pop("csrf_token", None)
    token = secrets.token_urlsafe(32)
    now = utcnow()
    OperatorSession.insert(token_hash=_token_hash(token), user=user.id, started_at=now, seen_at=now).execute()
    session[_TOKEN] = token
    session[_PASSWORD] = _password_mark(user)
    for key, _free in _try_keys(user.username):
        clear_tries(key)
    log.info("authn_login_success user=%s", user.id)
    device = _device_serializer().dumps([secrets.token_urlsafe(12), username_of(user.username)])
    secure = bool(current_app.config.get("SESSION_COOKIE_SECURE"))

    @flask.after_this_request
    def remember_device(response: Response) -> Response:
        response.set_cookie(
            _DEVICE, device, max_age=180 * 24 * 3600, httponly=True, samesite="Lax", secure=secure, path="/"
        )
        return response


def _end_session(*_signal: Any, **_more: Any) -> None:
    token = session.pop(_TOKEN, None)
    if token:
        ended = OperatorSession.update(ended_at=utcnow()).where(OperatorSession.token_hash == _token_hash(token))
        ended.execute()


_USER_FIELDS = tuple(item.name for item in User._meta.sorted_fields)
_ROLE_FIELDS = tuple(item.name for item in Role._meta.sorted_fields)

#: The sign-in of a token that has not ended: its key and times, its user and the user's role.
_running_session = Prepared(
    lambda token_hash: (
        OperatorSession.select(OperatorSession.id, OperatorSession.started_at, OperatorSession.seen_at, User, Role)
        .join(User)
        .join(Role)
        .where(OperatorSession.token_hash == token_hash, OperatorSession.ended_at.is_null())
    ),
    blanks=1,
)


def _account_of_session(user_id: str) -> Account | None:
    """The account of a cookie whose sign-in still runs; anything else is nobody."""
    token = session.get(_TOKEN)
    if not token:
        return None
    now = utcnow()
    idle = datetime.timedelta(hours=float(current_app.config["SESSION_IDLE_HOURS"]))
    longest = datetime.timedelta(hours=float(current_app.config["SESSION_HOURS"]))
    row = next(iter(_running_session(_token_hash(token))), None)
    if row is None:
        return None
    key, started_at, seen_at, *rest = row
    if seen_at < now - idle or started_at < now - longest:
        return None
    role = Role(**dict(zip(_ROLE_FIELDS, rest[len(_USER_FIELDS) :], strict=True)))
    user = User(**{**dict(zip(_USER_FIELDS, rest[: len(_USER_FIELDS)], strict=True)), "role": role})
    # A new password ends all sign-ins, whoever set it: form, file or command line.
    if not user.active or user.fs_uniquifier != user_id or session.get(_PASSWORD) != _password_mark(user):
        return None
    if now - seen_at > min(idle / 10, datetime.timedelta(minutes=5)):
        _note_seen(key, now)
    return Account(user)


def _note_seen(key: int, now: datetime.datetime) -> None:
    """Keeps the sign-in alive. A page that only reads does not wait for a writer to finish: the next one notes it."""
    with contextlib.suppress(OperationalError), waiting(0):
        OperatorSession.update(seen_at=now).where(OperatorSession.id == key).execute()


# --- the gate in front of all routes ----------------------------------------------------------------------------------


def _require_sign_in() -> Any:
    g.operator = None
    if request.routing_exception is not None:
        return None
    endpoint = request.endpoint or ""
    view = current_app.view_functions.get(endpoint)
    if endpoint == "static" or endpoint.endswith(".static") or getattr(view, "needs_no_database", False):
        return None
    account = flask_login.current_user
    if account.is_authenticated:
        g.operator = operator_of(account.record)
        set_locale(account.record.locale)
    if endpoint == "security.login":
        return _before_sign_in()
    if g.operator is not None or endpoint == "security.logout" or getattr(view, "open_to_all", False):
        return None
    return _not_signed_in()


def _not_signed_in() -> Any:
    sentence = gettext("Bitte melden Sie sich an.")
    if wants_json():
        return answer(401, gettext("Nicht angemeldet"), sentence)
    if request.method in ("GET", "HEAD"):
        path = safe_path(request.full_path.rstrip("?"))
        home = path in ("", "/", shell_of(current_app).home_url)
        return flask.redirect(flask.url_for("security.login", next=None if home else path))
    return _send_again(
        401,
        gettext("Ihre Anmeldung ist abgelaufen"),
        gettext(
            "Es wurde nichts gespeichert, Ihre Eingaben sind noch da: Melden Sie sich in einem neuen Fenster an, "
            "kommen Sie auf diese Seite zurück und drücken Sie „Erneut senden“."
        ),
        sign_in=True,
    )


def _before_sign_in() -> Any:
    wanted = request.args.get("next")
    if wanted and not safe_path(wanted):
        return flask.redirect(flask.url_for("security.login"))
    if request.method != "POST":
        return None
    if (request.content_length or 0) > _SIGN_IN_BYTES or any("\x00" in value for value in request.form.values()):
        return answer(400, gettext("Das geht so nicht"), gettext("Die Anfrage war nicht zu verstehen."))
    try:
        for key, free in _try_keys(request.form.get("username", "")):
            take_try(key, free)
    except TooManyTries as fault:
        if wants_json():
            refused = answer(429, "", fault.sentence())
        else:
            form = SignInForm(formdata=None)
            form.username.data = request.form.get("username", "")[:60]
            form.form_errors = [fault.sentence()]
            page = flask.render_template("security/login_user.html", login_user_form=form)
            refused = Response(page, 429, content_type="text/html; charset=utf-8")
        refused.headers["Retry-After"] = str(fault.seconds)
        return refused
    return None


def _answer_forged(fault: CSRFError) -> Any:
    if g.get("operator") is None and request.endpoint != "security.login":
        return _not_signed_in()
    sentence = gettext(
        "Die Seite war zu lange offen, oder Sie haben sich inzwischen neu angemeldet. Es wurde nichts gespeichert. "
        "Ihre Eingaben sind noch da: Drücken Sie „Erneut senden“."
    )
    if wants_json():
        # There is no page with such a button: the one that sent this must be loaded anew for its token.
        sentence = gettext(
            "Die Seite war zu lange offen, oder Sie haben sich inzwischen neu angemeldet. Es wurde nichts gespeichert. "
            "Bitte laden Sie die Seite neu."
        )
    return _send_again(400, gettext("Bitte noch einmal bestätigen"), sentence)


def _send_again(status: int, title: str, sentence: str, *, sign_in: bool = False) -> Response:
    """The page of a refused form: everything typed is kept in it and can be sent again with one button."""
    if wants_json():
        return answer(status, title, sentence)
    if request.endpoint == "security.login":
        # Nobody keeps a password in a page.
        return flask.make_response(flask.redirect(flask.url_for("security.login")))
    left_out = ("csrf_token", "password", "new_password", "new_password_confirm")
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in left_out]
    page = flask.render_template(
        "appadmin/send_again.html",
        brand=shell_of(current_app).brand,
        page_title=title,
        text=sentence,
        address=safe_path(request.full_path.rstrip("?"), shell_of(current_app).home_url),
        fields=fields,
        files=[upload.filename for upload in request.files.values() if upload.filename],
        sign_in_url=flask.url_for("security.login") if sign_in else "",
    )
    return Response(page, status, content_type="text/html; charset=utf-8")


def init_security(app: Flask) -> Security:
    """Sign-in, sessions and tokens for an application that has its shell."""
    secure = bool(app.config.get("SESSION_COOKIE_SECURE"))
    shell = shell_of(app)
    defaults = {
        "SESSION_IDLE_HOURS": 8,
        "SESSION_HOURS": 24,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_PROTECTION": None,
        # The token lives as long as the sign-in; forms may stay open over lunch.
        "WTF_CSRF_TIME_LIMIT": None,
        "SECURITY_USER_IDENTITY_ATTRIBUTES": [{"username": {"mapper": username_of, "case_insensitive": True}}],
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SINGLE_HASH": ["argon2"],
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {
            "argon2__type": "ID",
            "argon2__time_cost": PASSES,
            "argon2__memory_cost": MEMORY_KIB,
            "argon2__parallelism": 1,
        },
        "SECURITY_PASSWORD_NORMALIZE_FORM": "NFC",
        "SECURITY_PASSWORD_LENGTH_MIN": PASSWORD_LENGTHS[0],
        "SECURITY_POST_LOGIN_VIEW": shell.home_url,
        "SECURITY_POST_LOGOUT_VIEW": "/login",
        "SECURITY_FLASH_MESSAGES": False,
        "SECURITY_REDIRECT_ALLOW_SUBDOMAINS": False,
        "SECURITY_STATIC_FOLDER": None,
    }
    set_defaults(app, defaults)
    app.config["SESSION_COOKIE_NAME"] = "__Host-session" if secure else "session"
    # Before CSRFProtect, so that a request without sign-in is told so, and its form comes back.
    app.before_request(_require_sign_in)
    csrf.init_app(app)
    app.register_error_handler(CSRFError, _answer_forged)
    security = Security(app, _Users(), login_form=SignInForm, password_util_cls=_Passwords, register_blueprint=True)
    manager = app.login_manager  # type: ignore[attr-defined]
    manager.user_loader(_account_of_session)
    # No tokens in addresses or headers: a sign-in is a cookie.
    manager._request_callback = lambda _request: None
    user_authenticated.connect(_start_session, app)
    flask_login.user_logged_out.connect(_end_session, app)
    for name in ("security.login", "security.logout"):
        open_to_all(app.view_functions[name])
    return security


def unguarded_endpoints(app: Flask) -> list[str]:
    """The routes anybody may call: for checks and tests."""
    return sorted(
        name
        for name, view in app.view_functions.items()
        if getattr(view, "open_to_all", False) or getattr(view, "needs_no_database", False)
    )

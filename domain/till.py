"""What happens at the tills: receipts, promotions, bonus settlements, and the feed of customers.

Shape: a receipt has lines and ordered payments; a promotion may have a return coupon. Units: money in euro, points with
2 places. Source: NE-02, NE-20 to NE-32, NE-97 to NE-153.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from peewee import BooleanField, CharField, DateField, DateTimeField, ForeignKeyField, IntegerField

from domain.catalog import Article
from domain.dates import today
from domain.links import LaterForeignKey, Reference
from domain.money import line_value
from domain.rules import fault, missing
from domain.values.company import Branch, Employee
from flask_appadmin.changes import NewRecord, Written
from flask_appadmin.database import Record
from flask_appadmin.errors import FieldError, FilterError
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.filters import Part, register_part
from flask_appadmin.i18n import _, gettext
from flask_appadmin.rights import Operator, User, visible
from flask_appadmin.specs import Description, ModelSpec, ReferenceCache, described, spec_of


class Promotion(Record):
    """A promotion, with or without a return coupon."""

    description = Description(
        label=_("Aktion"),
        plural=_("Aktionen"),
        title=("number", "name"),
        menu="account",
        right="account",
        order=("number",),
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Aktionsnummer")),
        copy="clear",
        searchable=True,
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Aktion")), searchable=True, listed=True)
    has_return_coupon = described(BooleanField(default=False, verbose_name=_("Rücklaufcoupon")), listed=True)
    coupon_code = described(
        CharField(
            max_length=40,
            null=True,
            unique=True,
            verbose_name=_("Coupon-Code"),
            help_text=_("Nötig für Aktionen mit Rücklaufcoupon."),
        ),
        copy="clear",
        listed=True,
    )

    class Meta:
        table_name = "promotion"

    rule_fields = ("has_return_coupon", "coupon_code")

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        if values.get("has_return_coupon") and values.get("coupon_code") is None:
            yield missing(cls, "coupon_code", gettext("Zu einem Rücklaufcoupon gehört der Coupon-Code."))


class TillReceipt(Record):
    """A receipt of a till, with or without a known customer."""

    description = Description(
        label=_("Bon"), plural=_("Bons"), title=("number",), menu="account", right="account", order=("-receipt_at",)
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Bonnummer")),
        copy="clear",
        searchable=True,
        listed=True,
        natural_key=True,
    )
    customer = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Kunde")), copy="clear", listed=True
    )
    customer_card = described(
        LaterForeignKey("CustomerCard", index=True, null=True, verbose_name=_("Kundenkarte")), copy="clear"
    )
    branch = described(Reference(Branch, verbose_name=_("Filiale")), copy="clear", listed=True)
    receipt_at = described(DateTimeField(index=True, verbose_name=_("Zeitpunkt")), copy="clear", listed=True)
    seller = described(Reference(Employee, null=True, verbose_name=_("Verkäufer")), copy="clear", listed=True)
    staff_employee = described(Reference(Employee, null=True, verbose_name=_("Personalkauf")), copy="clear")
    coupon_code = described(CharField(max_length=40, null=True, verbose_name=_("Coupon-Code")), copy="clear")
    credit_redeemed = described(
        DecimalField(14, 2, null=True, default=Decimal(0), verbose_name=_("eingelöster Gutschriftswert")),
        unit="€",
        copy="clear",
    )

    class Meta:
        table_name = "till_receipt"

    rule_fields = ("staff_employee",)

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        """A staff purchase is booked for employees who are customers of the type „Mitarbeiter“ (NE-42)."""
        employee = values.get("staff_employee")
        if employee is None:
            return
        customers = cls.customer.rel_model
        known = customers.select().where(customers.employee == employee, customers.customer_type == "employee")
        if not known.exists():
            yield fault(
                cls,
                "staff_employee",
                gettext("ist kein Kunde vom Kundentyp „Mitarbeiter“"),
                Employee.get_by_id(employee).name,
                gettext("Bitte zuerst als Kunden anlegen; der Bon ist nicht verbucht."),
            )


class TillReceiptItem(Record):
    """A line of a till receipt."""

    description = Description(
        label=_("Bonposition"),
        plural=_("Bonpositionen"),
        title=("article", "quantity"),
        menu="",
        right="account",
        order=("id",),
    )

    till_receipt = described(
        ForeignKeyField(TillReceipt, backref="items", on_delete="CASCADE", verbose_name=_("Bon")),
        owner=True,
        copy="clear",
        listed=True,
    )
    kind = described(
        CharField(
            max_length=20,
            choices=[("sale", _("Verkauf")), ("exchange", _("Umtausch")), ("cancel", _("Storno"))],
            default="sale",
            verbose_name=_("Art"),
        ),
        copy="clear",
        listed=True,
        required=True,
    )
    article = described(Reference(Article, index=True, verbose_name=_("Artikel")), copy="clear", listed=True)
    quantity = described(DecimalField(12, 3, verbose_name=_("Menge")), copy="clear", listed=True)
    unit_price = described(DecimalField(14, 4, verbose_name=_("Einzelpreis")), unit="€", copy="clear", listed=True)
    discount_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("Rabatt %")),
        unit="%",
        minimum=0,
        maximum=100,
        copy="clear",
        listed=True,
    )

    class Meta:
        table_name = "till_receipt_item"

    follow_fields = ("quantity",)

    @classmethod
    def prepare_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        """A line without a discount of its own gets the personal one of the customer (NE-57)."""
        customers = TillReceipt.customer.rel_model
        for row in rows:
            if row.get("discount_percent") is None:
                query = customers.select(customers.personal_discount_percent)
                query = query.join(TillReceipt, on=(TillReceipt.customer == customers.id))
                query = query.where(TillReceipt.id == row.get("till_receipt"))
                row["discount_percent"] = query.tuples().scalar()

    @classmethod
    def follow(cls, written: Sequence[Written], operation: Any) -> Iterable[Any]:
        """Each line of a known customer is a movement on its account (domain.md, „At the till intake“)."""
        # The account knows the promotions of the till, so the till cannot know the account when it is read.
        from domain.account import AccountEntry

        for record in written:
            receipt = TillReceipt.get_by_id(record.new["till_receipt"]) if record.old is None else None
            if receipt is not None and receipt.customer_id is not None:
                yield NewRecord(spec_of(AccountEntry), _movement(receipt, record.new))


def _movement(receipt: TillReceipt, line: dict[str, Any]) -> dict[str, Any]:
    """What a line of a receipt moves on the customer's account; what is taken back counts against it."""
    is_sale = line.get("kind", "sale") == "sale"
    quantity = line["quantity"] if is_sale else -line["quantity"]
    first = receipt.payments.order_by(TillPayment.position).first()
    return {
        "customer": receipt.customer_id,
        "booked_at": receipt.receipt_at,
        "seller": receipt.seller_id,
        "branch": receipt.branch_id,
        "receipt_number": receipt.number,
        "article": line["article"],
        "turnover_kind": "cash_sale" if is_sale else "exchange",
        "quantity": quantity,
        "value": line_value(quantity, line["unit_price"], line["discount_percent"]),
        "discount_percent": line["discount_percent"],
        "payment_method": first.payment_method if first is not None else None,
    }


class TillPayment(Record):
    """One of the means a receipt was paid with; the first one shows in the customer's account."""

    description = Description(
        label=_("Bonzahlung"),
        plural=_("Bonzahlungen"),
        title=("payment_method", "amount"),
        menu="",
        right="account",
        order=("position",),
    )

    till_receipt = described(
        ForeignKeyField(TillReceipt, backref="payments", on_delete="CASCADE", index=False, verbose_name=_("Bon")),
        owner=True,
        copy="clear",
        listed=True,
    )
    position = described(
        IntegerField(verbose_name=_("Reihenfolge")), copy="clear", listed=True, unique_with=("till_receipt",)
    )
    payment_method = described(CharField(max_length=30, verbose_name=_("Zahlart")), copy="clear", listed=True)
    amount = described(DecimalField(14, 2, verbose_name=_("Betrag")), unit="€", copy="clear", listed=True)

    class Meta:
        table_name = "till_payment"
        indexes = ((("till_receipt", "position"), True),)


class TillCustomerFeed(Record):
    """A transmission of all active and locked customers to the tills."""

    description = Description(
        label=_("Kassenübertragung"),
        plural=_("Kassenübertragungen"),
        title=("file_name",),
        menu="account",
        right="account",
        order=("-fed_at",),
    )

    fed_at = described(DateTimeField(verbose_name=_("Zeitpunkt")), copy="clear", read_only=True, listed=True)
    file_name = described(
        CharField(max_length=255, verbose_name=_("Dateiname")), copy="clear", read_only=True, listed=True
    )
    record_count = described(
        IntegerField(verbose_name=_("Anzahl der Kunden")), copy="clear", read_only=True, listed=True
    )

    class Meta:
        table_name = "till_customer_feed"


class BonusSettlement(Record):
    """A run that turned bonus points into voucher values."""

    description = Description(
        label=_("Bonusabrechnung"),
        plural=_("Bonusabrechnungen"),
        title=("settled_on",),
        menu="account",
        right="account",
        order=("-settled_on",),
    )

    settled_on = described(DateField(default=today, verbose_name=_("Datum")), copy="clear", listed=True, required=True)
    points_per_euro = described(
        DecimalField(9, 2, verbose_name=_("Punkte je Euro Gutschriftswert")),
        minimum=Decimal("0.01"),
        copy="clear",
        listed=True,
    )
    minimum_points = described(
        IntegerField(null=True, default=0, verbose_name=_("Mindestpunkte")), minimum=0, copy="clear", listed=True
    )
    user = described(Reference(User, verbose_name=_("Benutzer")), copy="clear", listed=True)

    class Meta:
        table_name = "bonus_settlement"


class BonusSettlementItem(Record):
    """What a bonus settlement gave one customer."""

    description = Description(
        label=_("Bonusabrechnung je Kunde"),
        plural=_("Bonusabrechnungen je Kunde"),
        title=("customer", "points"),
        menu="",
        right="account",
        order=("customer",),
    )

    bonus_settlement = described(
        ForeignKeyField(
            BonusSettlement, backref="items", on_delete="CASCADE", index=False, verbose_name=_("Bonusabrechnung")
        ),
        owner=True,
        copy="clear",
        listed=True,
    )
    customer = described(
        LaterForeignKey("Customer", index=True, verbose_name=_("Kunde")),
        copy="clear",
        listed=True,
        unique_with=("bonus_settlement",),
    )
    points = described(IntegerField(verbose_name=_("abgerechnete Bonuspunkte")), minimum=1, copy="clear", listed=True)
    credit_value = described(
        DecimalField(14, 2, verbose_name=_("ermittelter Gutschriftswert")), unit="€", copy="clear", listed=True
    )

    class Meta:
        table_name = "bonus_settlement_item"
        indexes = ((("bonus_settlement", "customer"), True),)


@dataclass(frozen=True)
class BoughtAtTill(Part):
    """Customers with at least one receipt: `till_purchase=1` in a filter, `=0` for those without (NE-30)."""

    model_spec: ModelSpec
    bought: bool = True

    spec = None

    def expression(self, operator: Operator) -> Any:
        receipts = TillReceipt.select(TillReceipt.customer).where(TillReceipt.customer.is_null(False))
        condition = visible(operator, spec_of(TillReceipt))
        receipts = receipts if condition is None else receipts.where(condition)
        found = self.model_spec.model._meta.primary_key.in_(receipts)
        return found if self.bought else ~found

    def sentence(self, names: ReferenceCache | None = None) -> str:
        return gettext("hat an der Kasse gekauft") if self.bought else gettext("hat nicht an der Kasse gekauft")

    def url_pairs(self, names: ReferenceCache | None = None) -> list[tuple[str, str]]:
        return [("till_purchase", "1" if self.bought else "0")]


def _read_purchase(spec: ModelSpec, operator: Operator, name: str, key: str, texts: Sequence[str]) -> Part:
    if spec.name != "customer" or key or list(texts) not in (["0"], ["1"]):
        raise FilterError(name)
    return BoughtAtTill(spec, texts[0] == "1")


register_part("till_purchase", _read_purchase)

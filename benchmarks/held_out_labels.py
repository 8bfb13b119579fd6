"""Which page of the example company answers which kind of message, for messages of other kinds than
those that the pages' `also` words were chosen from and the search was tuned with.

The rule, written down before anything was searched: each kind of the sources was read beside the
twelve pages and given the page on which a reader finds the answer, two where either may be opened
first; kinds that no page answers are left out (how to order, newsletters, invoices). Of each kind
the first forty messages of the backlog are taken, in its order, and none that is in the sample.

It was applied anew, to these and to `knowledge_labels`, before the search was changed a second
time: when money is given back stands on the page of the shop and on that of refunds, a stolen sum
of money is no card, and some tags of NLU++ ask together what no page says.
"""

from collections.abc import Mapping
from typing import Any

MOST_OF_A_KIND = 40
ACCESS, SHOP, MOBILE, COMPLAINTS = "07-access", "09-shop", "08-mobile-and-internet", "10-complaints"
CREDIT, DISPUTES, CARDS, DECLINED = (
    "11-credit-reports",
    "06-disputes",
    "01-cards",
    "02-declined-payments",
)
FEES, TRANSFERS, MONEY_IN = "05-fees-and-rates", "04-transfers", "03-money-in"

_WHOLE: Mapping[tuple[str, ...], str] = {
    (SHOP,): "ORDER:cancel_order ORDER:change_order ORDER:track_order DELIVERY:delivery_period"
    " PAYMENT:check_payment_methods",
    (SHOP, DISPUTES): "REFUND:get_refund REFUND:track_refund REFUND:check_refund_policy",
    (ACCESS,): "ACCOUNT:recover_password ACCOUNT:edit_account ACCOUNT:delete_account",
    (COMPLAINTS,): "FEEDBACK:complaint",
    (MOBILE,): "media:startserviceintent media:viewbillsintent",
}
"""By the whole label; those of Bitext are in capitals."""
_PRODUCT: Mapping[str, tuple[str, ...]] = {
    "Credit reporting": (CREDIT,),
    "Debt collection": (CREDIT, COMPLAINTS),
}
"""Of complaints to the CFPB, by how the product begins."""
_ISSUE: Mapping[str, tuple[str, ...]] = {
    "Problem with a purchase shown on your statement": (DISPUTES,),
}
_TAGS: tuple[tuple[frozenset[str], tuple[str, ...]], ...] = (
    (frozenset({"lost_stolen", "card"}), (CARDS,)),
    (frozenset({"lost_stolen"}), (DISPUTES,)),
    (frozenset({"pin"}), (CARDS,)),
    (frozenset({"card", "wrong_notworking_notshowing"}), (DECLINED, CARDS)),
    (frozenset({"contactless"}), (DECLINED, CARDS)),
    (frozenset({"withdrawal"}), (DECLINED, FEES)),
    (frozenset({"refund", "fees_interests"}), (DISPUTES, FEES)),
    (frozenset({"refund"}), (DISPUTES,)),
    (frozenset({"international", "fees_interests"}), (FEES,)),
    (frozenset({"transfer_payment_deposit", "international"}), (TRANSFERS,)),
    (frozenset({"transfer_payment_deposit", "wrong_notworking_notshowing"}), (TRANSFERS, MONEY_IN)),
    (frozenset({"transfer_payment_deposit", "account"}), (TRANSFERS, MONEY_IN)),
)
"""Of NLU++, which has several tags a message: the first that are all among them."""
_NO_PAGE = frozenset({"loan", "mortgage", "standing_order", "appointment", "overdraft", "handoff"})
_UNANSWERED = (
    frozenset({"contactless", "dont_know"}),
    frozenset({"contactless", "when"}),
    frozenset({"contactless", "request_info"}),
    frozenset({"transfer_payment_deposit", "account", "request_info"}),
    frozenset({"transfer_payment_deposit", "account", "how_much"}),
    frozenset({"transfer_payment_deposit", "account", "existing"}),
)
"""Tags that no page answers together: whether a machine takes contactless cards, lists of what was
spent."""
_BY_LABEL = {label: pages for pages, labels in _WHOLE.items() for label in labels.split()}


def pages_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The pages that answer a row of the backlog; none where no page does or it is of another
    source."""
    source, label = row["source"], row.get("source_label") or ""
    if source == "cfpb_ccdb":
        product, _, issue = label.partition(" | ")
        found = _ISSUE.get(issue)
        begun = (pages for begin, pages in _PRODUCT.items() if product.startswith(begin))
        return found or next(begun, ())
    domain, _, tags = label.partition(":")
    if source == "nlupp":
        said = frozenset(tags.split("+")) if domain == "banking" else frozenset[str]()
        if said & _NO_PAGE or any(tags <= said for tags in _UNANSWERED):
            return ()
        return next((pages for wanted, pages in _TAGS if wanted <= said), ())
    if label == "media:viewbillsintent" and "address" in row["body"]:
        return (MOBILE, ACCESS)
    return _BY_LABEL.get(label, ())


def kind_of(row: Mapping[str, Any]) -> str:
    """What the messages of a kind have in common, for no more than some of each."""
    label = row.get("source_label") or ""
    return f"{row['source']} {label.partition(' | ')[0]}" if row["source"] != "nlupp" else "nlupp"

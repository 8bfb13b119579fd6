"""Pages about other things in the same words: help of a conglomerate whose bank is one of many.

Each of the services has a page on each of the matters, written from sentences that speak of cards,
payments, transfers, fees, orders and identity as the bank's own pages do.
"""

import random
from collections.abc import Iterator

from worker.domain.pages import SourcePage

SERVICES = (
    *(
        "Travel insurance",
        "Pension plan",
        "Car rental",
        "Hotel club",
        "Airline miles",
        "Gift cards",
    ),
    *("Business terminals", "Energy contract", "Pet insurance", "Ticket office", "Parking permits"),
    *("Charity fund", "Student housing", "Gym membership", "Library", "Streaming", "Toll roads"),
    *("Warehouse", "Payroll", "Fleet fuel", "Property lettings", "Ferry line", "Dental plan"),
    *("Auction house", "Coworking"),
)
MATTERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Registration", ("Identity is verified with a passport by the {s} office.",
                      "A form with name, address and email is signed once.")),
    ("Tariffs", ("The {s} tariff has a basic fee and a charge by use.",
                 "Rates change each January and are printed on the contract.")),
    ("Payments to suppliers", ("Suppliers of {s} are paid by transfer at the end of the month.",
                               "A payment run that failed is repeated on the next working day.")),
    ("Membership cards", ("The {s} card is made at the counter and shown at the entrance.",
                          "A lost card is replaced by the counter for a deposit.")),
    ("Opening hours", ("The {s} desk is open on weekdays and closed on public holidays.",
                       "Outside these hours leave a message.")),
    ("Staff rota", ("The rota of {s} is published every second Thursday.",
                    "Swaps are agreed with the shift lead.")),
    ("Claims", ("A {s} claim needs photographs, a form and the contract's number.",
                "The assessor decides about the amount and writes to you.")),
    ("Contract end", ("The {s} contract ends three months after notice.",
                      "What was paid ahead is settled with the last invoice.")),
    ("Vouchers", ("A {s} voucher is valid for three years and cannot be exchanged for cash.",
                  "Top up a voucher at any till.")),
    ("Complaints desk", ("Write to the {s} desk; it confirms within a week.",
                         "An arbitrator is named in the contract.")),
    ("Data sheet", ("The {s} data sheet lists versions, limits and dates.",
                    "It is kept by the product owner.")),
    ("Safety", ("Everybody in {s} knows the assembly point.", "Drills are held twice a year.")),
    ("Invoices", ("Invoices of {s} are sent by post or email.",
                  "A reminder charge is added after thirty days.")),
    ("Bookings", ("A {s} booking is held for a day and then released.",
                  "Change a booking at the desk, not in the app.")),
    ("Deposits", ("The {s} deposit is refunded when keys are returned.",
                  "It bears no interest.")),
    ("Partners", ("Partners of {s} accept the card in forty countries.",
                  "The list of partners is updated in spring.")),
    ("Accounting", ("{s} is booked to its own cost centre.",
                    "Currency differences are posted at the closing rate.")),
    ("Software", ("The {s} software is updated at night.",
                  "A blocked user is unlocked by the service desk.")),
    ("Deliveries", ("Goods for {s} arrive at gate two.",
                    "A pending delivery is reported by phone.")),
    ("Training", ("New colleagues in {s} have two days of training.",
                  "A refresher is due every year.")),
)  # fmt: skip


def distractors(count: int, seed: int = 7) -> Iterator[SourcePage]:
    """So many pages; beyond the first 500 the same matters of branch after branch."""
    draw = random.Random(seed)
    for number in range(count):
        branch, rest = divmod(number, len(SERVICES) * len(MATTERS))
        service, matter = divmod(rest, len(MATTERS))
        title, sentences = MATTERS[matter]
        named = SERVICES[service] + (f" branch {branch}" if branch else "")
        others = draw.sample(MATTERS, 3)
        said = [*sentences, *(draw.choice(other[1]) for other in others)]
        body = " ".join(sentence.format(s=named) for sentence in said)
        yield SourcePage(
            name=f"other/{number:05}",
            path=f"other/{number:05}.md",
            title=f"{named}: {title}",
            markdown=f"# {named}\n\n## {title}\n\n{body}",
            language="en",
        )

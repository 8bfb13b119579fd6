"""How replies write facts: masked cards, clocks, links, numbers in words. Each was once taken for
made up though it stood there, or passed though it did not."""

import pytest

from worker.domain.messages import MessageText
from worker.domain.shown import Shown
from worker.domain.validation import BUILTIN, Draft

PAGE = Shown(
    id="shop#1",
    text="Returns within 30 days; refunds take five to seven days. The fee is 1,000 EUR. "
    "Call +44 20 7946 0958. Open from 9:00 to 17:30. Interest: 21 %. Above 130 dollars it is free. "
    "Pay to DE89 3704 0044 0532 0130 00. At most 1,500,000 points. "
    "‘Items must be unused, in the customer’s packaging.’",
)
ORDER = Shown(
    id="orders",
    text="card: **** 1111\nordered_at: 2026-11-20T14:05:00Z\n"
    "track: https://track.example/t?id=ZZ99&utm_source=mail&lang=en",
    passage=False,
)


def said(reply: str, language: str) -> str | None:
    return BUILTIN["grounded"](
        Draft(
            reply=reply,
            document={"reply": reply},
            schema={},
            message=MessageText(body="Where is it?", language=language),
            knowledge=(PAGE, ORDER),
        ),
        {},
    )


@pytest.mark.parametrize(
    ("reply", "language"),
    [
        ("Your card XXXX-1111 was used.", "en"),
        ("Follow it at https://track.example/t?id=ZZ99&lang=en.", "en"),
        ("Call +44 (0)20 7946 0958 or 020 7946 0958.", "en"),
        ("We are open from 9 am to 5:30 pm.", "en"),
        ("Wir haben von 9 Uhr bis 17.30 Uhr geöffnet.", "de"),
        ("Wir haben von 9 bis 17 Uhr 30 geöffnet.", "de"),
        ("Nous sommes ouverts de 9h à 17h30.", "fr"),
        ("IBAN DE89370400440532013000", "de"),
        ("1,5 Millionen Punkte", "de"),
        ("vingt et un pour cent", "fr"),
        ("You ordered at 2:05 pm on 20 November.", "en"),
        ("Refunds take 5 to 7 days, at least five days.", "en"),
        ("Die Gebühr ist tausend Euro.", "de"),
        ("Les frais sont de mille euros.", "fr"),
        ("Free above a hundred and thirty dollars.", "en"),
        ("Gratuit au-dessus de cent trente dollars.", "fr"),
        ("We say ‘in the customer’s packaging’.", "en"),
    ],
)
def test_a_fact_may_be_written_so(reply: str, language: str) -> None:
    assert said(reply, language) is None


@pytest.mark.parametrize(
    ("reply", "language", "named"),
    [
        ("Your card XXXX-1112 was used.", "en", "XXXX-1112"),
        ("Follow it at https://track.example/t?id=ZZ98&lang=en.", "en", "id=zz98"),
        ("See https://track.example/t?lang=en.", "en", "the link"),
        ("We are open until 6 pm.", "en", "6 pm"),
        ("Wir haben bis 16 Uhr 30 geöffnet.", "de", "16 Uhr 30"),
        ("Nous sommes ouverts dès 8h.", "fr", "8h"),
        ("IBAN DE89370400440532013001", "de", "DE89370400440532013001"),
        ("2 million points", "en", "2 million"),
        ("vingt pour cent", "fr", "vingt pour cent"),
        ("You get €5 off.", "en", "€5"),
        ("Wir haben bis 18.30 Uhr geöffnet.", "de", "18.30"),
        ("You have thirty-five days.", "en", "thirty-five days"),
        ("You have twenty-one days.", "en", "twenty-one days"),
        ("Refunds take three to five days.", "en", "three"),
        ("Sie haben fünfunddreißig Tage.", "de", "fünfunddreißig Tage"),
        ("Vous avez vingt et un jours.", "fr", "vingt et un jours"),
        ("Vous recevrez deux cents euros.", "fr", "deux cents euros"),
        ("Tiene treinta y cinco días.", "es", "treinta y cinco días"),
        ("Ha trentacinque giorni.", "it", "trentacinque giorni"),
        ("U heeft vijfendertig dagen.", "nl", "vijfendertig dagen"),
        ("We say ‘in the packaging of anybody’.", "en", "the quotation"),
    ],
)
def test_what_was_made_up_is_found_however_it_is_written(
    reply: str, language: str, named: str
) -> None:
    assert named.casefold() in (said(reply, language) or "").casefold()


@pytest.mark.parametrize(
    ("language", "page", "stands", "made_up"),
    [
        ("en", "The limit is INR 150000.", "Your limit is ₹1,50,000.", "It is ₹1,60,000."),
        ("en", "The limit is ₹150,000", "That is 1.5 lakh rupees.", "That is 2.5 lakh rupees."),
        ("en", "Limit: Rs. 2,00,00,000", "That is 2 crore rupees.", "That is 3 million rupees."),
        ("de", "CHF 1250.50", "Es sind CHF 1'250.50.", "Es sind CHF 1'350.50."),
        ("ar", "SAR 1234.50", "المبلغ ١٬٢٣٤٫٥٠ ريال", "المبلغ ١٬٣٣٤٫٥٠ ريال"),
        ("hi", "within 30 days", "३० दिनों के भीतर", "१५ दिनों के भीतर"),
        ("ja", "Refund: ¥3980", "返金は3,980円です。", "返金は4,980円です。"),
        ("ja", "12,000 JPY", "返金は1万2千円です。", "返金は1万3千円です。"),
        ("ja", "Due 2026-12-03", "お届けは2026年12月3日です。", "お届けは12月4日です。"),
        ("ja", "Return within 30 days.", "30日以内に返品できます。", "14日以内に返品できます。"),
        ("ja", "Open 9:00-17:30", "9時から17時30分まで", "9時から18時30分まで"),
        ("ja", "We answer in 24 hours", "24時間以内にお返事します。", "48時間以内にお返事します。"),
        ("zh", "3-5 working days", "3-5个工作日送达。", "3-8个工作日送达。"),
        ("zh", "CNY 1299", "退款金额为1,299元。", "退款金额为1,399元。"),
        ("ko", "₩39,000", "환불 금액은 3만 9천원입니다.", "환불 금액은 39,900원입니다."),
        ("ko", "Due 2026-12-03", "2026년 12월 3일에 배송됩니다.", "12월 4일에 배송됩니다."),
        ("ru", "Due 2026-12-03", "Доставка 3 декабря 2026 г.", "Доставка 4 декабря 2026 г."),
        ("pl", "Due 2026-12-03", "Dostawa 3 grudnia.", "Dostawa 4 grudnia."),
        ("de", "Open 09:00-17:00", "Geöffnet von 9 bis 17 Uhr.", "Geöffnet von 9 bis 18 Uhr."),
        ("en", "Mon to Fri 10-12", "Between 10:00 and 12:00.", "Between 10:00 and 13:00."),
        ("en", "At 2026-12-03T09:00+01:00", "It was 9 am.", "It was 1 am."),
        ("en", "Delivery: 2 to 3 days", "It takes 2-3 days.", "It takes 2-4 days."),
        ("en", "2 tickets of 5 EUR", "2 tickets of 5 EUR are 10 EUR.", "2 of 5 EUR are 15 EUR."),
        ("de", "1,500,000 points", "Das sind 1,5 Mio. Punkte.", "Das sind 2,5 Mio. Punkte."),
        ("en", "Fee: 10 AUD", "The fee is $10.", "The fee is 10 USD."),
        ("da", "DKK 99", "Det koster 99,00 kr.", "Det koster 89,00 kr."),
        ("nl", "Open until 14:30", "Tot 14.30 uur.", "Tot 15.30 uur."),
        ("en", "Call (800) 555-0199", "Call 1-800-555-0199.", "Call 1-800-555-0198."),
        ("en", "Fixed in v2.4.1", "Install 2.4.1.", "Install 2.4.2."),
        ("en", "Price: 5.99 EUR", "It is 5 euros and 99 cents.", "It is 5 euros and 89 cents."),
        ("en", "5 euros and 99 cents", "It is €5.99.", "It is 5 euros."),
        ("fr", "5,99 €", "Cela coûte 5€99.", "Cela coûte 5€98."),
        ("de", "1.299,50 EUR", "1.299 Euro und 50 Cent.", "1.299 Euro und 5 Cent."),
        ("de", "5,99 EUR", "Das macht 5 Euro 99.", "Das macht 5 Euro 98."),
        ("en", "20.50 EUR", "Twenty euros and fifty cents.", "Twenty euros and sixty cents."),
        ("en", "$5.50", "It is $5 and 50 cents.", "It is $5 and 55 cents."),
        ("en", "£0.50", "It is 50p.", "It is 60p."),
        ("en", "1.5 hours", "It takes 1 1/2 hours.", "It takes 2 1/2 hours."),
        ("en", "90 minutes", "It takes one and a half hours.", "It takes half an hour."),
        ("en", "90 minutes", "Allow an hour and a half.", "Allow two hours and a half."),
        ("en", "90 minutes", "It takes 1h30.", "It takes 1h40."),
        ("en", "1.5 hours", "It takes 90 minutes.", "It takes 60 minutes."),
        ("en", "15 minutes", "In a quarter of an hour.", "In three quarters of an hour."),
        ("de", "90 Minuten", "Es dauert anderthalb Stunden.", "Es dauert zweieinhalb Stunden."),
        ("de", "30 Minuten", "Es dauert eine halbe Stunde.", "Es dauert eine Viertelstunde."),
        ("fr", "90 minutes", "Comptez une heure et demie.", "Comptez deux heures et demie."),
        ("es", "30 minutos", "Tarda media hora.", "Tarda una hora y media."),
        ("it", "90 minuti", "Ci vuole un'ora e mezza.", "Ci vuole mezz'ora."),
        ("en", "2 weeks", "Within 14 days.", "Within 15 days."),
        ("en", "Weight: 1,000 g", "It weighs 1 kg.", "It weighs 2 kg."),
        ("en", "500 g", "It weighs 1/2 kg.", "It weighs 3/4 kg."),
        ("en", "Holds 500 ml", "It holds 0.5 litres.", "It holds 0.7 litres."),
        ("en", "3500 followers", "3.5k followers", "4.5k followers"),
        ("en", "50 % off", "It is half price.", "It is half price, and 60 % with a card."),
        ("en", "Refund of 30 EUR", "A refund of thirty euros.", "A refund of twenty euros."),
        ("de", "6. Juli: 2004 EUR", "Am 6. Juli 2004 Euro.", "Am 6. Juli 2005 Euro."),
        ("en", "acme.com/help", "See acme.com/help.", "See \u0430cme.com/help."),
        ("en", "1,234,567 pieces", "There are 1.234.567 pieces.", "There are 1.234.568 pieces."),
    ],
)
def test_numbers_are_read_as_they_are_written_elsewhere(
    language: str, page: str, stands: str, made_up: str
) -> None:
    def of(reply: str) -> str | None:
        draft = Draft(
            reply=reply,
            document={"reply": reply},
            schema={},
            message=MessageText(body="?", language=language),
            knowledge=(Shown(id="a", text=page),),
        )
        return BUILTIN["grounded"](draft, {})

    assert (of(stands), of(made_up) is None) == (None, False)

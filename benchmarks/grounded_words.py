"""Words of replies about an order, and of a shop's page, in five languages."""

from collections.abc import Mapping

MONTHS: Mapping[str, str] = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
    " diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre"
    " dicembre",
}
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "Hello, your order {order} of {amount} is due on {date}. You can return it within {days}"
        " days; see {link}. The support team",
        "Thank you for writing. We have sent {amount} for {order} on {date}. The fee is {percent}"
        " and the guarantee is {years}.\n\n1. Open {link}\n2. Choose Orders",
        "I am sorry. Order {order}: {amount}, expected {date}. As our page says, “{quote}”. It"
        " takes {days} to {more} working days at the most, more at {link}.",
    ),
    "de": (
        "Guten Tag, Ihre Bestellung {order} über {amount} kommt am {date}. Sie können sie innerhalb"
        " von {days} Tagen zurückgeben, siehe {link}. Ihr Team",
        "Danke für Ihre Nachricht. Für {order} haben wir am {date} {amount} gesandt. Die Gebühr ist"
        " {percent}, die Garantie {years}.\n\n1. Öffnen Sie {link}\n2. Wählen Sie Bestellungen",
        "Es tut uns leid. Bestellung {order}: {amount}, erwartet am {date}. Auf unserer Seite"
        " steht: „{quote}“. Es dauert {days} bis {more} Werktage, mehr unter {link}.",
    ),
    "fr": (
        "Bonjour, votre commande {order} de {amount} arrive le {date}. Vous pouvez la renvoyer sous"
        " {days} jours, voir {link}. L'équipe",
        "Merci de votre message. Nous avons envoyé {amount} pour {order} le {date}. Les frais sont"
        " de {percent} et la garantie est de {years}.\n\n1. Ouvrez {link}\n2. Choisissez Commandes",
        "Nous sommes désolés. Commande {order} : {amount}, prévue le {date}. Notre page dit :"
        " « {quote} ». Cela prend de {days} à {more} jours ouvrés, voir {link}.",
    ),
    "es": (
        "Hola, su pedido {order} de {amount} llega el {date}. Puede devolverlo en {days} días, vea"
        " {link}. El equipo",
        "Gracias por su mensaje. Enviamos {amount} por {order} el {date}. La comisión es del"
        " {percent} y la garantía es de {years}.\n\n1. Abra {link}\n2. Elija Pedidos",
        "Lo sentimos. Pedido {order}: {amount}, previsto el {date}. Nuestra página dice: «{quote}»."
        " Tarda de {days} a {more} días hábiles, más en {link}.",
    ),
    "it": (
        "Salve, il suo ordine {order} di {amount} arriva il {date}. Può restituirlo entro {days}"
        " giorni, vedi {link}. Il team",
        "Grazie del messaggio. Abbiamo inviato {amount} per {order} il {date}. La commissione è del"
        " {percent} e la garanzia è di {years}.\n\n1. Apra {link}\n2. Scelga Ordini",
        "Ci dispiace. Ordine {order}: {amount}, previsto il {date}. La nostra pagina dice:"
        " «{quote}». Ci vogliono da {days} a {more} giorni lavorativi, altro su {link}.",
    ),
}
PAGES: Mapping[str, str] = {
    "en": "Returns: within {days} days. Delivery takes {days} to {more} working days. Guarantee:"
    " {months} months. Fee: {percent}. {quote}. See {link}.",
    "de": "Rückgabe: innerhalb von {days} Tagen. Lieferung: {days} bis {more} Werktage. Garantie:"
    " {months} Monate. Gebühr: {percent}. {quote}. Siehe {link}.",
    "fr": "Retours : sous {days} jours. Livraison : de {days} à {more} jours ouvrés. Garantie :"
    " {months} mois. Frais : {percent}. {quote}. Voir {link}.",
    "es": "Devoluciones: en {days} días. Entrega: de {days} a {more} días hábiles. Garantía:"
    " {months} meses. Comisión: {percent}. {quote}. Vea {link}.",
    "it": "Resi: entro {days} giorni. Consegna: da {days} a {more} giorni lavorativi. Garanzia:"
    " {months} mesi. Commissione: {percent}. {quote}. Vedi {link}.",
}
QUOTES: Mapping[str, tuple[str, str, str]] = {
    "en": (
        "Parcels that arrive damaged are replaced at once",
        "Parcels are replaced for ever",
        "Parcels that arrive late are replaced at once",
    ),
    "de": (
        "Beschädigte Pakete werden sofort ersetzt",
        "Jedes Paket wird immer ersetzt",
        "Beschädigte Pakete werden später ersetzt",
    ),
    "fr": (
        "Les colis abîmés sont remplacés aussitôt",
        "Tous les colis sont toujours remboursés",
        "Les colis perdus sont remplacés aussitôt",
    ),
    "es": (
        "Los paquetes dañados se cambian enseguida",
        "Todo paquete se devuelve siempre gratis",
        "Los paquetes perdidos se cambian enseguida",
    ),
    "it": (
        "I pacchi danneggiati vengono sostituiti subito",
        "Ogni pacco è sempre rimborsato",
        "I pacchi danneggiati vengono rimborsati subito",
    ),
}
PARTS: Mapping[str, str] = {
    "en": "{whole} euros and {cents} cents",
    "de": "{whole} Euro und {cents} Cent",
    "fr": "{whole} euros et {cents} centimes",
    "es": "{whole} euros y {cents} céntimos",
    "it": "{whole} euro e {cents} centesimi",
}

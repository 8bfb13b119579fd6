"""Which page of the example company answers which kind of message.

Labelled by kind and not by message: each of the 77 intents of banking77 (and those of multidogo's
bank) was read beside the twelve pages, before anything was searched, and given the page that
answers it; two where a reader could open either first. Intents that no page answers are left out.

The pages' `also` words were chosen from messages of the same sources that are not in the sample
(5,627 of them); the messages measured here were not looked at for it.
"""

from collections.abc import Mapping

CARDS, DECLINED, MONEY_IN = "01-cards", "02-declined-payments", "03-money-in"
TRANSFERS, FEES, DISPUTES = "04-transfers", "05-fees-and-rates", "06-disputes"
ACCESS, SHOP = "07-access", "09-shop"

_BY_PAGE: Mapping[tuple[str, ...], str] = {
    (CARDS,): "activate_my_card apple_pay_or_google_pay card_arrival card_delivery_estimate"
    " card_linking card_swallowed change_pin get_disposable_virtual_card get_physical_card"
    " getting_spare_card getting_virtual_card lost_or_stolen_card order_physical_card"
    " card_about_to_expire finance:reportlostcard finance:replacecard"
    " finance:replacecard+reportlostcard virtual_card_not_working disposable_card_limits",
    (CARDS, DECLINED): "pin_blocked card_not_working contactless_not_working visa_or_mastercard",
    (CARDS, DISPUTES): "compromised_card",
    (DECLINED,): "declined_card_payment declined_cash_withdrawal pending_cash_withdrawal"
    " pending_card_payment card_acceptance atm_support",
    (DECLINED, DISPUTES): "reverted_card_payment? wrong_amount_of_cash_received",
    (MONEY_IN,): "automatic_top_up balance_not_updated_after_cheque_or_cash_deposit pending_top_up"
    " top_up_by_cash_or_cheque top_up_failed top_up_limits top_up_reverted topping_up_by_card"
    " verify_top_up supported_cards_and_currencies",
    (MONEY_IN, FEES): "top_up_by_card_charge top_up_by_bank_transfer_charge",
    (MONEY_IN, TRANSFERS): "balance_not_updated_after_bank_transfer receiving_money"
    " transfer_into_account finance:getroutingnumber",
    (TRANSFERS,): "beneficiary_not_allowed cancel_transfer declined_transfer failed_transfer"
    " pending_transfer transfer_not_received_by_recipient transfer_timing finance:transfermoney",
    (TRANSFERS, FEES): "transfer_fee_charged",
    (FEES,): "card_payment_fee_charged cash_withdrawal_charge exchange_charge exchange_rate"
    " exchange_via_app fiat_currency_support card_payment_wrong_exchange_rate"
    " wrong_exchange_rate_for_cash_withdrawal",
    (FEES, DISPUTES): "extra_charge_on_statement",
    (DISPUTES,): "Refund_not_showing_up card_payment_not_recognised cash_withdrawal_not_recognised"
    " direct_debit_payment_not_recognised transaction_charged_twice finance:disputecharge",
    (DISPUTES, SHOP): "request_refund",
    (ACCESS,): "age_limit edit_personal_details lost_or_stolen_phone passcode_forgotten"
    " terminate_account unable_to_verify_identity verify_my_identity why_verify_identity"
    " finance:updateaddress finance:closeaccount country_support",
}
PAGES_BY_LABEL: Mapping[str, tuple[str, ...]] = {
    label: pages for pages, labels in _BY_PAGE.items() for label in labels.split()
}

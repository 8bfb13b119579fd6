"""Where the fields stand in what each product exports: its API's documents, and its own files.

A preset is used by its name (`--map zendesk`), and by itself where a file shows the marks of its
product. What only the team may read is never taken as what the customer wrote, and what an agent or
a bot wrote is not where the product tells them apart. In Zendesk it does not: a web form that uses
its API signs with an agent's name, so that anything public may be the customer's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Preset:
    """One product. `marks` are sets of columns; a file that has all of one set is from it."""

    columns: Mapping[str, str]
    marks: tuple[frozenset[str], ...] = ()


def _preset(marks: tuple[str, ...], **columns: str) -> Preset:
    sets = tuple(frozenset(mark.split()) for mark in marks)
    return Preset(MappingProxyType(columns), sets)


_INTERCOMS_CUSTOMERS = (
    "[part_type!=note,conversation_rating_changed,conversation_rating_remark_added]"
    "[author.type!=admin,bot,operator,team][redacted!=true]"
)
_ZAMMADS_CUSTOMERS = (
    "[sender/sender_id=Customer,2][internal!=true][preferences.is-auto-response!=true]"
)

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "rung": _preset(
            ("external_id message send", "external_id message state verdict"),
            external_id="external_id",
            body="message",
            subject="subject",
            customer_id="customer_id",
            channel="channel",
            language="language",
            source="source",
            received_at="received_at",
        ),
        "zendesk": _preset(
            ("requester_id via description", "raw_subject description", "requester_id comments"),
            external_id="id|Ticket ID|ID",
            body="[via.channel=voice].comments[public!=false][type=VoiceComment].0"
            ".data.transcription_text"
            "|[submitter_id=$requester_id][is_public!=false].description"
            "|comments[public!=false][author_id=$requester_id].0.plain_body/body"
            "|comments[public!=false][author_id=$requester.id].0.plain_body/body"
            "|comments[public!=false].0.plain_body/body"
            "|[comments=null][is_public!=false].description",
            subject="subject|raw_subject|Subject",
            customer_id="requester_id|requester.email|Requester email|Requester id|Requester",
            channel="via.channel|Via",
            received_at="created_at|Created at",
        ),
        "freshdesk": _preset(
            ("requester_id responder_id", "description_text", "responder_id display_id"),
            external_id="display_id|id|Ticket ID|Ticket Id",
            body="[source!=10,Outbound Email].description_text/description"
            "|conversations[incoming=true][private!=true].0.body_text/body",
            subject="subject|Subject",
            customer_id="requester_id|requester.email|Contact ID|Email|Full name",
            channel="source_name|Source",
            received_at="created_at|Created time",
        ),
        "intercom": _preset(
            (
                *("source conversation_parts", "conversation_message", "source contacts"),
                *("ticket_attributes ticket_state", "part_type author"),
            ),
            external_id="id|conversation_id|Conversation ID",
            body="source[author.type!=admin,bot,operator,team][redacted!=true].body"
            "|conversation_message[author.type!=admin,bot,operator,team].body"
            f"|conversation_parts.conversation_parts{_INTERCOMS_CUSTOMERS}.0.body"
            f"|[part_type!=null]{_INTERCOMS_CUSTOMERS}.body"
            "|[category!=Back-office,Tracker].ticket_attributes._default_description_|Message",
            subject="source.subject|title|ticket_attributes._default_title_|conversation_message.subject",
            customer_id="source.author[type!=admin,bot,operator,team].id|contacts.contacts.0.id"
            "|user.id|source.author[type!=admin,bot,operator,team].email"
            "|author.id",
            channel="source.type",
            language="custom_attributes.Language",
            received_at="created_at|Created at",
        ),
        "freescout": _preset(
            ("mailboxId threadsCount", "conversation_id source_via body"),
            external_id="id|number",
            body="_embedded.threads[type=customer][state!=draft,deleted].-1.body"
            "|[type=1][state!=1,3].body"
            "|[createdBy.type!=user][_embedded.threads=null].preview",
            subject="subject",
            customer_id="customer.id|customer.email|createdBy.id|created_by_customer_id"
            "|customer_id",
            channel="source.type|source_type",
            received_at="createdAt|created_at",
        ),
        "helpscout": _preset(
            ("mailboxId primaryCustomer", "mailboxId threads", "mailboxId preview"),
            external_id="id|number",
            body="_embedded.threads[type=customer].-1.body|threads[type=customer].-1.body"
            "|_embedded.threads[type=chat,beaconchat][createdBy.type!=user].-1.body"
            "|_embedded.threads[type=phone].-1.body"
            "|[createdBy.type!=user][_embedded.threads=null].preview",
            subject="subject",
            customer_id="primaryCustomer.id|primaryCustomer.email|createdBy.id|customer.id",
            channel="source.type|type",
            received_at="createdAt|userUpdatedAt",
        ),
        "gorgias": _preset(
            (
                *("messages customer channel via", "created_datetime messages"),
                *("created_datetime via", "score scored_datetime"),
            ),
            external_id="id",
            body="messages[from_agent!=true][public!=false].0.body_text/stripped_text/body_html"
            "|[from_agent!=true][public!=false][scored_datetime=null].body_text/stripped_text/body_html"
            "|[from_agent!=true][messages=null].excerpt",
            subject="subject",
            customer_id="customer.id|customer.email|sender.id|sender.email",
            channel="channel",
            language="language|customer.language",
            received_at="created_datetime",
        ),
        "front": _preset(
            ("recipient last_message", "is_inbound body", "recipient _links", "blurb body"),
            external_id="id|Conversation ID|Message ID",
            body="[is_inbound!=false][type!=call,phone-call,internal].text/body"
            "|messages[is_inbound=true][type!=call,phone-call].-1.text/body"
            "|last_message[is_inbound!=false][type!=call,phone-call,internal].text/body"
            "|Message|Extract",
            subject="subject|Subject",
            customer_id="recipient.handle|last_message.recipients[role=from].0.handle"
            "|recipients[role=from].0.handle|From",
            channel="type|last_message.type",
            received_at="created_at|Created at",
        ),
        "chatwoot": _preset(
            ("inbox_id messages", "inbox_id content", "account_id messages", "account_id content"),
            external_id="id|display_id",
            body="messages[message_type=0,incoming][private!=true]"
            "[content_attributes.deleted!=true].0.content"
            "|[message_type!=1,2,3,outgoing,activity,template][private!=true].content"
            "|last_non_activity_message[message_type=0,incoming][private!=true].content",
            subject="additional_attributes.mail_subject",
            customer_id="meta.sender.id|sender.id|meta.sender.email|contact.id",
            channel="meta.channel|channel",
            language="additional_attributes.browser_language",
            received_at="created_at|timestamp",
        ),
        "salesforce": _preset(
            ("CaseNumber", "Case_Number Description", "Case_Origin Description"),
            external_id="CaseNumber|Case Number|Id|Case ID",
            body="Description|Case Description"
            "|EmailMessages.records[Incoming=true].0.TextBody/HtmlBody",
            subject="Subject|Case Subject",
            customer_id="ContactId|SuppliedEmail|ContactEmail|Contact.Email|Contact Email"
            "|Contact Name|AccountId",
            channel="Origin|Case Origin",
            language="Language",
            received_at="CreatedDate|Date/Time Opened|Created Date|Opened Date",
        ),
        "jira": _preset(
            (
                "key fields",
                "issueKey requestFieldValues",
                "Issue_key Summary",
                "Issue_key Status",
            ),
            external_id="key|issueKey|Issue key|Issue Key",
            body="fields.description|requestFieldValues[fieldId=description].0.value"
            "|renderedFields.description|Description|fields.summary|Summary"
            "|requestFieldValues[fieldId=summary].0.value",
            subject="fields.summary|requestFieldValues[fieldId=summary].0.value|summary|Summary",
            customer_id="fields.reporter.emailAddress|fields.reporter.accountId|fields.reporter.name"
            "|reporter.emailAddress|reporter.accountId|Reporter",
            channel="fields.customfield_channel|currentStatus.channel",
            received_at="fields.created|createdDate.iso8601|Created",
        ),
        "zammad": _preset(
            (
                *("ticket_id sender internal", "ticket_id sender_id internal"),
                *("article_ids articles", "number articles", "ticket article"),
            ),
            external_id="number|id|article.id",
            body=f"articles{_ZAMMADS_CUSTOMERS}.0.body|{_ZAMMADS_CUSTOMERS}.body"
            f"|article{_ZAMMADS_CUSTOMERS}.body",
            subject="title|subject|ticket.title",
            customer_id="customer_id|customer|from|ticket.customer_id|ticket.customer.email",
            channel="create_article_type|type|article.type",
            received_at="created_at|article.created_at",
        ),
        "osticket": _preset(
            ("thread_id poster type body", "number poster type body"),
            external_id="id|entry_id|number",
            body="[type=M,message].body",
            subject="title|subject",
            customer_id="user_id|email|user_email|poster",
            channel="source",
            received_at="created|created_at",
        ),
        "hubspot": _preset(
            ("properties archived", "conversationsThreadId text"),
            external_id="id",
            body="properties.content|[direction!=OUTGOING][type=MESSAGE].text/richText",
            subject="properties.subject|subject",
            customer_id="properties.hs_all_associated_contact_emails"
            "|associations.contacts.results.0.id|senders.0.deliveryIdentifier.value"
            "|senders.0.actorId",
            channel="properties.source_type",
            received_at="properties.createdate|createdAt",
        ),
        "zoho": _preset(
            ("ticketNumber threadCount", "ticketNumber webUrl", "direction summary contentType"),
            external_id="ticketNumber|id",
            body="description|threads[direction=in][visibility!=private].-1.content/summary"
            "|[direction=in][visibility!=private].content/summary",
            subject="subject",
            customer_id="contactId|contact.id|email|author.email",
            channel="channel",
            language="language",
            received_at="createdTime",
        ),
        "crisp": _preset(
            ("session_id fingerprint from",),
            external_id="fingerprint",
            body="[from=user][type=text].content",
            customer_id="user.user_id|session_id",
            channel="origin",
            received_at="timestamp",
        ),
        "gmail": _preset(
            ("snippet payload", "thread labels external_id"),
            external_id="external_id|id",
            body="[labelIds!=SENT,DRAFT].body/snippet",
            subject="subject",
            customer_id="customer_id",
            received_at="received_at|internalDate",
        ),
    }
)
"""In the order in which their marks are looked for."""

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
                "ticket_attributes ticket_state",
            ),
            external_id="id|conversation_id|Conversation ID",
            body="source[author.type!=admin,bot,operator,team][redacted!=true].body"
            "|conversation_message[author.type!=admin,bot,operator,team].body"
            "|conversation_parts.conversation_parts[part_type!=note]"
            "[author.type!=admin,bot,operator,team][redacted!=true].0.body"
            "|[category!=Back-office,Tracker].ticket_attributes._default_description_|Message",
            subject="source.subject|title|ticket_attributes._default_title_|conversation_message.subject",
            customer_id="source.author[type!=admin,bot,operator,team].id|contacts.contacts.0.id"
            "|user.id|source.author[type!=admin,bot,operator,team].email",
            channel="source.type",
            language="custom_attributes.Language",
            received_at="created_at|Created at",
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
            ("messages customer channel via", "created_datetime messages", "created_datetime via"),
            external_id="id",
            body="messages[from_agent!=true][public!=false].0.body_text/stripped_text/body_html"
            "|[from_agent!=true][public!=false].body_text/stripped_text/body_html"
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
            body="[is_inbound!=false].text/body|messages[is_inbound=true].-1.text/body"
            "|last_message[is_inbound!=false].text/body|Message|Extract",
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

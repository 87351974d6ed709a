# ruff: noqa: E501 - what is changed is shown as it is written
"""Reviews, conversations, the audit log, mail that is owed and answers gone wrong."""

from tests.mutants.mutating import mutants

MUTANTS = (
    *mutants(
        "adapters.memory.reviews",
        "ReviewsContract",
        ("a user can review a product twice", "if written in draft.reviews_by_author:", "if False:"),
        ("a second review is told in another way", "raise DuplicateReview()", "raise Contention()"),
        (
            "a review keeps the name its author had",
            'return replace(review, author="" if author is None else author.display_name)',
            'return replace(review, author=author.full_name if author else "")',
        ),
        (
            "saving rewrites whose review it is",
            "            rating=review.rating,\n",
            "            rating=review.rating,\n            author_id=review.author_id,\n",
        ),
        (
            "saving rewrites when it was written first",
            "            rating=review.rating,\n",
            "            rating=review.rating,\n            created_at=review.created_at,\n",
        ),
        ("saving does not tell when", "            updated_at=review.updated_at,\n", ""),
        ("the version of a review is ignored", "if stored is None or stored.version != version:", "if stored is None:"),
        (
            "an edit counts a second time",
            "self._count(stored.product_id, stored.counted, changed.counted)",
            "self._count(stored.product_id, UNRATED, changed.counted)",
        ),
        ("a removed review still counts", "        self._count(stored.product_id, stored.counted, UNRATED)\n", ""),
        (
            "whoever removed a review can't write another",
            "        self._draft.reviews_by_author.drop((stored.author_id, stored.product_id))\n",
            "",
        ),
        (
            "pending reviews are shown",
            "each.product_id == product_id and _is_published(each))",
            "each.product_id == product_id)",
        ),
        (
            "authors see only what is published",
            "lambda each: each.author_id == author_id)",
            "lambda each: each.author_id == author_id and _is_published(each))",
        ),
        (
            "reviews wait since they were first written",
            "lambda each: (ticks(each.updated_at), each.id))",
            "lambda each: (ticks(each.created_at), each.id))",
        ),
        ("decided reviews wait", "if each.status is ReviewStatus.PENDING)", "if not _is_published(each))"),
        (
            "the newest waits first",
            "lambda each: (ticks(each.updated_at), each.id)).map",
            "lambda each: (ticks(each.updated_at), each.id), descending=True).map",
        ),
        (
            "all reviews of a user are published",
            "each.author_id == author_id and _is_published(each) for each",
            "each.author_id == author_id for each",
        ),
        (
            "reviews are listed oldest first",
            "lambda each: (ticks(each.created_at), each.id), descending=True)",
            "lambda each: (ticks(each.created_at), each.id))",
        ),
        (
            "an unknown review is a mistake of the program",
            'raise NotFound("There is no such review.")',
            "raise LookupError(review_id)",
        ),
        (
            "a removed review of another version goes all the same",
            "stored = self._stored(review.id, review.version)\n",
            "stored = self._stored(review.id, self.locked(review.id).version)\n",
        ),
    ),
    *mutants(
        "adapters.memory.reviews",
        "ConventionsContract",
        (
            "a review keeps the offsets it was given with",
            'in_utc(replace(review, author=""))',
            'replace(review, author="")',
        ),
    ),
    *mutants(
        "adapters.memory.conversations",
        "ConversationsContract",
        (
            "an unknown conversation is a mistake of the program",
            'raise NotFound("There is no such conversation.")',
            "raise LookupError(conversation_id)",
        ),
        ("the version of a conversation is ignored", "if conversation.version != stored.version + 1:", "if False:"),
        ("saving rewrites when it began to wait", "            waiting_since=stored.waiting_since,\n", ""),
        ("saving rewrites whose it is", "            customer_id=stored.customer_id,\n", ""),
        (
            "conversations of every customer are listed",
            "query.customer_id in (None, each.customer_id)\n            and ",
            "",
        ),
        ("conversations of every agent are listed", "            and query.agent_id in (None, each.agent_id)\n", ""),
        ("conversations of every status are listed", "            and query.status in (None, each.status)\n", ""),
        (
            "conversations are listed oldest first",
            "lambda each: (ticks(each.created_at), each.id), descending=True)",
            "lambda each: (ticks(each.created_at), each.id))",
        ),
        (
            "the last to come is served first",
            "lambda each: (ticks(each.waiting_since), each.id))",
            "lambda each: (ticks(each.waiting_since), each.id), descending=True)",
        ),
        (
            "those who are talked to wait",
            "if each.status is ConversationStatus.WAITING)",
            "if each.status is not ConversationStatus.CLOSED)",
        ),
        ("a number is given twice", "any(each.seq == message.seq for each in said) or ", ""),
        (
            "an author can send a message twice",
            " or (\n"
            "            message.client_id is not None and any((each.side, each.author_id, each.client_id) == name for each in said)\n"
            "        )",
            "",
        ),
        (
            "two messages without a name of their own are one",
            "            message.client_id is not None and any((each.side",
            "            any((each.side",
        ),
        (
            "two authors can't choose the same name",
            "any((each.side, each.author_id, each.client_id) == name for each in said)\n        )",
            "any(each.client_id == message.client_id for each in said)\n        )",
        ),
        (
            "both sides share their names",
            "name = (message.side, message.author_id, message.client_id)",
            "name = (each_side := message.side, message.author_id, message.client_id) and (said[0].side if said else message.side, message.author_id, message.client_id)",
        ),
        (
            "messages come in the order of writing",
            "ordered = sorted((*said, in_utc(message)), key=lambda each: each.seq)",
            "ordered = (*said, in_utc(message))",
        ),
        (
            "the first ones said are the latest",
            "return self._said(conversation_id)[-limit:]",
            "return self._said(conversation_id)[:limit]",
        ),
        (
            "the latest come last to first",
            "return self._said(conversation_id)[-limit:]",
            "return self._said(conversation_id)[-limit:][::-1]",
        ),
        (
            "a page of messages begins with the one that was named",
            "return page_of(self._said(conversation_id), page, lambda each: (each.seq,))",
            "from dataclasses import replace as put\n"
            "\n"
            "        if page.after:\n"
            "            page = put(page, after=(page.after[0] - 1,))\n"
            "        return page_of(self._said(conversation_id), page, lambda each: (each.seq,))",
        ),
        (
            "conversations that are not there have version 0",
            "return {each: conversation.version for each, conversation in found.items() if conversation is not None}",
            "return {each: conversation.version if conversation else 0 for each, conversation in found.items()}",
        ),
        (
            "a file that is not there is a mistake of the program",
            'raise NotFound("There is no such attachment.")',
            "raise LookupError(attachment_id)",
        ),
        ("every file that came is told of, asked for or not", " & set(stored_as)", ""),
        (
            "a message is found in any conversation",
            "        said = self._said(conversation_id)\n        return next(",
            "        said = [each for one in self._tables.messages.rows() for each in one]\n        return next(",
        ),
    ),
    *mutants(
        "adapters.memory.conversations",
        "UnitsContract",
        (
            "a conversation is locked in a unit that only reads",
            "        _ = self._draft\n        return self.get(conversation_id)",
            "        return self.get(conversation_id)",
        ),
    ),
    *mutants(
        "adapters.memory.conversations",
        "ConventionsContract",
        ("a message keeps the offset it was given with", "(*said, in_utc(message))", "(*said, message)"),
        (
            "a conversation keeps the offsets it was given with",
            "self._draft.conversations.put(conversation.id, in_utc(conversation))",
            "self._draft.conversations.put(conversation.id, conversation)",
        ),
    ),
    *mutants(
        "adapters.memory.conversations",
        "ErasureContract",
        ("what was said outlives its conversation", "        draft.messages.drop(conversation_id)\n", ""),
        (
            "a removed conversation names files of messages without one",
            "return [each.attached.stored_as for each in said if each.attached is not None]",
            "return [each.id for each in said]",
        ),
        (
            "renaming an agent renames those they talked to",
            "mine = (each.side is Side.AGENT and each.author_id == user_id for each in said)",
            "mine = (True for each in said)",
        ),
        (
            "what an agent said as a customer is renamed too",
            "mine = (each.side is Side.AGENT and each.author_id == user_id for each in said)",
            "mine = (each.author_id == user_id for each in said)",
        ),
        (
            "an agent is renamed in one conversation",
            "                draft.messages.put(conversation_id, named)",
            "                draft.messages.put(conversation_id, named)\n                break",
        ),
    ),
    *mutants(
        "adapters.memory.audit",
        "AuditContract",
        (
            "an entry can be written over",
            "            if entry.id in draft.audit:\n"
            '                raise RuntimeError("the audit log is append-only")\n',
            "",
        ),
        (
            "entries are listed oldest first",
            "lambda each: (ticks(each.at), each.id), descending=True)",
            "lambda each: (ticks(each.at), each.id))",
        ),
        (
            "entries are listed by id alone",
            "lambda each: (ticks(each.at), each.id), descending=True)",
            "lambda each: (each.id,), descending=True)",
        ),
        ("entries of every actor are listed", "query.actor_id in (None, entry.actor_id)\n        and ", ""),
        ("entries of every action are listed", "        and query.action in (None, entry.action)\n", ""),
        ("entries of every object are listed", "        and query.object_id in (None, entry.object_id)\n", ""),
        ("entries of every request are listed", "        and query.request_id in (None, entry.request_id)\n", ""),
        ("the end of the period is in it", "entry.at < query.written_to", "entry.at <= query.written_to"),
        ("the beginning of the period is not in it", "query.written_from <= entry.at", "query.written_from < entry.at"),
        (
            "a part of the action is enough",
            "query.action in (None, entry.action)",
            '(query.action or "") in entry.action',
        ),
    ),
    *mutants(
        "adapters.memory.audit",
        "ConventionsContract",
        ("an entry keeps the offset it was given with", "in_utc(entry)", "entry"),
    ),
    *mutants(
        "adapters.memory.outbox",
        "OutboxContract",
        ("an event's mail is written twice", "if _cause(notice) not in draft.notices_by_cause:", "if True:"),
        (
            "an event writes to one person only",
            "return notice.event, notice.recipient, notice.template",
            'return notice.event, "", notice.template',
        ),
        (
            "an event writes one kind of mail only",
            "return notice.event, notice.recipient, notice.template",
            'return notice.event, notice.recipient, ""',
        ),
        ("mail that is due now is not leased", "notice.due_at <= at and", "notice.due_at < at and"),
        (
            "mail is leased before it is due",
            "if notice is not None and notice.due_at <= at and",
            "if notice is not None and",
        ),
        ("a lease keeps nobody away", "            draft.leases.put(notice.id, until)\n", "            pass\n"),
        (
            "a lease that ends now has not ended",
            "return until is None or until <= at",
            "return until is None or until < at",
        ),
        ("a lease never ends", "return until is None or until <= at", "return until is None"),
        (
            "mail is leased newest first",
            "taken = sorted(due, key=lambda notice: (notice.due_at, notice.id))[:limit]",
            "taken = sorted(due, key=lambda notice: (notice.due_at, notice.id), reverse=True)[:limit]",
        ),
        (
            "all mail is leased however little was asked for",
            "taken = sorted(due, key=lambda notice: (notice.due_at, notice.id))[:limit]",
            "taken = sorted(due, key=lambda notice: (notice.due_at, notice.id))",
        ),
        (
            "saving does not give the lease back",
            "        draft.leases.drop(notice.id)\n        self._put(notice)",
            "        self._put(notice)",
        ),
        (
            "mail that was given up is leased",
            "if notice.state is NoticeState.PENDING:",
            "if notice.state is not NoticeState.SENT:",
        ),
        ("the state is ignored", "if state in (None, notice.state))", "if True)"),
        (
            "notices are listed oldest first",
            "        rows = (notice for notice in self._tables.notices.rows() if state in (None, notice.state))\n"
            "        return page_of(rows, page, lambda each: (ticks(each.created_at), each.id), descending=True)",
            "        rows = (notice for notice in self._tables.notices.rows() if state in (None, notice.state))\n"
            "        return page_of(rows, page, lambda each: (ticks(each.created_at), each.id))",
        ),
        ("mail that was given up is owed", "over = (NoticeState.SENT, NoticeState.DEAD)", "over = (NoticeState.SENT,)"),
        ("what is owed is due at the latest time", "min(due, default=None)", "max(due, default=None)"),
        (
            "mail that was given up is swept",
            "if each.state is NoticeState.SENT and each.sent_at is not None and each.sent_at < before",
            "if (each.sent_at or before) < before or each.state is NoticeState.DEAD",
        ),
        ("mail that was sent at that very moment is swept", "each.sent_at < before", "each.sent_at <= before"),
        (
            "swept mail is never written again",
            "            draft.notices_by_cause.drop(_cause(notice))\n            draft.pending",
            "            draft.pending",
        ),
        (
            "an unknown notice is a mistake of the program",
            'raise NotFound("There is no such notice.")',
            "raise LookupError(notice_id)",
        ),
    ),
    *mutants(
        "adapters.memory.outbox",
        "UnitsContract",
        (
            "a notice is locked in a unit that only reads",
            "        _ = self._draft\n        return self.get(notice_id)",
            "        return self.get(notice_id)",
        ),
    ),
    *mutants(
        "adapters.memory.outbox",
        "ConventionsContract",
        (
            "a notice keeps the offsets it was given with",
            "self._draft.notices.put(notice.id, in_utc(own))",
            "self._draft.notices.put(notice.id, own)",
        ),
        (
            "whoever goes on changing what they gave a mail changes the mail",
            "json.loads(json.dumps(dict(notice.data)))",
            "notice.data",
        ),
    ),
    *mutants(
        "adapters.memory.outbox",
        "ErasureContract",
        (
            "mail that was sent stays when an account is forgotten",
            "written = [notice.id for notice in self._draft.notices.rows() if notice.user_id == user_id]",
            "written = [each.id for each in self._draft.notices.rows() if each.user_id == user_id and each.sent_at is None]",
        ),
        (
            "mail to an account is looked for by address",
            "rows = (notice for notice in self._tables.notices.rows() if notice.user_id == user_id)",
            "mine = {each.recipient for each in self._tables.notices.rows() if each.user_id == user_id}\n"
            "        rows = (notice for notice in self._tables.notices.rows() if notice.recipient in mine)",
        ),
        (
            "mail to an account is listed oldest first",
            "if notice.user_id == user_id)\n"
            "        return page_of(rows, page, lambda each: (ticks(each.created_at), each.id), descending=True)",
            "if notice.user_id == user_id)\n"
            "        return page_of(rows, page, lambda each: (ticks(each.created_at), each.id))",
        ),
        (
            "answers are found by their scope alone",
            "_ID.findall(f\"{scope} {(answer.said or b'').decode(errors='replace')}\")",
            "_ID.findall(scope)",
        ),
        (
            "answers are found by their text alone",
            "_ID.findall(f\"{scope} {(answer.said or b'').decode(errors='replace')}\")",
            "_ID.findall((answer.said or b'').decode(errors='replace'))",
        ),
        ("answers that are no text can't be looked through", "decode(errors='replace')", "decode()"),
        (
            "forgetting an answer forgets its scope",
            "            draft.answers.drop(cause)\n\n    def sweep",
            "            for each in [each for each, _ in draft.answers.items() if each[0] == cause[0]]:\n"
            "                draft.answers.drop(each)\n"
            "\n"
            "    def sweep",
        ),
    ),
    *mutants(
        "adapters.memory.outbox",
        "AnswersContract",
        (
            "a key is one for all scopes",
            "found = self._tables.answers.get((scope, key))",
            "found = next((each for (_, one), each in self._tables.answers.items() if one == key), None)",
        ),
        ("a key is claimed twice", "if (scope, key) in draft.answers:", "if False:"),
        (
            "a second claim is an error",
            "            return False\n        draft.answers.put(",
            "            raise LookupError(key)\n        draft.answers.put(",
        ),
        (
            "an empty answer is none",
            "None if found is None or found.said is None else",
            "None if found is None or not found.said else",
        ),
        (
            "a claim without an answer is an answer",
            "None if found is None or found.said is None else (found.fingerprint, found.said)",
            'None if found is None else (found.fingerprint, found.said or b"")',
        ),
        (
            "the fingerprint is that of the last request",
            "        if (scope, key) in draft.answers:\n            return False\n",
            "        if (old := draft.answers.get((scope, key))) is not None:\n"
            "            draft.answers.put((scope, key), replace(old, fingerprint=fingerprint))\n"
            "            return False\n",
        ),
        ("answers of that very moment are swept", "if answer.at < before]", "if answer.at <= before]"),
        (
            "sweeping tells of all answers",
            "        old = [cause for cause, answer in draft.answers.items() if answer.at < before]\n"
            "        for cause in old:\n"
            "            draft.answers.drop(cause)\n"
            "        return len(old)",
            "        old = [cause for cause, answer in draft.answers.items() if answer.at < before]\n"
            "        for cause in old:\n"
            "            draft.answers.drop(cause)\n"
            "        return len(list(draft.answers.items()))",
        ),
        (
            "keys are compared whatever their case",
            "found = self._tables.answers.get((scope, key))",
            "found = self._tables.answers.get((scope, key)) or self._tables.answers.get((scope, key.lower()))",
        ),
    ),
)

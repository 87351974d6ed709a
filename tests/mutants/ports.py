# ruff: noqa: E501 - what is changed is shown as it is written
"""The other ports gone wrong: passwords, links, ciphers, mail, papers, files, payments, events and rate limits."""

from tests.mutants.mutating import mutants

MUTANTS = (
    *mutants(
        "adapters.memory.passwords",
        "PasswordsContract",
        ("hashes have no salt", "        salt = os.urandom(_SALT_BYTES)\n", "        salt = bytes(_SALT_BYTES)\n"),
        (
            "nobody's password is a match",
            "hmac.compare_digest(_scrypt(password, salt, cost), kept) and known is not None",
            "hmac.compare_digest(_scrypt(password, salt, cost), kept) or known is None",
        ),
        (
            "passwords are cut at 72 bytes",
            'secret = password.encode("utf-8", "surrogatepass")  #',
            'secret = password.encode("utf-8", "surrogatepass")[:72]  #',
        ),
        (
            "passwords are compared whatever their case",
            'secret = password.encode("utf-8", "surrogatepass")  #',
            'secret = password.lower().encode("utf-8", "surrogatepass")  #',
        ),
        (
            "passwords end at a NUL",
            'secret = password.encode("utf-8", "surrogatepass")  #',
            'secret = password.partition("\\0")[0].encode("utf-8", "surrogatepass")  #',
        ),
        (
            "space around a password does not count",
            'secret = password.encode("utf-8", "surrogatepass")  #',
            'secret = password.strip().encode("utf-8", "surrogatepass")  #',
        ),
        (
            "half of a surrogate pair is a mistake of the program",
            'secret = password.encode("utf-8", "surrogatepass")  #',
            'secret = password.encode("utf-8")  #',
        ),
        (
            "every hash is outdated",
            "return known is None or any(then < now for",
            "return known is None or any(then <= now for",
        ),
        ("what is no hash is not outdated", "return known is None or any(", "return known is not None and any("),
        (
            "what is no hash is a mistake of the program",
            'known = _read(hashed or "")',
            'known = _read(hashed or "") or (_ for _ in ()).throw(ValueError(hashed)) if hashed else None',
        ),
    ),
    *mutants(
        "adapters.memory.signer",
        "SignerContract",
        ("a link of one purpose opens another", "json.dumps([purpose, body]).encode()", "body.encode()"),
        ("a link never expires", "if ticks(at) >= expires:", "if False:"),
        ("a link lives for one moment more", "if ticks(at) >= expires:", "if ticks(at) > expires:"),
        (
            "anybody can sign",
            'if not hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), expected.encode()):',
            "if not signature:",
        ),
        (
            "part of a signature is enough",
            'if not hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), expected.encode()):',
            "if not signature or not expected.startswith(signature):",
        ),
        (
            "a token has characters that links don't take",
            'urlsafe_b64encode(json.dumps([ticks(expires_at), dict(data)]).encode()).decode().rstrip("=")',
            "urlsafe_b64encode(json.dumps([ticks(expires_at), dict(data)]).encode()).decode()",
        ),
        (
            "what is no token is a mistake of the program",
            'signature.encode("utf-8", "surrogatepass")',
            "signature.encode()",
        ),
    ),
    *mutants(
        "adapters.encryption",
        "CipherContract",
        ("every purpose has the same key", '_derive(key, f"rows:{purpose}")', '_derive(key, "rows")'),
        ("every row has the same key", 'name = row.encode("utf-8", "surrogatepass")', 'name = b""'),
        ("every purpose has the same index", '_derive(key, f"index:{purpose}")', '_derive(key, "index")'),
        ("what was changed is another error", "        raise ValueError(\n", "        raise LookupError(\n"),
        (
            "the oldest key encrypts",
            "return next(self._ciphers(purpose, row)).encrypt(plain)",
            "return list(self._ciphers(purpose, row))[-2].encrypt(plain)",
        ),
        (
            "everything is renewed every time",
            "        return None\n",
            "        return newest.encrypt(self.decrypt(purpose, row, secret))\n",
        ),
        (
            "the index of the oldest key is that of the newest",
            "return self.blind_indexes(purpose, plain)[0]",
            "return self.blind_indexes(purpose, plain)[-1]",
        ),
        (
            "an index is looked up by the newest key alone",
            "for key in self._index_keys[purpose]]",
            "for key in self._index_keys[purpose][:1]]",
        ),
        (
            "two keys have one name",
            '_derive(key, "name").hex()[:_NAME] for key in self._ring',
            '"key" for key in self._ring',
        ),
        (
            "an index says how a text begins",
            'hmac.digest(key, text, "sha256")',
            'text[:3] + hmac.digest(key, text, "sha256")',
        ),
    ),
    *mutants(
        "adapters.memory.letters",
        "MailerContract",
        (
            "a name with markup is refused",
            "        self.sent.append((notice, tuple(attachments)))",
            '        if "<" in str(notice.data):\n'
            "            raise ValueError(notice)\n"
            "        self.sent.append((notice, tuple(attachments)))",
        ),
        (
            "a mail with files is refused",
            "        self.sent.append((notice, tuple(attachments)))",
            '        (*_,) = () if not attachments else [None][:0] or exec("raise TypeError")\n'
            "        self.sent.append((notice, tuple(attachments)))",
        ),
        (
            "forgetting what is not there is a mistake of the program",
            "        gone = set(notice_ids)\n",
            "        gone = set(notice_ids)\n        assert gone <= {each[0].id for each in self.sent}\n",
        ),
    ),
    *mutants(
        "adapters.memory.letters",
        "DocumentsContract",
        ("some letters can't be written", '.encode("utf-8", "replace")', '.encode("latin-1")'),
        (
            "invoices don't tell their number",
            '_heading(f"Invoice {invoice.number}", about,',
            '_heading("Invoice", about,',
        ),
        (
            "an invoice is made anew each time",
            'about = f"Issued {invoice.issued_at:%Y-%m-%d} for order {order.number}"',
            "about = f\"Issued {id(object())} {__import__('uuid').uuid4()}\"",
        ),
        ("a credit note is named after the order", "return _file(note.number, [", "return _file(order.number, ["),
        (
            "a credit note is of the whole order whatever was refunded",
            "_credited(credited(order, refund))",
            "_credited(credited(order, None))",
        ),
        ("an invoice is named after nothing", "return _file(invoice.number, [", 'return _file("invoice", ['),
        ("the amounts are left out", ', "", *_totals(order)])', "])"),
        ("the buyer is left out", '(("From", seller), ("To", buyer))', '(("From", seller),)'),
        ("what was bought is left out", '*_lines(order), "", *_totals', "*_totals"),
    ),
    *mutants(
        "adapters.memory.files",
        "FilesContract",
        (
            "a file can be written over",
            "            if name in self._kept:\n                raise FileExistsError(name)\n",
            "",
        ),
        ("a name that is taken is told in another way", "raise FileExistsError(name)", "raise ValueError(name)"),
        (
            "what is not there is a mistake of the program",
            'raise NotFound("The file is not there.")',
            "raise KeyError(name)",
        ),
        (
            "a file that is not there is empty",
            "return None if found is None else len(found[1])",
            "return 0 if found is None else len(found[1])",
        ),
        (
            "half a content is kept",
            '        kept = b"".join(content)\n',
            '        kept = b""\n'
            "        try:\n"
            "            for each in content:\n"
            "                kept += each\n"
            "        except Exception:\n"
            "            self._kept[name] = (self._clock(), kept)\n"
            "            raise\n",
        ),
        (
            "what reading a content raises is swallowed",
            '        kept = b"".join(content)\n',
            '        kept = b""\n'
            "        try:\n"
            "            for each in content:\n"
            "                kept += each\n"
            "        except Exception:\n"
            "            return\n",
        ),
        ("files are found by their age the wrong way round", "if kept_at < at]", "if kept_at > at]"),
        (
            "removing what is not there is a mistake of the program",
            "self._kept.pop(name, None)",
            "self._kept.pop(name)",
        ),
        ("removing a file keeps it", "self._kept.pop(name, None)", "self._kept.get(name, None)"),
        ("line ends are turned", "return BytesIO(found[1])", 'return BytesIO(found[1].replace(b"\\r\\n", b"\\n"))'),
        (
            "only the last part of a content is kept",
            'kept = b"".join(content)',
            'kept = [*content, b""][-2] if True else b""',
        ),
    ),
    *mutants(
        "adapters.payments.demo",
        "PaymentProviderContract",
        (
            "preparing again makes another payment",
            "                    payment.id,\n                    order.number,",
            "                    payment.id + token_hex(4),\n                    order.number,",
        ),
        (
            "whoever asks again is charged again",
            'SET state = ?, charges = charges + 1 WHERE reference = ? AND state = ?",\n'
            "            (PaymentState.SUCCEEDED, reference, state),",
            "SET state = ?, charges = 1, amount = amount + charges WHERE reference = ? AND state IN (?, 'succeeded')\",\n"
            "            (PaymentState.SUCCEEDED, reference, state),",
        ),
        (
            "a declined card can be charged later",
            'WHERE reference = ? AND state IN (?, ?)",\n'
            "            (PaymentState.FAILED, failure, reference, WAITING, CHALLENGED)",
            'WHERE reference = ? AND state IN (?, ?) AND 0",\n'
            "            (PaymentState.FAILED, failure, reference, WAITING, CHALLENGED)",
        ),
        (
            "what was taken can be abandoned",
            'AND state IN (?, ?)",\n            (PaymentState.FAILED, failure, reference, WAITING, CHALLENGED)',
            "AND state IN (?, ?, 'succeeded')\",\n"
            "            (PaymentState.FAILED, failure, reference, WAITING, CHALLENGED)",
        ),
        (
            "a refund is given back as often as it is asked",
            '            if books.execute("SELECT 1 FROM refunds WHERE refund_id = ?", (refund.id,)).fetchone():\n'
            "                return\n",
            "            books.execute(\"UPDATE refunds SET refund_id = refund_id || 'x' || hex(randomblob(4)) WHERE refund_id = ?\", (refund.id,))\n",
        ),
        (
            "more can be given back than was taken",
            "given + refund.amount.minor > outcome.amount.minor",
            "refund.amount.minor > outcome.amount.minor",
        ),
        (
            "what was never taken can be given back",
            "if outcome.amount is None or given",
            "if outcome.amount is not None and given",
        ),
        (
            "a second step is taken at once",
            "books.execute(\n"
            '                    "UPDATE payments SET state = ? WHERE reference = ? AND state = ?", (CHALLENGED, reference, WAITING)\n'
            "                )",
            "charged = self._take(books, reference, WAITING)",
        ),
        (
            "forged events are believed",
            "if not hmac.compare_digest(signature.encode(), _signature(secret, time, body).encode()):",
            "if not signature:",
        ),
        ("old events are believed", "if at - datetime.fromisoformat(time) > TOLERANCE:", "if False:"),
        (
            "headers are looked up as they are written",
            'sent = {name.lower(): value for name, value in headers.items()}.get(SIGNATURE.lower(), "")',
            'sent = headers.get(SIGNATURE, "")',
        ),
        (
            "a refusal is an error",
            "outcome = self._outcome(books, reference)\n        if charged",
            "outcome = self._outcome(books, reference)\n"
            "        if outcome.failure:\n"
            "            raise PayoutRefused(outcome.failure)\n"
            "        if charged",
        ),
        (
            "whoever has to approve is not told where",
            '{"type": "redirect", "url": f"{self._page}/{reference}"}',
            '{"type": "redirect", "url": ""}',
        ),
    ),
    *mutants(
        "adapters.local_hub",
        "HubContract",
        ("everybody hears everything", "if topic in listener.topics or not listener.topics:", "if True:"),
        (
            "whoever listens to no topic hears nothing",
            "if topic in listener.topics or not listener.topics:",
            "if topic in listener.topics:",
        ),
        (
            "topics are compared by how they begin",
            "if topic in listener.topics or not listener.topics:",
            "if topic.startswith(tuple(listener.topics)) or not listener.topics:",
        ),
        (
            "one listener hears an event, and no other",
            "                    listener.add(event)\n",
            "                    listener.add(event)\n                    break\n",
        ),
        (
            "the newest event is heard first",
            "return self._events.popleft() if self._events else None",
            "return self._events.pop() if self._events else None",
        ),
        (
            "events are lost and nobody is told",
            "self._lost = self._lost or len(self._events) == self._events.maxlen",
            "self._lost = False",
        ),
        ("a loss is told again and again", "self.missed, self._lost = self._lost, False", "self.missed = self._lost"),
        ("a listener keeps everything", "self._events = deque[Event](maxlen=room)", "self._events = deque[Event]()"),
        (
            "a listener that was left hears on",
            "            with self._lock:\n"
            "                self._listeners.discard(listener)\n"
            "            listener.end()",
            "            pass",
        ),
        (
            "a closed hub takes events",
            '        if self._closed:\n            raise Unavailable("The shop is closing.")',
            "        return",
        ),
        (
            "closing leaves those that wait waiting",
            "            self._closed = True\n"
            "            for listener in self._listeners:\n"
            "                listener.end()",
            "            self._closed = True\n"
            "            for listener in self._listeners:\n"
            "                listener.ended = True",
        ),
    ),
    *mutants(
        "adapters.local_rate_limits",
        "RateLimitsContract",
        (
            "hits that are too many are not counted",
            "            self._windows[name] = used + 1, ends_at\n",
            "            self._windows[name] = min(used + 1, limit.most + 1), ends_at\n",
        ),
        (
            "every hit prolongs the window",
            "            self._windows[name] = used + 1, ends_at\n",
            "            self._windows[name] = used + 1, at + limit.window\n",
        ),
        (
            "looking counts",
            "            used, ends_at = self._window(limit, key, at)\n"
            "        return Allowance(limit=limit, used=used, resets_in=ends_at - at)",
            "            used, ends_at = self._window(limit, key, at)\n"
            "            self._windows[limit.name, key] = used + 1, ends_at\n"
            "        return Allowance(limit=limit, used=used, resets_in=ends_at - at)",
        ),
        ("limits share their counts", "name = limit.name, key\n", 'name = "", key\n'),
        (
            "a window that is over now is open",
            "if ends_at > at else (0, longest)",
            "if ends_at >= at else (0, longest)",
        ),
        ("a clock that jumps back locks for long", "(used, min(ends_at, longest))", "(used, ends_at)"),
        (
            "a clock that jumps back forgets",
            "if ends_at > at else (0, longest)",
            "if at < ends_at <= longest else (0, longest)",
        ),
        ("clearing one key clears all", "self._windows.pop((limit.name, key), None)", "self._windows.clear()"),
        (
            "clearing what is not there is a mistake of the program",
            "self._windows.pop((limit.name, key), None)",
            "self._windows.pop((limit.name, key))",
        ),
        ("windows that are over now are not swept", "if ends_at <= at]", "if ends_at < at]"),
        (
            "windows begin with the clock's minute",
            "        longest = at + limit.window\n",
            "        longest = at.replace(second=0, microsecond=0) + limit.window\n",
        ),
        (
            "hits at the same time are lost",
            "        with self._lock:\n"
            "            used, ends_at = self._window(limit, key, at)\n"
            "            if not used:",
            "        import time as clock\n"
            "\n"
            "        if True:\n"
            "            used, ends_at = self._window(limit, key, at)\n"
            "            clock.sleep(0.0001)\n"
            "            if not used:",
        ),
        (
            "what is allowed counts once less",
            "return Allowance(limit=limit, used=used + 1, resets_in=ends_at - at)",
            "return Allowance(limit=limit, used=used, resets_in=ends_at - at)",
        ),
    ),
)

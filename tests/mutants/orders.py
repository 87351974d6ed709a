# ruff: noqa: E501 - what is changed is shown as it is written
"""Orders, what is bought together, invoices, payments, refunds, credit notes and what they add up to, gone wrong."""

from tests.mutants.mutating import mutants

MUTANTS = (
    *mutants(
        "adapters.memory.orders",
        "OrdersContract",
        ("two orders may have one number", "if order.number in draft.orders_by_number:", "if False:"),
        (
            "an unknown order is a mistake of the program",
            'raise NotFound("There is no such order.")',
            "raise LookupError(order_id)",
        ),
        ("the version of an order is ignored", "if order.version != stored.version + 1:", "if False:"),
        (
            "saving an order that a list showed forgets its explanation",
            "        changed = replace(\n            stored,\n",
            "        changed = replace(\n            order,\n",
        ),
        (
            "saving rewrites the amounts of an order",
            "            refunded=order.refunded,\n",
            "            refunded=order.refunded,\n            total=order.total,\n            lines=order.lines,\n",
        ),
        (
            "saving rewrites the history",
            "history=(*stored.history, *order.history[len(stored.history) :])",
            "history=order.history",
        ),
        (
            "new history is forgotten",
            "history=(*stored.history, *order.history[len(stored.history) :])",
            "history=stored.history",
        ),
        ("the state of the payment is not saved", "            payment_status=order.payment_status,\n", ""),
        ("what was refunded is not saved", "            refunded=order.refunded,\n", ""),
        ("the provider of the payment is not saved", "            payment_provider=order.payment_provider,\n", ""),
        ("a new address is not saved", "            delivery_address=order.delivery_address,\n", ""),
        ("a new estimate is not saved", "            eta=order.eta,\n", ""),
        ("the carrier is not saved", "            carrier=order.carrier,\n", ""),
        ("lists show explanations", "return found.map(lambda order: replace(order, explanation=()))", "return found"),
        (
            "orders are listed oldest first",
            "lambda order: (ticks(order.created_at), order.id), descending=True)",
            "lambda order: (ticks(order.created_at), order.id))",
        ),
        (
            "orders are listed by id alone",
            "lambda order: (ticks(order.created_at), order.id), descending=True)",
            "lambda order: (order.id,), descending=True)",
        ),
        (
            "orders of one second are in any order",
            "lambda order: (ticks(order.created_at), order.id), descending=True)",
            "lambda order: (ticks(order.created_at),), descending=True)",
        ),
        ("orders of everybody are listed", "query.customer_id in (None, order.customer_id)\n        and ", ""),
        ("the status is ignored", "        and query.status in (None, order.status)\n", ""),
        (
            "a part of the number finds an order",
            "query.number in (None, order.number)",
            '(query.number or "") in order.number',
        ),
        ("the end of the period is in it", "order.created_at < query.placed_to", "order.created_at <= query.placed_to"),
        (
            "the beginning of the period is not in it",
            "order.created_at >= query.placed_from",
            "order.created_at > query.placed_from",
        ),
        (
            "what was not confirmed is to be delivered",
            "frozenset({Status.CONFIRMED, Status.PROCESSING,",
            "frozenset({Status.PENDING, Status.CONFIRMED, Status.PROCESSING,",
        ),
        ("what was delivered is no delivery", "Status.SHIPPED, Status.DELIVERED})", "Status.SHIPPED})"),
        ("whether it is done is ignored", " and done in (None, order.status is Status.DELIVERED)", ""),
        (
            "deliveries come newest first",
            "lambda row: (ticks(row[0].created_at), row[0].id, row[1]))",
            "lambda row: (ticks(row[0].created_at), row[0].id, row[1]), descending=True)",
        ),
        ("a delivery shows the whole order's total", "        total=line.total,\n", "        total=order.total,\n"),
    ),
    *mutants(
        "adapters.memory.orders",
        "ConventionsContract",
        (
            "an order keeps the offsets it was given with",
            "draft.orders.put(order.id, in_utc(order))",
            "draft.orders.put(order.id, order)",
        ),
        (
            "an order's version may skip some",
            "if order.version != stored.version + 1:",
            "if order.version <= stored.version:",
        ),
        (
            "an invoice keeps the offset it was given with",
            "draft.invoices.put(invoice.order_id, in_utc(invoice))",
            "draft.invoices.put(invoice.order_id, invoice)",
        ),
    ),
    *mutants(
        "adapters.memory.orders",
        "UnitsContract",
        (
            "an order is locked in a unit that only reads",
            "        _ = self._draft\n        return self.get(order_id)",
            "        return self.get(order_id)",
        ),
    ),
    *mutants(
        "adapters.memory.orders",
        "OverdueContract",
        ("an order whose time is up now is not overdue", "order.pay_by <= at)", "order.pay_by < at)"),
        ("the time to pay is not saved", "            pay_by=order.pay_by,\n", ""),
        (
            "overdue orders come in the order of their ids",
            "key=lambda each: (each.pay_by, each.id))[:limit]]",
            "key=lambda each: each.id)[:limit]]",
        ),
        (
            "all overdue orders are told however few were asked for",
            "key=lambda each: (each.pay_by, each.id))[:limit]]",
            "key=lambda each: (each.pay_by, each.id))]",
        ),
    ),
    *mutants(
        "adapters.memory.orders",
        "ReviewsContract",
        ("whoever ordered has got it", "            and order.status is Status.DELIVERED\n", ""),
        (
            "whoever got anything may review everything",
            "            and any(line.product_id == product_id for line in order.lines)\n",
            "",
        ),
        ("what anybody got, everybody did", "order.customer_id == customer_id\n            and ", ""),
    ),
    *mutants(
        "adapters.memory.orders",
        "ErasureContract",
        (
            "an erased order keeps the notes in its history",
            ", history=order.history)\n        self._draft",
            ")\n        self._draft",
        ),
        (
            "an erased order keeps its customer's name",
            "customer_name=order.customer_name, email=order.email, history",
            "email=order.email, history",
        ),
        (
            "an erased order keeps its customer's email",
            "customer_name=order.customer_name, email=order.email, history",
            "customer_name=order.customer_name, history",
        ),
        (
            "buyers are taken off invoices of that very moment",
            "if each.issued_at < before and each.buyer != FORGOTTEN]",
            "if each.issued_at <= before and each.buyer != FORGOTTEN]",
        ),
        ("buyers that were taken off are taken off again", " and each.buyer != FORGOTTEN]", "]"),
        (
            "the newest invoices lose their buyers first",
            "old = sorted(named, key=lambda each: (each.issued_at, each.id))[:limit]",
            "old = sorted(named, key=lambda each: (each.issued_at, each.id))[-limit:]",
        ),
        (
            "the invoices are told, not their orders",
            "return [invoice.order_id for invoice in old]",
            "return [invoice.id for invoice in old]",
        ),
    ),
    *mutants(
        "adapters.memory.orders",
        "InvoicesContract",
        ("an order can have two invoices", "if invoice.order_id in draft.invoices:", "if False:"),
        (
            "numbers begin with 0",
            "(draft.last_numbers.get(_INVOICES) or 0) + 1",
            "(draft.last_numbers.get(_INVOICES) or -1) + 1",
        ),
        ("a unit that draws two numbers gets one twice", "        draft.last_numbers.put(_INVOICES, sequence)\n", ""),
        (
            "the beginning of the period is not in it",
            "invoice.issued_at >= issued_from",
            "invoice.issued_at > issued_from",
        ),
        ("the end of the period is in it", "invoice.issued_at < issued_to", "invoice.issued_at <= issued_to"),
        (
            "invoices are listed oldest first",
            "lambda each: (ticks(each.issued_at), each.id), descending=True)",
            "lambda each: (ticks(each.issued_at), each.id))",
        ),
        (
            "invoices are listed by id alone",
            "lambda each: (ticks(each.issued_at), each.id), descending=True)",
            "lambda each: (each.id,), descending=True)",
        ),
        ("cancelled orders want an invoice", "order.status is not Status.CANCELLED and ", ""),
        ("orders that are not paid want an invoice", " and (order.payment_provider == OFFLINE or order.is_paid)", ""),
        (
            "orders that are paid offline want none",
            "(order.payment_provider == OFFLINE or order.is_paid)",
            "order.is_paid",
        ),
        (
            "invoices are due the newest first",
            "if order is not None and is_due(order))\n",
            "if order is not None and is_due(order))[::-1]\n",
        ),
        ("an order that has its invoice wants another", "        draft.to_invoice.drop(invoice.order_id)\n", ""),
        ("all orders are due however few were asked for", "for _, order_id in due[:limit]]", "for _, order_id in due]"),
    ),
    *mutants(
        "adapters.memory.purchases",
        "PurchasesContract",
        ("nothing ever waits", "return any(True for _ in self._tables.to_count.items())", "return False"),
        (
            "the oldest orders are counted first",
            "key=lambda each: (each.created_at, each.id), reverse=True)\n        for order in found[:limit]:",
            "key=lambda each: (each.created_at, each.id))\n        for order in found[:limit]:",
        ),
        ("all orders are counted however few were asked for", "for order in found[:limit]:", "for order in found:"),
        ("what is counted is more than was asked for", "return len(found[:limit])", "return len(found)"),
        (
            "an order that counts out counts in again",
            "self._add(order, 1 if order.counts else -1)",
            "self._add(order, 1)",
        ),
        (
            "counting changes the versions of orders",
            "            draft.to_count.drop(order.id)\n        return",
            "            draft.to_count.drop(order.id)\n"
            '            draft.orders.put(order.id, __import__("dataclasses").replace(order, version=order.version + 1))\n'
            "        return",
        ),
        (
            "each unit counts once more",
            "draft, products = self._draft, set(order.quantities)",
            "draft, products = self._draft, [line.product_id for line in order.lines for _ in range(line.quantity)]",
        ),
        (
            "two products are counted one way",
            "for other_id in products - {product_id}}",
            "for other_id in products - {product_id} if other_id > product_id}",
        ),
        ("heat never cools", "sign * weight(order.created_at)", "float(sign)"),
        (
            "what nobody bought together any more is found",
            "for other_id, orders in others if orders > 0)",
            "for other_id, orders in others)",
        ),
        (
            "what is bought together the least comes first",
            "for other_id, orders in others if orders > 0), reverse=True)",
            "for other_id, orders in others if orders > 0))",
        ),
        (
            "of equals the older product is found",
            "sorted(((orders, other_id) for other_id, orders in others if orders > 0), reverse=True)",
            "sorted(((orders, other_id) for other_id, orders in others if orders > 0), key=lambda each: (-each[0], each[1]))",
        ),
        (
            "the limit is of all products together",
            "            for orders, other_id in most[:limit]:",
            "            for orders, other_id in most[: limit - len(found)]:",
        ),
        ("what is not on sale is found with what is", " and self._is_on_sale(other_id):", ":"),
        (
            "archived products are on sale",
            "product is not None and product.is_active and shelf",
            "product is not None and shelf",
        ),
        ("what is out of stock is on sale", " and shelf.on_hand > 0", ""),
        (
            "what is not on sale leaves room for others",
            "return self._on_sale(_hottest(self._tables.demand.rows())[:limit])",
            "return self._on_sale(_hottest(self._tables.demand.rows()))[:limit]",
        ),
        (
            "what is wanted most comes last",
            "key=lambda each: (each.heat, each.product_id), reverse=True)",
            "key=lambda each: (each.heat, each.product_id))",
        ),
        (
            "what is wanted comes by its orders",
            "key=lambda each: (each.heat, each.product_id), reverse=True)",
            "key=lambda each: (each.orders, each.product_id), reverse=True)",
        ),
        ("what nobody wants any more is found", "if each.heat > 0)", "if True)"),
        (
            "the oldest products of a shelf are looked at",
            "filed.update(sorted(ids, reverse=True)[:limit])",
            "filed.update(sorted(ids)[:limit])",
        ),
        (
            "a product on two shelves is found twice",
            "filed: set[str] = set()",
            'filed = __import__("collections").UserList()\n        filed.update = filed.extend',
        ),
        ("cancelled orders are lately", " and each.status is not Status.CANCELLED)", ")"),
        ("orders of everybody are lately", "if each.customer_id == customer_id and", "if"),
        ("all orders ever are lately", "reverse=True)[:_LAST_ORDERS]", "reverse=True)"),
        (
            "a product that was bought twice is lately twice",
            "list(dict.fromkeys(line.product_id for order in last for line in order.lines))[:limit]",
            "[line.product_id for order in last for line in order.lines][:limit]",
        ),
        (
            "the first that was bought comes first",
            "key=lambda each: (each.created_at, each.id), reverse=True)[:_LAST_ORDERS]",
            "key=lambda each: (each.created_at, each.id))[-_LAST_ORDERS:]",
        ),
        (
            "everything that was bought is told, asked for or not",
            "for line in order.lines} & set(product_ids)",
            "for line in order.lines}",
        ),
    ),
    *mutants(
        "adapters.memory.payments",
        "PaymentsContract",
        (
            "a lease keeps the offset it was given with",
            "leased = [in_utc(replace(each, check_at=until))",
            "leased = [replace(each, check_at=until)",
        ),
        (
            "an order can have two payments under way",
            "        if payment.state is not PaymentState.FAILED:\n            self._refuse_another(payment)\n",
            "",
        ),
        (
            "a failed payment stands in the way of the next",
            "if any(other.state is not PaymentState.FAILED for other in self.of_order(payment.order_id)):",
            "if self.of_order(payment.order_id):",
        ),
        (
            "a payment that succeeded leaves room for another",
            "if any(other.state is not PaymentState.FAILED for other",
            "if any(other.state is PaymentState.ACTION_NEEDED for other",
        ),
        (
            "a payment that has failed revives beside another",
            "        if payment.state is not PaymentState.FAILED and stored.state is PaymentState.FAILED:\n"
            "            self._refuse_another(payment)\n",
            "",
        ),
        ("a second payment is told in another way", "raise PaymentInProgress()", "raise Contention()"),
        ("the version of a payment is ignored", "if payment.version != stored.version + 1:", "if False:"),
        (
            "saving a payment rewrites all of it",
            "        changed = replace(\n            stored,\n            reference=",
            "        changed = replace(\n            payment,\n            reference=",
        ),
        (
            "a reference is of any provider",
            "key = (payment.provider, payment.reference)",
            'key = ("", payment.reference)',
        ),
        (
            "two payments may have one reference",
            "if self._draft.payments_by_reference.get(key) not in {None, payment.id}:",
            "if False:",
        ),
        (
            "payments of an order come newest first",
            "for payment_id in self._tables.payments_of.get(order_id) or ()]\n"
            "        return sorted(found, key=lambda each: (each.created_at, each.id))",
            "for payment_id in self._tables.payments_of.get(order_id) or ()]\n"
            "        return sorted(found, key=lambda each: (each.created_at, each.id), reverse=True)",
        ),
        (
            "payments of an order come in the order of writing",
            "for payment_id in self._tables.payments_of.get(order_id) or ()]\n"
            "        return sorted(found, key=lambda each: (each.created_at, each.id))",
            "for payment_id in self._tables.payments_of.get(order_id) or ()]\n        return found",
        ),
        ("what is due now is not leased", "each.check_at <= at]", "each.check_at < at]"),
        (
            "a lease does not keep others away",
            "            draft.payments.put(payment.id, payment)\n        return leased",
            "            pass\n        return leased",
        ),
        (
            "payments are leased by id",
            "due.sort(key=lambda each: (each.check_at, each.id))",
            "due.sort(key=lambda each: each.id)",
        ),
        (
            "all due payments are leased however few were asked for",
            "check_at=until)) for each in due[:limit]]",
            "check_at=until)) for each in due]",
        ),
        (
            "an unknown payment is a mistake of the program",
            'raise NotFound("There is no such payment.")',
            "raise LookupError(payment_id)",
        ),
        ("the time of the next look is not saved", "            check_at=payment.check_at,\n", ""),
    ),
    *mutants(
        "adapters.memory.payments",
        "ConventionsContract",
        (
            "a payment's version may skip some",
            "if payment.version != stored.version + 1:",
            "if payment.version <= stored.version:",
        ),
        (
            "a payment keeps the offsets it was given with",
            "draft.payments.put(payment.id, in_utc(payment))\n        draft.payments_of",
            "draft.payments.put(payment.id, payment)\n        draft.payments_of",
        ),
        (
            "a refund's version may skip some",
            "if refund.version != stored.version + 1:",
            "if refund.version <= stored.version:",
        ),
        (
            "a refund keeps the offsets it was given with",
            "draft.refunds.put(refund.id, in_utc(refund))\n        draft.refunds_of",
            "draft.refunds.put(refund.id, refund)\n        draft.refunds_of",
        ),
        (
            "a refund that is saved keeps the offsets it was given with",
            "raise Contention()\n        draft.refunds.put(refund.id, in_utc(refund))",
            "raise Contention()\n        draft.refunds.put(refund.id, refund)",
        ),
        (
            "a credit note keeps the offset it was given with",
            "draft.credit_notes.put(note.id, in_utc(note))",
            "draft.credit_notes.put(note.id, note)",
        ),
    ),
    *mutants(
        "adapters.memory.payments",
        "RefundsContract",
        ("the version of a refund is ignored", "if refund.version != stored.version + 1:", "if False:"),
        (
            "saving a refund keeps its first amounts",
            "raise Contention()\n        draft.refunds.put(refund.id, in_utc(refund))",
            "raise Contention()\n        draft.refunds.put(refund.id, in_utc(replace(refund, items=stored.items)))",
        ),
        (
            "refunds of an order come newest first",
            "for refund_id in self._tables.refunds_of.get(order_id) or ()]\n"
            "        return sorted(found, key=lambda each: (each.created_at, each.id))",
            "for refund_id in self._tables.refunds_of.get(order_id) or ()]\n"
            "        return sorted(found, key=lambda each: (each.created_at, each.id), reverse=True)",
        ),
        (
            "refunds of every customer are listed",
            "query.customer_id in (None, refund.customer_id)\n            and ",
            "",
        ),
        ("refunds of every order are listed", "            and query.order_id in (None, refund.order_id)\n", ""),
        ("refunds of every status are listed", "            and query.status in (None, refund.status)\n", ""),
        (
            "refunds are listed oldest first",
            "page_of(rows, page, lambda each: (ticks(each.created_at), each.id), descending=True)",
            "page_of(rows, page, lambda each: (ticks(each.created_at), each.id))",
        ),
        ("a payout that is due now is not leased", "each.payout_at <= at]", "each.payout_at < at]"),
        (
            "a leased refund can be leased again",
            "            draft.refunds.put(refund.id, refund)\n        return leased",
            "            pass\n        return leased",
        ),
        (
            "refunds are leased by id",
            "due.sort(key=lambda each: (each.payout_at, each.id))",
            "due.sort(key=lambda each: each.id)",
        ),
        (
            "an unknown refund is a mistake of the program",
            'raise NotFound("There is no such refund.")',
            "raise LookupError(refund_id)",
        ),
        (
            "items come in the order they were given",
            "draft.refunds.put(refund.id, in_utc(refund))\n        draft.refunds_of",
            "draft.refunds.put(refund.id, in_utc(replace(refund, items=refund.items[::-1])))\n        draft.refunds_of",
        ),
    ),
    *mutants(
        "adapters.memory.payments",
        "CreditNotesContract",
        ("a refund can have two credit notes", "if note.refund_id in draft.credit_notes_by_refund:", "if False:"),
        (
            "a whole order can be credited twice",
            "elif any(other.refund_id is None for other in self.of_order(note.order_id)):",
            "elif False:",
        ),
        (
            "an order with a refund's note can't be credited",
            "elif any(other.refund_id is None for other in self.of_order(note.order_id)):",
            "elif self.of_order(note.order_id):",
        ),
        (
            "credit notes share their numbers with invoices",
            '_CREDIT_NOTES = "credit notes"',
            '_CREDIT_NOTES = "invoices"',
        ),
        (
            "credit notes of an order come newest first",
            "return sorted(found, key=lambda each: each.sequence)",
            "return sorted(found, key=lambda each: -each.sequence)",
        ),
        (
            "an unknown credit note is a mistake of the program",
            'raise NotFound("There is no such credit note.")',
            "raise LookupError(note_id)",
        ),
        (
            "a unit that draws two numbers gets one twice",
            "        draft.last_numbers.put(_CREDIT_NOTES, sequence)\n",
            "",
        ),
    ),
    *mutants(
        "adapters.memory.payments",
        "ErasureContract",
        (
            "buyers are taken off credit notes of that very moment",
            "if each.issued_at < before and",
            "if each.issued_at <= before and",
        ),
        (
            "buyers are taken off all credit notes however few were asked for",
            "key=lambda each: (each.issued_at, each.id))[:limit]\n        for note in old",
            "key=lambda each: (each.issued_at, each.id))\n        for note in old",
        ),
    ),
    *mutants(
        "adapters.memory.insight",
        "InsightContract",
        (
            "orders that wait for their invoice count from when they were placed",
            "yield from _sold(order, self._space.now)",
            "yield from _sold(order, order.created_at)",
        ),
        (
            "orders that wait for their invoice do not count",
            "            elif is_due(order):\n                yield from _sold(order, self._space.now)\n",
            "",
        ),
        (
            "days are those of UTC",
            "if (day := day_of(entry.at, days.timezone)) in days:",
            'if (day := day_of(entry.at, "UTC")) in days:',
        ),
        (
            "what was returned is a sale taken back",
            "if refund is not None and refund.cause is RefundCause.RETURN:",
            "if False:",
        ),
        (
            "what was taken back is a return",
            "if refund is not None and refund.cause is RefundCause.RETURN:",
            "if refund is not None:",
        ),
        (
            "what comes back to the shelf still costs",
            "if refund.disposition is Disposition.RESTOCK else 0",
            "if False else 0",
        ),
        ("what is scrapped costs nothing", "if refund.disposition is Disposition.RESTOCK else 0", "if True else 0"),
        ("discounts are not taken off", '"reduced": sign * line.discount.minor', '"reduced": 0'),
        ("an order taken back counts as an order", '{"orders": sign, "tax"', '{"orders": 1, "tax"'),
        ("products are ranked by units", '(-sums[each]["net"], each))[:most]', '(-sums[each]["units"], each))[:most]'),
        (
            "equals come newest first",
            '(-sums[each]["net"], each))[:most]',
            '(-sums[each]["net"], *(-ord(one) for one in each)))[:most]',
        ),
        (
            "all products are ranked however few were asked for",
            '(-sums[each]["net"], each))[:most]',
            '(-sums[each]["net"], each))',
        ),
        (
            "products count in the last of their categories",
            "first = product.category_ids[0] if product",
            "first = product.category_ids[-1] if product",
        ),
        (
            "guests are customers like any other",
            'guests = sums.pop("")',
            'guests = sums.pop("", Counter()) if False else Counter()',
        ),
        (
            "what was credited is not taken off what was spent",
            'amounts.get("invoiced", 0) - amounts.get("credited", 0)',
            'amounts.get("invoiced", 0)',
        ),
        ("customers come in the order of their ids", '(-sums[each]["spent"], each))[:most]', "each)[:most]"),
        (
            "statuses that no order has are left out",
            "return {status: placed[status] for status in Status}",
            "return dict(placed)",
        ),
        (
            "orders of the next day's first moment are placed in these days",
            "if days.begins <= order.created_at < days.ends",
            "if days.begins <= order.created_at <= days.ends",
        ),
        ("all users are new", "sum(days.begins <= user.created_at < days.ends for user", "sum(True for user"),
        (
            "users of the next day's first moment are new",
            "user.created_at < days.ends for user",
            "user.created_at <= days.ends for user",
        ),
        ("reviews that were decided wait", "review.status is ReviewStatus.PENDING", "review.status is not None"),
        (
            "returns that nobody expects are waited for",
            "each.status is RefundStatus.APPROVED and each.expect_return",
            "each.status is RefundStatus.APPROVED",
        ),
        (
            "conversations that somebody has claimed wait",
            "each.status is ConversationStatus.WAITING",
            "each.status is not ConversationStatus.CLOSED",
        ),
        (
            "refunds that were decided are to be decided",
            "refunds_to_decide=statuses[RefundStatus.REQUESTED]",
            "refunds_to_decide=len(refunds)",
        ),
        (
            "refunds that are paid out are to be paid out",
            "each.payout_at is not None for each in refunds",
            "each.payment_id is not None for each in refunds",
        ),
    ),
    *mutants(
        "adapters.memory.orders",
        "KeepingContract",
        (
            "every order goes to its buyer",
            "        draft.orders.put(order.id, in_utc(order))\n",
            "        address = replace(order.delivery_address, recipient=order.customer_name)\n"
            "        draft.orders.put(order.id, in_utc(replace(order, delivery_address=address)))\n",
        ),
        (
            "the names of buyers are kept in Latin letters",
            "        draft.orders.put(order.id, in_utc(order))\n",
            '        name = order.customer_name.encode("latin-1", "replace").decode("latin-1")\n'
            "        draft.orders.put(order.id, in_utc(replace(order, customer_name=name)))\n",
        ),
    ),
)

# ruff: noqa: E501 - what is changed is shown as it is written
"""Users, address books, sessions and carts gone wrong."""

from tests.mutants.mutating import mutants

MUTANTS = (
    *mutants(
        "adapters.memory.accounts",
        "UsersContract",
        ("two accounts may have one email", "if user.email in draft.users_by_email:", "if False:"),
        (
            "an email that is taken is told in another way",
            "raise EmailTaken()\n        draft.users.put(",
            "raise Contention()\n        draft.users.put(",
        ),
        (
            "an unknown user is a mistake of the program",
            'raise NotFound("There is no such user.")',
            "raise LookupError(user_id)",
        ),
        (
            "an unknown email is not found, instead of being nobody's",
            "return None if user_id is None else self.get(user_id)",
            'return self.get(user_id or "")',
        ),
        ("the version of a user is ignored", "if user.version != stored.version + 1:", "if False:"),
        (
            "anybody can change to an email that is taken",
            "if draft.users_by_email.get(user.email) not in (None, user.id):",
            "if False:",
        ),
        ("an email that was given up stays taken", "        draft.users_by_email.drop(stored.email)\n", ""),
        (
            "banned people of a role are among the active ones",
            "if user.is_active and user.role is role",
            "if user.role is role",
        ),
        (
            "people of a role come newest first",
            "return sorted(found, key=lambda user: (user.created_at, user.id))",
            "return sorted(found, key=lambda user: (user.created_at, user.id), reverse=True)",
        ),
        (
            "people of a role come in the order of their ids",
            "return sorted(found, key=lambda user: (user.created_at, user.id))",
            "return sorted(found, key=lambda user: user.id)",
        ),
        (
            "an address book is in the order of writing",
            "return sorted(self._book(user_id), key=lambda address: (address.created_at, address.id))",
            "return self._book(user_id)",
        ),
        (
            "anybody reads anybody's address",
            "for address in self._book(user_id):",
            "for address in [each for book in self._tables.addresses.rows() for each in book]:",
        ),
        (
            "a changed address is added to the old one",
            "tuple(in_utc(address) if each == old else each for each in book)",
            "(*book, in_utc(address))",
        ),
        ("an address can be nobody's", "        self.get(address.user_id)\n", ""),
        (
            "whoever removes an address that is not there is told nothing",
            "draft, old = self._draft, self.address(user_id, address_id)\n"
            "        draft.addresses.put(user_id, tuple(each for each in self._book(user_id) if each != old))",
            "draft = self._draft\n"
            "        draft.addresses.put(user_id, tuple(each for each in self._book(user_id) if each.id != address_id))",
        ),
        (
            "removing one address removes the book",
            "tuple(each for each in self._book(user_id) if each != old)",
            "()",
        ),
    ),
    *mutants(
        "adapters.memory.accounts",
        "ConventionsContract",
        (
            "a user's version may skip some",
            "if user.version != stored.version + 1:",
            "if user.version <= stored.version:",
        ),
        (
            "an address keeps the offset it was given with",
            "(*self._book(address.user_id), in_utc(address))",
            "(*self._book(address.user_id), address)",
        ),
        (
            "a session keeps the offset it was given with",
            "draft.sessions.put(session.id, in_utc(session))\n        draft.sessions_of",
            "draft.sessions.put(session.id, session)\n        draft.sessions_of",
        ),
    ),
    *mutants(
        "adapters.memory.accounts",
        "UnitsContract",
        (
            "a user is locked in a unit that only reads",
            "        _ = self._draft\n        return self.get(user_id)",
            "        return self.get(user_id)",
        ),
        (
            "a token is looked up in a unit that only reads, so without a lock",
            "tables = self._draft\n        token = ",
            "tables = self._tables\n        token = ",
        ),
    ),
    *mutants(
        "adapters.memory.accounts",
        "UserListsContract",
        ("users of every role are listed", "if query.role in (None, user.role) and ", "if "),
        ("who is banned is listed whatever was asked", " and query.active in (None, user.is_active)", ""),
        (
            "only the active filter that is True filters",
            "query.active in (None, user.is_active)",
            "(not query.active or user.is_active)",
        ),
        (
            "users are listed oldest first",
            "(ticks(user.created_at), user.id), descending=True)",
            "(ticks(user.created_at), user.id))",
        ),
        (
            "users are listed by id alone",
            "lambda user: (ticks(user.created_at), user.id), descending=True)",
            "lambda user: (user.id,), descending=True)",
        ),
        (
            "users that were looked for come by email",
            "lambda user: (keys[user.id], user.id)",
            "lambda user: (user.email, user.id)",
        ),
        (
            "a text is looked for without regard to the role",
            "found = (user for user in rows if keys[user.id] is not None)",
            "rows = list(self._tables.users.rows())\n"
            "        keys = {user.id: found_by(user.email, user.full_name, query.text) for user in rows}\n"
            "        found = (user for user in rows if keys[user.id] is not None)",
        ),
    ),
    *mutants(
        "adapters.memory.accounts",
        "SessionsContract",
        ("an expired session is alive", "if session is None or not session.alive(at):", "if session is None:"),
        (
            "a banned user goes on being signed in",
            "return user if user is not None and user.is_active else None",
            "return user",
        ),
        (
            "whoever is not signed in is told of too",
            "return {each: user for each, user in found.items() if user is not None}",
            "return found",
        ),
        (
            "a token that is used twice was replaced the second time",
            "replaced_at=stored.replaced_at or seen_at",
            "replaced_at=seen_at",
        ),
        (
            "rotating does not prolong a session",
            "replace(session, seen_at=seen_at, expires_at=expires_at)",
            "replace(session, seen_at=seen_at)",
        ),
        (
            "rotating forgets the old token",
            "draft.tokens.put(old.hash, in_utc(replace(stored, replaced_at=stored.replaced_at or seen_at)))",
            "draft.tokens.drop(old.hash)",
        ),
        ("a token of no session is rotated all the same", 'raise NotFound("There is no such session.")', "return"),
        (
            "a session that has ended ends again, later",
            "if session is not None and session.ended_at is None:",
            "if session is not None:",
        ),
        ("the session in use ends with all others", "if session.id != but:", "if True:"),
        (
            "sweeping forgets what expires at that very moment",
            "if session.expires_at < before or",
            "if session.expires_at <= before or",
        ),
        (
            "sweeping forgets what ended at that very moment",
            "session.ended_at < before)",
            "session.ended_at <= before)",
        ),
        (
            "sweeping forgets ended sessions whenever they ended",
            "(session.ended_at is not None and session.ended_at < before)",
            "session.ended_at is not None",
        ),
        (
            "sessions come oldest first",
            "key=lambda session: (session.created_at, session.id), reverse=True)",
            "key=lambda session: (session.created_at, session.id))",
        ),
        (
            "sessions come in the order of writing",
            "return sorted(self._sessions(user_id), key=lambda session: (session.created_at, session.id), reverse=True)",
            "return self._sessions(user_id)[::-1]",
        ),
    ),
    *mutants(
        "adapters.memory.accounts",
        "ErasureContract",
        (
            "forgetting a user's sessions ends them instead",
            "        self._remove(self._sessions(user_id))",
            "        self.end_all(user_id, self._space.now)",
        ),
        (
            "forgetting one user's sessions forgets everybody's",
            "self._remove(self._sessions(user_id))",
            "self._remove(list(self._draft.sessions.rows()))",
        ),
    ),
    *mutants(
        "adapters.memory.carts",
        "CartsContract",
        (
            "a user can have two carts",
            "if cart.user_id is not None and draft.carts_by_user.get(cart.user_id) not in (None, cart.id):",
            "if False:",
        ),
        (
            "a user whose cart was removed can't have another",
            "                draft.carts_by_user.drop(cart.user_id)\n",
            "                pass\n",
        ),
        (
            "old carts of users are swept too",
            "if cart.user_id is None and cart.updated_at < before",
            "if cart.updated_at < before",
        ),
        ("a cart of that very moment is swept", "cart.updated_at < before]", "cart.updated_at <= before]"),
        ("sweeping tells how many carts there are", "return len(old)", "return len(list(self._draft.carts.rows()))"),
        (
            "a cart that is not there can't be removed",
            "if (cart := draft.carts.get(cart_id)) is not None:",
            "if (cart := draft.carts.get(cart_id)) is None:\n            raise LookupError(cart_id)\n        else:",
        ),
        (
            "a guest's cart that became a user's is not theirs",
            "        if cart.user_id is not None:\n            draft.carts_by_user.put(cart.user_id, cart.id)",
            "        if cart.user_id is not None and cart.items:\n"
            "            draft.carts_by_user.put(cart.user_id, cart.id)",
        ),
        (
            "the things in a cart come in the order of their ids",
            "        return self._tables.carts.get(cart_id)",
            "        from dataclasses import replace\n"
            "\n"
            "        found = self._tables.carts.get(cart_id)\n"
            "        items = sorted(found.items, key=lambda each: each.product_id) if found else ()\n"
            "        return found and replace(found, items=tuple(items))",
        ),
    ),
    *mutants(
        "adapters.memory.carts",
        "UnitsContract",
        (
            "a cart is locked in a unit that only reads",
            "        _ = self._draft\n        return self.get(cart_id)",
            "        return self.get(cart_id)",
        ),
    ),
    *mutants(
        "adapters.memory.carts",
        "ConventionsContract",
        ("a cart keeps the offset it was given with", "in_utc(cart)", "cart"),
    ),
)

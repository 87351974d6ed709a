"""What is said between customers, guests and two agents of the shop."""

from dataclasses import dataclass, field
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, rule

from storecore.accounts.model import SYSTEM, Actor, Guest, User
from storecore.accounts.permissions import Role
from storecore.errors import AlreadyClaimed, ConversationClosed, NotClaimed, StoreError
from storecore.ports import ConversationQuery, Unit
from storecore.support.model import Conversation, ConversationStatus, Side
from storecore.testing.machine.scene import Scene, Shopper, Stage, every, people


@dataclass(eq=False)
class Talk:
    """A conversation as it should be: who has claimed it, what was said, and how far each side had read at least."""

    asker: Shopper
    id: str
    said: list[tuple[Side, str]] = field(default_factory=list)
    agent: User | None = None
    closed: bool = False
    read: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))

    @property
    def by(self) -> Actor:
        """Who asks, when it is whoever opened it."""
        return self.asker.account or Guest(conversation_id=self.id)

    @property
    def status(self) -> ConversationStatus:
        """Where it should be."""
        if self.closed:
            return ConversationStatus.CLOSED
        return ConversationStatus.CLAIMED if self.agent else ConversationStatus.WAITING


talks: "Bundle[Talk]" = Bundle("talks")
agents = st.integers(0, 1)
"""Which agent."""


class Supporting(Scene):
    """Support: one agent at a time, nothing said twice or lost, nothing after the end."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        user = self.register("agent@example.com")
        agent = self.store.accounts.set_role(by=SYSTEM, user_id=user.id, role=Role.SUPPORT_AGENT)
        self.agents = [self.staff, agent]
        self.talks: list[Talk] = []

    @rule(target=talks, who=people)
    def ask(self, who: Shopper) -> Talk:
        """Somebody opens a conversation."""
        body = f"Question {next(self.numbers)}"
        name, email = (None, None) if who.account else ("Grace", who.email)
        opened = self.store.support.open(by=who.by, message=body, guest_name=name, guest_email=email)
        talk = Talk(who, opened.id, [(Side.CUSTOMER, body)])
        self.talks.append(talk)
        return talk

    @rule(talk=talks, which=st.none() | agents, twice=st.booleans())
    def say(self, talk: Talk, which: int | None, twice: bool) -> None:
        """Whoever asked, or an agent, says something, perhaps sending it twice."""
        by = talk.by if which is None else self.agents[which]
        side = Side.CUSTOMER if which is None else Side.AGENT
        body, client_id = f"Words {next(self.numbers)}", f"client-{next(self.numbers)}"
        send = partial(self.store.support.send, by=by, conversation_id=talk.id, body=body, client_id=client_id)
        said = self.attempt(self._not_theirs(talk, by if which is not None else None), send)
        if said is not None:
            talk.said.append((side, body))
            assert said.message.seq == len(talk.said)
            if twice:
                again = send()
                assert again.repeated
                assert again.message == said.message

    @rule(talk=talks, which=agents)
    def claim(self, talk: Talk, which: int) -> None:
        refusal: type[StoreError] | None = AlreadyClaimed if talk.agent else None
        if talk.closed:
            refusal = ConversationClosed
        agent = self.agents[which]
        if self.attempt(refusal, lambda: self.store.support.claim(by=agent, conversation_id=talk.id)):
            talk.agent = agent
            self.note(agent, "conversation.claim", talk.id)

    @rule(talk=talks, which=agents, to_the_other=st.booleans())
    def hand_over(self, talk: Talk, which: int, to_the_other: bool) -> None:
        """Back into the queue, or to the other agent."""
        agent, other = self.agents[which], self.agents[1 - which]
        support = self.store.support
        done = self.attempt(
            self._not_theirs(talk, agent),
            lambda: (
                support.transfer(by=agent, conversation_id=talk.id, agent_id=other.id)
                if to_the_other
                else support.release(by=agent, conversation_id=talk.id)
            ),
        )
        if done is not None:
            talk.agent = other if to_the_other else None
            self.note(agent, "conversation.transfer" if to_the_other else "conversation.release", talk.id)

    @rule(talk=talks, which=st.none() | agents)
    def close_conversation(self, talk: Talk, which: int | None) -> None:
        """Its customer, its agent, or any agent while it waits."""
        agent = None if which is None else self.agents[which]
        refusal = self._not_theirs(talk, agent) if talk.agent or talk.closed else None
        if self.attempt(refusal, lambda: self.store.support.close(by=agent or talk.by, conversation_id=talk.id)):
            talk.closed = True
            if agent is not None:
                self.note(agent, "conversation.close", talk.id)

    @rule(talk=talks, which=st.none() | agents, seq=st.integers(0, 5))
    def read(self, talk: Talk, which: int | None, seq: int) -> None:
        """A mark that never goes back, and beyond nothing that was said."""
        by = talk.by if which is None else self.agents[which]
        marked = self.store.support.mark_read(by=by, conversation_id=talk.id, seq=seq)
        side = Side.CUSTOMER if which is None else Side.AGENT
        if which is None or by is talk.agent:
            assert marked.mark(side) >= min(seq, len(talk.said))

    @staticmethod
    def _not_theirs(talk: Talk, agent: Actor | None) -> type[StoreError] | None:
        """Why an agent, or whoever asked (None), may not go on."""
        if talk.closed:
            return ConversationClosed
        return NotClaimed if agent is not None and agent is not talk.agent else None

    def check(self, unit: Unit) -> None:
        """Everything that was said is there once, in order; whoever waits is in the queue."""
        super().check(unit)
        found = {each.id: each for each in every(partial(unit.conversations.page, ConversationQuery()))}
        assert found.keys() == {talk.id for talk in self.talks}
        for talk in self.talks:
            self._check_talk(talk, found[talk.id])
            messages = list(every(partial(unit.conversations.messages, talk.id)))
            assert [(each.side, each.body) for each in messages] == talk.said
            assert [each.seq for each in messages] == list(range(1, len(talk.said) + 1))
            asker = talk.asker.account.id if talk.asker.account else None
            assert all(each.author_id == asker for each in messages if each.side is Side.CUSTOMER)
            assert asker is None or found[talk.id].agent_id != asker
        queue = list(every(unit.conversations.queue))
        assert {each.id for each in queue} == {talk.id for talk in self.talks if talk.status == "waiting"}
        assert [each.waiting_since for each in queue] == sorted(each.waiting_since for each in queue)

    @staticmethod
    def _check_talk(talk: Talk, conversation: Conversation) -> None:
        assert (conversation.status, conversation.last_seq) == (talk.status, len(talk.said))
        if not talk.closed:
            assert conversation.agent_id == (talk.agent.id if talk.agent else None)
        for side in Side:
            assert talk.read[side] <= conversation.mark(side) <= conversation.last_seq
            talk.read[side] = conversation.mark(side)

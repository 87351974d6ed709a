"""What becomes of the conversations of an agent who is none any more."""

from collections.abc import Sequence

from storecore.accounts.model import User
from storecore.lists import MAX_LIMIT, PageRequest, every
from storecore.ports import ConversationQuery, Unit
from storecore.support.model import Conversation, ConversationStatus

_ALL = PageRequest(limit=MAX_LIMIT)


def release_all(unit: Unit, agent: User) -> Sequence[Conversation]:
    """Put what an agent has claimed back into the queue; what that was, to be told of after the commit.

    The agent's account is locked, so that nothing is added.
    """
    claimed = ConversationQuery(agent_id=agent.id, status=ConversationStatus.CLAIMED)
    released = []
    while found := unit.conversations.page(claimed, _ALL).items:
        for conversation_id in sorted(each.id for each in found):
            conversation = unit.conversations.locked(conversation_id)
            if conversation.is_with(agent) and conversation.status is ConversationStatus.CLAIMED:
                released.append(conversation.release())
                unit.conversations.save(released[-1])
    return released


def forget_agent(unit: Unit, agent: User, name: str) -> None:
    """Put a name for an agent whose own is to be forgotten, in every conversation; what was said stays its customers'.

    Those that the agent has claimed go back into the queue.
    """
    release_all(unit, agent)
    had = every(lambda page: unit.conversations.page(ConversationQuery(agent_id=agent.id), page))
    for conversation_id in sorted(each.id for each in had):
        unit.conversations.save(unit.conversations.locked(conversation_id).renamed(name))
    unit.conversations.rename_agent(agent.id, name)

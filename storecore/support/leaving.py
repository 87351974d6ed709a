"""What becomes of the conversations of an agent who is none any more."""

from collections.abc import Sequence

from storecore.accounts.model import User
from storecore.lists import MAX_LIMIT, PageRequest
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

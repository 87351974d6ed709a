"""What becomes of the conversations of an agent who is none any more."""

from storecore.accounts.model import User
from storecore.lists import MAX_LIMIT, PageRequest
from storecore.ports import ConversationQuery, Unit
from storecore.support.model import ConversationStatus

_ALL = PageRequest(limit=MAX_LIMIT)


def release_all(unit: Unit, agent: User) -> None:
    """Put what an agent has claimed back into the queue. The agent's account is locked, so that nothing is added."""
    claimed = ConversationQuery(agent_id=agent.id, status=ConversationStatus.CLAIMED)
    while found := unit.conversations.page(claimed, _ALL).items:
        for conversation_id in sorted(each.id for each in found):
            conversation = unit.conversations.locked(conversation_id)
            if conversation.is_with(agent) and conversation.status is ConversationStatus.CLAIMED:
                unit.conversations.save(conversation.release())

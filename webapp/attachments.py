"""Files in support conversations over HTTP."""

from typing import Annotated

from storecore.errors import ConversationClosed, NotClaimed, Unavailable
from storecore.support.model import MAX_BODY, MAX_CLIENT_ID
from storecore.support.saying import Said
from webapp import limits
from webapp.http.answers import Answer, strangers_file
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Text
from webapp.http.uploads import Upload
from webapp.http.validation import Body
from webapp.sessions import Who
from webapp.support import show_said

routes = Routes("attachments", "Files in support conversations.")


class AttachFile(Body):
    """What to say with the file, if anything, under a name of the client's own."""

    body: Annotated[str, Text(MAX_BODY, least=0, lines=True)] = ""
    client_id: Annotated[str, Text(MAX_CLIENT_ID, least=0)] | None = None


@routes.endpoint(
    "POST",
    "/support/conversations/{conversation_id}/attachments",
    show=show_said,
    location="/support/attachments/{attachment[id]}",
    who=Who.PARTY,
    once=True,
    limit=limits.ATTACHMENTS,
    refuses=(ConversationClosed, NotClaimed, Unavailable),
)
def attach(ask: Ask[Upload[AttachFile]], conversation_id: str) -> Said:
    """Send a file.

    PNG, JPEG, GIF and WebP images, PDF, MP4 and plain text (UTF-8) are taken, unless the shop takes less; the content
    decides, not the name. The part `file` comes last. The file is a message, with a `body` or without, and whoever may
    send messages may send files.
    """
    upload = ask.body
    return ask.store.support.attach(
        by=ask.by,
        conversation_id=conversation_id,
        name=upload.name,
        content=upload,
        body=upload.fields.body,
        client_id=upload.fields.client_id,
        once=ask.once,
    )


@routes.endpoint(
    "GET",
    "/support/attachments/{attachment_id}",
    who=Who.PARTY,
    etag=True,
    produces="application/octet-stream",
    refuses=(Unavailable,),
)
def get_attachment(ask: Ask, attachment_id: str) -> Answer:
    """Download a file, as one side of its conversation."""
    found = ask.store.support.attachment(by=ask.by, attachment_id=attachment_id)
    file = found.attached
    return strangers_file(found.content, name=file.name, media_type=file.media_type, size=file.size, tag=file.sha256)

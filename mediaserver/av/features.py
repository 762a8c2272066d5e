"""Feature lists (``avs`` namespace): what Samsung's televisions ask before they show anything.

X_GetFeatureList names a container for each kind of media (content-directory 13). The ids may be
any of ours, so they are the plain ids of the views: whoever browses them finds them.
"""

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from mediaserver.library.object_ids import view_id
from mediaserver.library.objects import Kind
from mediaserver.library.views import Arrangement, View

_CLASSES = {
    Kind.AUDIO: "object.item.audioItem",
    Kind.VIDEO: "object.item.videoItem",
    Kind.IMAGE: "object.item.imageItem",
}


def basic_view(views: Sequence[View]) -> str:
    """The document with ``samsung.com_BASICVIEW``: the view at the root of each kind."""
    containers = []
    for kind, upnp_class in _CLASSES.items():
        view = _top(views, kind)
        if view is not None:
            containers.append(
                f"<container id={quoteattr(view_id(view.code))} type={quoteattr(upnp_class)}/>"
            )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Features xmlns="urn:schemas-upnp-org:av:avs"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:schemaLocation="urn:schemas-upnp-org:av:avs'
        ' http://www.upnp.org/schemas/av/avs.xsd">'
        '<Feature name="samsung.com_BASICVIEW" version="1">'
        f"{''.join(containers)}</Feature></Features>"
    )


def _top(views: Sequence[View], kind: Kind) -> View | None:
    """The menu of a kind at the root; without one, any view of the kind that stands there."""
    at_root = [view for view in views if view.parent is None and view.kind is kind]
    menus = [view for view in at_root if view.arrangement is Arrangement.MENU]
    return next(iter(menus or at_root), None)

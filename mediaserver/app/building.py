"""The composition root: every part made, each handed exactly what it uses."""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from starlette.routing import Router

from mediaserver import urls
from mediaserver.app.device import media_server, server_header, variants
from mediaserver.app.overview import Overview
from mediaserver.av.connection_manager import ConnectionManager
from mediaserver.av.content_directory import ContentDirectory
from mediaserver.av.registrar import MediaReceiverRegistrar
from mediaserver.clients import ClientRegistry
from mediaserver.config import Settings
from mediaserver.data_directory import DataDirectory, DataDirectoryError
from mediaserver.delivery.routing import Delivery
from mediaserver.library.browsing.browser import SORT_CAPABILITIES
from mediaserver.library.browsing.search import SEARCH_CAPABILITIES
from mediaserver.library.library import Library
from mediaserver.server.admission import Admission
from mediaserver.server.serving import HttpServer
from mediaserver.supervision import Supervisor
from mediaserver.upnp import control, description, ssdp
from mediaserver.upnp.device import Device
from mediaserver.upnp.discovery import Discovery
from mediaserver.upnp.eventing import Eventing
from mediaserver.upnp.interfaces import Interface
from mediaserver.upnp.multicast_events import MulticastEvents
from mediaserver.web import pages

logger = logging.getLogger(__name__)


class Addresses:
    """The interfaces in use, for all who need them now and when they change."""

    def __init__(self, found: Sequence[Interface], admission: Admission) -> None:
        self._admission = admission
        self.use(found)

    def use(self, found: Sequence[Interface]) -> None:
        self.interfaces = tuple(found)
        self._admission.set_interfaces(
            [each.address for each in found], [each.network for each in found]
        )


@dataclass(frozen=True)
class Parts:
    """What has a life of its own and is to be started and stopped."""

    udn: str
    http: HttpServer
    discovery: Discovery
    eventing: Eventing
    delivery: Delivery
    addresses: Addresses
    supervisor: Supervisor
    rename: Callable[[str], None]
    """Goes by another friendly name from now on, and tells control points."""


def build(
    settings: Settings,
    directory: DataDirectory,
    library: Library,
    found: Sequence[Interface],
    supervisor: Supervisor,
) -> Parts:
    """Put a server together around an open library."""
    server = server_header()
    identity = directory.next_identity()
    clients = ClientRegistry(
        overrides={str(address): name for address, name in settings.clients.profiles.items()}
    )
    admission = Admission(
        hosts=settings.server.allowed_hosts,
        networks=[each for each in settings.server.allowed_networks if each != "attached"],
        attached="attached" in settings.server.allowed_networks,
    )
    addresses = Addresses(found, admission)

    content_directory = ContentDirectory(
        library,
        search_capabilities=SEARCH_CAPABILITIES,
        sort_capabilities=SORT_CAPABILITIES,
    )
    services = (
        content_directory.service,
        ConnectionManager().service,
        MediaReceiverRegistrar().service,
    )
    library.on_change = content_directory.library_changed
    device = media_server(identity.udn, settings.server.friendly_name, services)

    eventing = Eventing(
        server=server,
        interfaces=lambda: addresses.interfaces,
        admit=lambda address: admission.may_connect(str(address)),
        supervisor=supervisor,
    )
    delivery = Delivery(
        library,
        clients,
        streams_per_host=settings.delivery.streams_per_host,
        dscp=settings.delivery.dscp,
        roots=[os.fsencode(root.path) for root in settings.library.roots]
        if settings.library.follow_links
        else (),
    )

    def store_boot_id(boot_id: int) -> None:
        try:
            directory.store_boot_id(boot_id)
        except DataDirectoryError as error:
            logger.warning("%s", error)

    # Discovery tells others the port, which is known once the server listens.
    def location(interface: Interface) -> str:
        return f"http://{interface.host(http.port)}{urls.DESCRIPTION}"

    discovery = Discovery(
        ssdp.targets(device),
        server=server,
        boot_id=identity.boot_id,
        config_id=description.config_id(device, urls),
        location=location,
        boot_id_changed=store_boot_id,
        supervisor=supervisor,
    )
    # A path that is nearly ours is not ours: no redirects to whatever Host was sent.
    application = Router(redirect_slashes=False)
    http = HttpServer(application, admission=admission, server_name=server)
    overview = Overview(
        device=device,
        library=library,
        interfaces=lambda: addresses.interfaces,
        http=http,
        transfers=delivery.transfers,
        eventing=eventing,
        discovery=discovery,
        clients=clients,
        supervisor=supervisor,
    )
    busiest = [
        *(
            control.route(
                urls.control(each.name), each, server=server, profile_of=clients.of_action
            )
            for each in services
        ),
        *delivery.routes(),
        *(
            eventing.route(
                urls.event(each.name),
                each,
                merge=content_directory.merge if each is content_directory.service else None,
                # Only what is declared so goes out, which nothing is while we are UDA 1.0.
                multicast=MulticastEvents(
                    each,
                    udn=identity.udn,
                    interfaces=lambda: discovery.interfaces,
                    boot_id=lambda: discovery.boot_id,
                ).tell,
            )
            for each in services
            if each.evented()
        ),
    ]
    page = pages.routes(
        overview.status,
        measures=overview.measures(),
        details=settings.web.details,
        scan=library.scan_now,
    )

    def describe(device: Device) -> None:
        """Serve the documents of ``device``, and no others any more."""
        variant = variants(device, clients)
        documents = description.routes(device, urls, server=server, variant=variant)
        application.routes[:] = (*busiest, *documents, *page)  # tried in this order
        overview.device = device

    def rename(friendly_name: str) -> None:
        renamed = replace(device, friendly_name=friendly_name)
        describe(renamed)
        discovery.redescribe(config_id=description.config_id(renamed, urls))

    describe(device)
    return Parts(identity.udn, http, discovery, eventing, delivery, addresses, supervisor, rename)

"""``mediaserver doctor``: why a television does not see, list or play.

What can be observed is gathered in one place and judged in another. Judging is pure: a check takes
what was observed and gives a finding with a verdict and the next step for the owner of the machine.

=================  ======================================================================
``findings``       what a check gives, and the names of all checks
``library``        checks of configuration, data directory, index and media roots
``machine``        checks of clock, host name, container
``network``        checks of server, interfaces and port
``searches``       checks of the answers to our searches
``hearing``        checks of what is heard of others
``firewall``       the check of the packet filter
``packet_filter``  its rules, read and judged
``disk``           observes data directory, index and media roots
``system``         observes the machine: neighbours, routes, container, packet filter
``server``         asks the running server
``probing``        searches like a control point, and listens
``others``         asks the media servers that were found
``examining``      all of it in order, within its time
``report``         findings as text and as JSON
``command``        the command
=================  ======================================================================
"""

"""Rules of packet filters as the programs print them, and what becomes of a packet.

The rule sets are those of the nftables wiki ("Simple ruleset for a server"), of ``ufw`` and
``firewalld`` as installed on Debian, and of iptables(8).
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.app.doctor.findings import Verdict
from mediaserver.app.doctor.firewall import FirewallFacts, firewall
from mediaserver.app.doctor.packet_filter import Passage, passage, read_iptables, read_nft

OPEN, CLOSED, UNCERTAIN = Passage.OPEN, Passage.CLOSED, Passage.UNCERTAIN


def nft(*rules: str, policy: str = "drop", more: str = "") -> str:
    lines = "\n".join(f"\t\t{rule}" for rule in rules)
    return (
        "table inet filter {\n"
        f"{more}"
        "\tchain input {\n"
        f"\t\ttype filter hook input priority filter; policy {policy};\n"
        f"{lines}\n"
        "\t}\n"
        "\tchain forward {\n"
        "\t\ttype filter hook forward priority filter; policy drop;\n"
        "\t}\n"
        "}\n"
    )


USUAL = (
    'iifname "lo" accept',
    "ct state vmap { invalid : drop, established : accept, related : accept }",
)


@pytest.mark.parametrize(
    ("rules", "policy", "expected"),
    [
        ((), "accept", OPEN),
        ((), "drop", CLOSED),
        (("udp dport 1900 accept",), "drop", OPEN),
        (("udp dport 1900 counter packets 12 bytes 3456 accept",), "drop", OPEN),
        (("udp dport { 137, 138, 1900, 5353 } accept",), "drop", OPEN),
        (("udp dport { 137, 138, 5353 } accept",), "drop", CLOSED),
        (("udp dport 1024-65535 accept",), "drop", OPEN),
        (("udp dport 1900 drop",), "accept", CLOSED),
        (('udp dport 1900 log prefix "ssdp: " drop comment "no UPnP"',), "accept", CLOSED),
        (("udp dport 1901 drop",), "accept", OPEN),
        ((*USUAL, "udp dport 1900 accept"), "drop", OPEN),
        (USUAL, "drop", CLOSED),
        (USUAL, "accept", OPEN),
        (("ct state vmap { new : drop, established : accept }",), "accept", UNCERTAIN),
        (("tcp dport 1900 drop",), "accept", OPEN),
        (("meta l4proto { tcp, udp } th dport 1900 accept",), "drop", OPEN),
        (("meta l4proto udp accept",), "drop", OPEN),
        (("meta l4proto ipv6-icmp accept",), "drop", CLOSED),
        (('iifname "lo" accept',), "drop", CLOSED),
        (('iif "lo" accept',), "drop", CLOSED),
        (('iifname != "lo" drop',), "accept", CLOSED),
        (("ct state established,related accept",), "drop", CLOSED),
        (("ct state { established, related } accept",), "drop", CLOSED),
        (("ct state invalid drop",), "accept", OPEN),
        (("ct state new udp dport 1900 accept",), "drop", OPEN),
        (("ip protocol icmp accept", "icmp type echo-request accept"), "drop", CLOSED),
        (("udp dport 1900 accept", "udp dport 1900 drop"), "drop", OPEN),
        (("reject with icmpx admin-prohibited",), "accept", CLOSED),
        (("accept", "drop"), "drop", OPEN),
        (("ip saddr 192.168.0.0/16 accept",), "drop", UNCERTAIN),
        (("udp dport @wanted accept",), "drop", UNCERTAIN),
        (('iifname "eth0" udp dport 1900 accept',), "drop", UNCERTAIN),
        (("ip saddr 10.0.0.0/8 udp dport 1901 accept",), "drop", CLOSED),
        (("udp dport vmap { 1900 : accept }",), "accept", UNCERTAIN),
        (("ip saddr 192.168.0.0/16 accept", "accept"), "drop", OPEN),
    ],
)
def test_the_rules_of_nftables_decide_in_their_order(
    rules: tuple[str, ...], policy: str, expected: Passage
) -> None:
    assert passage(read_nft(nft(*rules, policy=policy)), "udp", 1900) is expected


CHAINS = """\
\tchain services {
\t\ttcp dport 22 accept
\t\tudp dport 1900 accept
\t}
\tchain empty {
\t\treturn
\t\tudp dport 1900 accept
\t}
\tchain loop {
\t\tjump loop
\t}
"""


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("jump services", OPEN),
        ("meta l4proto tcp jump services", CLOSED),
        ("jump empty", CLOSED),
        ("jump loop", CLOSED),
        ("jump nowhere", CLOSED),
        ("ip saddr 192.168.0.0/16 jump services", UNCERTAIN),
    ],
)
def test_chains_lead_to_chains(rule: str, expected: Passage) -> None:
    assert passage(read_nft(nft(rule, more=CHAINS)), "udp", 1900) is expected


def test_every_table_has_its_say() -> None:
    both = nft("udp dport 1900 accept") + nft("udp dport 1900 drop", policy="accept")
    assert passage(read_nft(both), "udp", 1900) is CLOSED


def test_what_is_forwarded_is_not_for_us() -> None:
    rules = nft("tcp dport 8200 accept", policy="accept")
    assert passage(read_nft(rules), "udp", 1900) is OPEN


FIREWALLD = """\
table inet firewalld {
	chain filter_INPUT {
		type filter hook input priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		ct state invalid drop
		jump filter_INPUT_ZONES
		reject with icmpx admin-prohibited
	}
	chain filter_INPUT_ZONES {
		goto filter_IN_public
	}
	chain filter_IN_public {
		jump filter_IN_public_allow
		meta l4proto { icmp, ipv6-icmp } accept
	}
	chain filter_IN_public_allow {
		tcp dport 22 accept
		ip daddr 224.0.0.251 udp dport 5353 accept
		tcp dport 8200 accept
	}
}
"""


def test_firewalld_lets_in_what_its_zone_allows() -> None:
    tables = read_nft(FIREWALLD)
    assert passage(tables, "tcp", 8200) is OPEN
    assert passage(tables, "udp", 1900) is CLOSED


UFW = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:ufw-before-input - [0:0]
:ufw-user-input - [0:0]
:ufw-not-local - [0:0]
-A INPUT -j ufw-before-input
-A INPUT -j ufw-user-input
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT
-A ufw-before-input -d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT
-A ufw-user-input -p tcp -m tcp --dport 8200 -m comment --comment "media server" -j ACCEPT
-A ufw-user-input -p udp -m multiport --dports 137,138 -j ACCEPT
COMMIT
"""


@pytest.mark.parametrize(
    ("protocol", "port", "expected"),
    [
        ("tcp", 8200, OPEN),
        ("udp", 1900, CLOSED),
        ("udp", 138, OPEN),
        ("udp", 5353, UNCERTAIN),
        ("tcp", 138, CLOSED),
    ],
)
def test_the_chains_of_ufw_are_followed(protocol: str, port: int, expected: Passage) -> None:
    assert passage(read_iptables(UFW), protocol, port) is expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("-A INPUT -p udp --dport 1900 -j DROP", CLOSED),
        ("-A INPUT -p udp --dport 1800:2000 -j REJECT --reject-with icmp-port-unreachable", CLOSED),
        ("-A INPUT ! -i lo -j DROP", CLOSED),
        ("-A INPUT -s 192.168.0.0/16 -p udp --dport 1900 -j DROP", UNCERTAIN),
        ("-A INPUT -p udp ! --dport 1900 -j DROP", UNCERTAIN),
        ("-A INPUT -p udp --dport 1900 -j LOG", OPEN),
        ("-A INPUT -m conntrack ! --ctstate NEW -j DROP", OPEN),
        ("-A FORWARD -p udp --dport 1900 -j DROP", OPEN),
    ],
)
def test_the_rules_of_iptables_decide_in_their_order(rule: str, expected: Passage) -> None:
    text = f"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n{rule}\nCOMMIT\n"
    assert passage(read_iptables(text), "udp", 1900) is expected


def test_other_tables_of_iptables_decide_nothing() -> None:
    text = "*nat\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp --dport 1900 -j DROP\nCOMMIT\n"
    assert passage(read_iptables(text), "udp", 1900) is OPEN


@given(
    st.lists(
        st.sampled_from(
            [
                *("table inet f {", "\tchain input {", "}", "udp dport ", "{ ", "1900", "-", ","),
                "\t\ttype filter hook input priority filter; policy drop;",
                *(" accept", " drop", " jump input", "ct state vmap ", '"', "\n", "*filter\n"),
                *(":INPUT DROP [0:0]\n", "-A INPUT ", "-j ", "INPUT", "--dport ", "! ", "²", "'"),
            ]
        )
        | st.text(max_size=20),
        max_size=40,
    ).map("".join)
)
def test_whatever_the_rules_are_they_are_judged(text: str) -> None:
    for read in (read_nft, read_iptables):
        assert passage(read(text), "udp", 1900) in Passage


@pytest.mark.parametrize(
    ("facts", "verdict", "said"),
    [
        (FirewallFacts([]), Verdict.OK, "lets in UDP port 1900 and TCP port 8300"),
        (FirewallFacts([], container=True), Verdict.OK, "its host may have one"),
        (FirewallFacts(None), Verdict.UNKNOWN, "root alone"),
        (FirewallFacts(None, program="ufw"), Verdict.UNKNOWN, "ufw is on"),
        (
            FirewallFacts(read_nft(nft("udp dport 1900 accept"))),
            Verdict.WARNING,
            "keeps out TCP port 8300",
        ),
        (
            FirewallFacts(read_nft(nft())),
            Verdict.WARNING,
            "keeps out UDP port 1900 and TCP port 8300",
        ),
        (
            FirewallFacts(read_nft(nft("ip saddr 10.0.0.0/8 accept"))),
            Verdict.UNKNOWN,
            "depends on more than the port",
        ),
    ],
)
def test_a_firewall_is_never_more_than_a_hint(
    facts: FirewallFacts, verdict: Verdict, said: str
) -> None:
    finding = firewall(facts, 8300)
    assert finding.verdict is verdict
    assert said in finding.found
    assert bool(finding.next_step) is (verdict is not Verdict.OK)


def test_the_owner_is_asked_to_open_nothing_that_is_open() -> None:
    step = firewall(FirewallFacts(read_nft(nft("udp dport 1900 accept"))), 8300).next_step
    assert "`sudo ufw allow 8300/tcp`" in step
    assert "1900" not in step

"""What must hold after a scenario with mail: each one is delivered, and few are delivered twice."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from db.models import OutboxRow
from domain.mail.send import QUEUE
from soak.audited_clients import DISCONNECTED, OK, AuditedClient, Outcomes
from soak.faulty_mail_server import Copy, FaultyMailbox
from soak.figures import Figures
from soak.resource_usage import ResourceUsage
from soak.server_settings import SLOWEST_RESPONSE_SECONDS

# A worker marks a mail right after it was sent. This has room for a busy machine, and is short of
# the lease, after which the next copy comes.
MARK_SECONDS = 10.0

REFUSED = "550 5.1.1"


@dataclass
class Requests:
    """What the clients requested. ``acknowledged`` and ``unanswered`` count by address."""

    outcomes: Outcomes = field(default_factory=Outcomes)
    acknowledged: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    may_be_sent: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self, address: str, outcome: str, began: float) -> None:
        self.outcomes.count(outcome, began)
        if outcome == OK:
            self.acknowledged[address] += 1
        elif outcome == DISCONNECTED:
            self.unanswered[address] += 1


@dataclass
class Run:
    """What happened until no mail was pending any more, or DRAIN_SECONDS had passed."""

    mailbox: FaultyMailbox
    requests: Requests = field(default_factory=Requests)
    users: list[AuditedClient] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    samples: list[ResourceUsage] = field(default_factory=list)
    rows: list[OutboxRow] = field(default_factory=list)
    undeliverable: set[str] = field(default_factory=set)


def check(run: Run, figures: Figures) -> None:
    """Compare the requests, the mails that the server has stored, and the rows of the outbox."""
    _check_requests(run, figures)
    _check_copies(run, figures)
    _check_rows(run, figures)
    _check_undeliverable(run, figures)


def _check_requests(run: Run, figures: Figures) -> None:
    outcomes = run.requests.outcomes
    figures.record("requested mails", run.requests.acknowledged.total())
    figures.record("requests without a response", run.requests.unanswered.total())
    figures.none("unexpected responses", outcomes.other_than(OK, DISCONNECTED))
    figures.at_most("slowest response (s)", outcomes.slowest_seconds, SLOWEST_RESPONSE_SECONDS)
    faults = sorted(run.mailbox.faults.items())
    figures.record("faults of the mail server", ", ".join(f"{n} {fault}" for fault, n in faults))
    figures.record("workers killed", len(run.kills))


def _check_copies(run: Run, figures: Figures) -> None:
    """Compare what the mail server has stored with what the clients requested."""
    requests, copies = run.requests, run.mailbox.copies
    delivered = Counter(of_mail[0].to for of_mail in copies.values())
    figures.record("delivered mails", len(copies))
    lost = {
        address: n - delivered[address]
        for address, n in requests.acknowledged.items()
        if n > delivered[address] and address not in run.mailbox.gone
    }
    figures.none("lost mails", lost)
    most = requests.acknowledged + requests.unanswered
    figures.none("mails that were not requested", delivered - most)
    twice = [of_mail for of_mail in copies.values() if len(of_mail) == 2]
    after_a_kill = [of_mail for of_mail in twice if of_mail[0].was_acknowledged]
    figures.record(
        "mails delivered twice after a fault of the server", len(twice) - len(after_a_kill)
    )
    # A worker has one mail under way.
    figures.at_most("mails delivered twice after a kill", len(after_a_kill), len(run.kills))
    figures.none(
        "mails delivered twice for no reason",
        [of_mail for of_mail in after_a_kill if not _was_interrupted(of_mail[0], run.kills)],
    )
    figures.none("mails delivered more often", sum(len(of_mail) > 2 for of_mail in copies.values()))


def _was_interrupted(copy: Copy, kills: Iterable[float]) -> bool:
    # The mail server may read a mail shortly after the worker that sent it was killed.
    return any(abs(kill - copy.at) <= MARK_SECONDS for kill in kills)


def _check_rows(run: Run, figures: Figures) -> None:
    """Compare the outbox with what the mail server has stored."""
    pending = [row for row in run.rows if not row.done_at and not row.failed_at]
    figures.none("mails still pending", len(pending))
    figures.none("rows with a payload", sum(row.payload != {} for row in run.rows))
    # One without an attempt was made for an address that is known not to exist.
    sent = {row.id for row in run.rows if row.done_at and row.attempts}
    figures.none("mails marked as sent and not delivered", sent - run.mailbox.copies.keys())
    figures.none("mails delivered and not marked", run.mailbox.copies.keys() - sent)


def _check_undeliverable(run: Run, figures: Figures) -> None:
    gone, refused = run.mailbox.gone, run.mailbox.refused
    errors = Counter(row.error for row in run.rows if row.failed_at)
    figures.record("mails given up", ", ".join(f"{n} {error}" for error, n in errors.items()))
    figures.none("mails given up for another reason", errors.keys() - {REFUSED, "undeliverable"})
    figures.none("addresses that were refused and not marked", gone - run.undeliverable)
    figures.none("addresses that exist and were marked", run.undeliverable - gone)
    # A worker that is killed has marked neither the mail nor the address.
    again = sum(map(len, refused.values())) - errors[REFUSED]
    figures.at_most("refused mails that were tried again", again, len(run.kills))
    lease = QUEUE.lease.total_seconds()
    late = [times for times in refused.values() if times[-1] - times[0] > lease]
    figures.at_most("addresses tried long after they were refused", len(late), len(run.kills))

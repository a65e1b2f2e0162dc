"""The operator's door: `loyalty NOUN VERB`. Exit status says success."""

import click

from loyalty_service.cli import (
    clock,
    demo,
    doctor,
    jobs,
    keys,
    ledger,
    members,
    program,
    serving,
    staff,
    stripe,
    webhooks,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A loyalty service: points, rewards and discounts on a ledger that can prove itself."""


for command in (
    serving.serve,
    serving.worker,
    serving.migrate,
    demo.demo,
    doctor.doctor,
    program.program,
    keys.keys,
    staff.staff,
    members.members,
    members.orders,
    members.redemptions,
    ledger.ledger,
    jobs.jobs,
    webhooks.webhooks,
    stripe.stripe,
    clock.clock,
):
    main.add_command(command)

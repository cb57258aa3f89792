"""Running a script on an instance through SSM, and what it says."""

from __future__ import annotations

import asyncio

from chaos.environments.environment import Environment
from chaos.errors import CallFailed

DOCUMENT = "AWS-RunShellScript"
# To reach the agent, and then to run: seconds. SSM takes no less for the first.
DELIVERED_WITHIN_S, RUN_WITHIN_S = 30, 60
POLL_S = 1.0
SPARE_S = 30.0  # for SSM itself
OVER = ("Success", "Cancelled", "TimedOut", "Failed")


async def run_script(
    environment: Environment, region: str, instance: str, script: str, what: str
) -> tuple[bool, str, str]:
    """Whether it ended well, and what it wrote, to both; raises CallFailed when it did not run."""
    sent = await environment.call(
        "ssm",
        region,
        "send_command",
        InstanceIds=[instance],
        DocumentName=DOCUMENT,
        Comment=what[:100],
        TimeoutSeconds=DELIVERED_WITHIN_S,
        Parameters={"commands": [script], "executionTimeout": [str(RUN_WITHIN_S)]},
    )
    command, loop = sent["Command"]["CommandId"], asyncio.get_running_loop()
    give_up = loop.time() + DELIVERED_WITHIN_S + RUN_WITHIN_S + SPARE_S
    while True:
        status, out, err = await _invocation(environment, region, instance, command)
        if status in ("Success", "Failed"):
            return status == "Success", out, err
        if status in OVER or loop.time() > give_up:
            raise CallFailed(f"{what} on {instance}", status, "SSM did not run the script there")
        await asyncio.sleep(POLL_S)


async def _invocation(
    environment: Environment, region: str, instance: str, command: str
) -> tuple[str, str, str]:
    """Its state and what it wrote; SSM does not know of it for a moment after it was sent."""
    try:
        answer = await environment.call(
            "ssm", region, "get_command_invocation", CommandId=command, InstanceId=instance
        )
    except CallFailed as error:
        if error.code != "InvocationDoesNotExist":
            raise
        return "Pending", "", ""
    out, err = answer.get("StandardOutputContent", ""), answer.get("StandardErrorContent", "")
    return answer["Status"], out, err

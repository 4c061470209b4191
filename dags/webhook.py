"""A task that has failed for good is told to a webhook, such as one of Slack, Google Chat or an alert manager.

Its address is the Airflow variable `visual_search_webhook`; without it nobody is told. What is posted is a JSON object:

| field | |
|---|---|
| `text` | one sentence: what failed, and why |
| `dag_id`, `task_id`, `run_id`, `try_number` | which attempt it was |
| `log_url` | the attempt's page in Airflow |

A webhook that does not answer within ten seconds is noted in the task's log, and changes nothing else.
"""

from __future__ import annotations

import json
import logging
import urllib.error
import urllib.request

from airflow.sdk import Context, Variable

TIMEOUT_S = 10


def tell(context: Context) -> None:
    """Post what failed to the webhook, if there is one."""
    address = Variable.get("visual_search_webhook", default=None)
    if not address:
        return
    if not address.startswith(("https://", "http://")):
        logging.getLogger(__name__).error("the variable visual_search_webhook is no https:// address; correct it")
        return
    request = urllib.request.Request(  # noqa: S310 - its scheme was looked at
        address, json.dumps(_message(context)).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310
            return
    except (OSError, urllib.error.URLError) as error:
        logging.getLogger(__name__).error("the webhook was not told: %s", error)


def _message(context: Context) -> dict[str, object]:
    task = context["ti"]
    return {
        "text": f"{task.dag_id}.{task.task_id} failed: {context.get('exception') or 'see its log'}",
        "dag_id": task.dag_id,
        "task_id": task.task_id,
        "run_id": task.run_id,
        "try_number": task.try_number,
        "log_url": getattr(task, "log_url", None),
    }

"""A run that is live, without the stages that would have measured it."""

from pipelines.store import Log, Store


def make_live(store: Store, run_id: str) -> None:
    """Release a run as it is, and make that release live."""
    store.create_json(f"releases/r-{run_id}/manifest.json", {"release_id": f"r-{run_id}", "run_id": run_id})
    log = Log(store, "live")
    log.append(log.head()[0] + 1, {"release_id": f"r-{run_id}", "action": "promote", "run_id": run_id})

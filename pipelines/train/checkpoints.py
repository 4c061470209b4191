"""The checkpoints of a training in the store, so that another machine can go on: each one archive, the last two kept.

The training writes them into a local folder and says so; an archive is created whole or not at all, and the newest one
is laid back before the next attempt.
"""

from __future__ import annotations

import re
import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import Final

from pipelines.errors import StageError
from pipelines.store import Store, UnavailableError
from pipelines.telemetry.progress import Progress
from trainer.config import CHECKPOINT_LINE, checkpoint_name

KEPT: Final = 2
BESIDE: Final = ("curves.jsonl", "dtype")
"""What belongs to every checkpoint of a folder."""
LINE: Final = re.compile(re.escape(CHECKPOINT_LINE) + r"(\d+)")


class Checkpoints:
    """The checkpoints of one training: `prefix` in the store, `folder` on this machine."""

    def __init__(self, store: Store, prefix: str, folder: Path, progress: Progress) -> None:
        self.store, self.prefix, self.folder, self.progress = store, prefix, folder, progress

    def newest(self) -> str | None:
        """Return the name of the newest archive, or None."""
        return max(self._archives(), key=_step_of, default=None)

    def restore(self) -> None:
        """Make the local folder that of the newest archive; an empty one when there is none. Raises StageError."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        newest = self.newest()
        if newest is None:
            return
        try:
            with self.store.stage_in(newest) as path, tarfile.open(path, "r:") as archive:
                archive.extractall(self.folder, filter="data")
        except (tarfile.TarError, EOFError) as error:
            raise StageError(
                f"{self.store.uri}/{newest} is damaged ({error}); delete it, and the training starts at the one before"
            ) from error
        name = checkpoint_name(_step_of(newest))
        state = f'model_checkpoint_path: "{name}"\nall_model_checkpoint_paths: "{name}"\n'
        (self.folder / "checkpoint").write_text(state, encoding="utf-8")

    def heard(self, line: str) -> bool:
        """Keep the checkpoint that a line of the training speaks of; return whether it speaks of one."""
        found = LINE.fullmatch(line)
        if found is None:
            return False
        try:
            self._keep(int(found[1]))
        except UnavailableError as error:  # the training goes on; the next checkpoint is another try
            self.progress.say(f"train: checkpoint {found[1]} is not in the store yet: {error}")
        except FileNotFoundError:  # the training is two checkpoints further, and these are about to be heard of
            pass
        return True

    def discard(self) -> None:
        """Delete all archives of the training, which is done."""
        for name in self._archives():
            self.store.delete(name)

    def _keep(self, step: int) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as folder:
            path = Path(folder, "archive.tar")
            self._pack(step, path)
            self.store.create_from(f"{self.prefix}/{step:09d}.tar", path)
        for name in sorted(self._archives(), key=_step_of)[:-KEPT]:
            self.store.delete(name)

    def _pack(self, step: int, path: Path) -> None:
        """Write the files of a checkpoint as one archive. Raises FileNotFoundError when they are there no more."""
        parts = sorted(self.folder.glob(f"{checkpoint_name(step)}.*"))
        if not any(part.suffix == ".index" for part in parts):
            raise FileNotFoundError(f"{self.folder} holds no checkpoint of step {step}")
        with tarfile.open(path, "w") as archive:
            for part in [*parts, *(self.folder / name for name in BESIDE if (self.folder / name).is_file())]:
                archive.add(part, part.name)

    def _archives(self) -> list[str]:
        return [entry.name for entry in self.store.list(self.prefix) if entry.name.endswith(".tar")]


def _step_of(name: str) -> int:
    return int(PurePosixPath(name).stem)

"""What a Dockerfile says, stage by stage: enough of its language for ours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from tools.setup_env import ROOT

DOCKERFILE = ROOT / "infra/images/Dockerfile"


@dataclass
class Stage:
    """One FROM and the instructions below it, as (name, rest)."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def last(self, name: str) -> str | None:
        return next((rest for one, rest in reversed(self.instructions) if one == name), None)


@dataclass
class Dockerfile:
    """The arguments before the first FROM, and the stages by name, in order."""

    arguments: dict[str, str]
    stages: dict[str, Stage]

    @classmethod
    def read(cls, path: Path = DOCKERFILE) -> Dockerfile:
        text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE)
        read = cls({}, {})
        for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
            name, _, rest = line.partition(" ")
            if name == "FROM":
                base, stage = re.fullmatch(r"(\S+)(?: AS (\S+))?", rest).groups(default="")
                argument = re.fullmatch(r"\$\{(\w+)\}", base)
                read.stages[stage] = Stage(stage, read.arguments[argument[1]] if argument else base)
            elif name and not read.stages:
                argument_name, _, value = rest.partition("=")
                assert name == "ARG", line
                read.arguments[argument_name] = value
            elif name:
                list(read.stages.values())[-1].instructions.append((name, rest))
        return read

    def version(self, argument: str) -> str:
        """Return the three numbers in the tag of a base image."""
        return re.search(r":(\d+\.\d+\.\d+)", self.arguments[argument])[1]

    def lineage(self, target: str) -> list[Stage]:
        """Return a stage and those that it is made from, the newest first."""
        stages = [self.stages[target]]
        while stages[-1].base in self.stages:
            stages.append(self.stages[stages[-1].base])
        return stages

    def effective(self, target: str, instruction: str) -> str | None:
        """Return what an instruction that later ones replace comes to: USER, ENTRYPOINT, CMD."""
        found = (stage.last(instruction) for stage in self.lineage(target))
        return next((rest for rest in found if rest is not None), None)

    def copied(self) -> list[str]:
        """Return every path of the build context that a COPY names."""
        copies = [rest.split() for stage in self.stages.values() for name, rest in stage.instructions if name == "COPY"]
        plain = [[word for word in words if not word.startswith("--chmod")] for words in copies]
        return [word for words in plain if not words[0].startswith("--") for word in words[:-1]]


def is_sent(path: str, ignored: str) -> bool:
    """Tell whether a file goes to the builder by the text of a .dockerignore: the last pattern that matches decides."""
    sent = True
    parts = path.split("/")
    heads = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    for line in ignored.splitlines():
        pattern = line.strip().removeprefix("!")
        if not pattern or pattern.startswith("#"):
            continue
        anywhere = pattern.removeprefix("**/")
        places = parts if anywhere != pattern else [head for head in heads if head.count("/") == pattern.count("/")]
        if any(fnmatchcase(place, anywhere) for place in places):
            sent = line.strip().startswith("!")
    return sent

"""What the launcher of the Flex Template runs: docs/dataflow.md."""

import sys

from pipelines.embed.template import main

main(sys.argv[1:])

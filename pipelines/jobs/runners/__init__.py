"""Where Beam pipelines run: in this process, or on a cluster that is watched until its job has ended."""

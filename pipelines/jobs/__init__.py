"""Jobs that outlive their launcher, the Beam jobs among them: where they run, shared transforms, units of work."""

"""First-boot files of each kind of system: what is there stays, what is missing is added."""

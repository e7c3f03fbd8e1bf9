"""One module a command of `python -m train`: HELP, add_arguments(parser) and run(options). Cheap to import: heavy imports wait until `run`."""

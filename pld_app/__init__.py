"""What the pages and the command line share: settings, wiring, components, the worker."""

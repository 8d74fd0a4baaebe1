"""One self-contained HTML page a run, made from what the run folder holds."""

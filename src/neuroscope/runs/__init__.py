"""What a run leaves on disk: the run folder, the model artefact and its card."""

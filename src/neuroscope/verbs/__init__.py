"""What a user can ask for: one public function a file; the faces call these and nothing else."""

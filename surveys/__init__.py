"""What customers say: surveys, invitations, responses and the score with its interval."""

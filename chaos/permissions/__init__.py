"""What an experiment may do in an account: IAM's words for it, and policies that allow no more."""

"""What a dataset looks like: batches become a survey, a survey becomes a page."""

"""Looking at studies and tables from outside the workflow: what is done, what would rerun, what a file holds."""

"""What outlives a request: all SQL, all Redis, all files. Nothing here knows a rule of the office."""

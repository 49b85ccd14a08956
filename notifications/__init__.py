"""The door to phones: words an event, chooses channels, sends, keeps the state of every attempt."""

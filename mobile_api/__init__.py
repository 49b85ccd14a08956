"""The door for people: HTTP, sockets and pages; identity; the composition root and the command line."""

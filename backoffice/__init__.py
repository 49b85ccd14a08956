"""The door to departments: envelope, relay, inbox. It knows the wire, not the rules of the office."""

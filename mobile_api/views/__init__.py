"""Views: read the request, call one handler, write the answer. One module a noun."""

"""A stand-in for the WeChat platform: the calls a mini-program's server makes, with the platform's manners, limits and faults."""

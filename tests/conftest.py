"""For every test: signals as in a terminal, also where the tests were started in the background with SIGINT ignored."""

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)

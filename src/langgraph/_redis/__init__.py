"""The ground floor that checkpoint and store share. Private: nothing here is a public interface."""

import logging

# What a library logs is the program's to show or not.
logging.getLogger(__name__).addHandler(logging.NullHandler())

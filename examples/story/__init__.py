"""The demo's chapters: each opens its own savers, tells what it did, and checks that it is so."""

"""Tests of an agent, on fixtures to copy."""

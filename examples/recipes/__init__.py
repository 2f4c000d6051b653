"""Where agents run: one small program for each place, explained in docs/recipes.md."""

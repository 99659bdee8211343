"""A synthetic province to try the program on: true units and sums, made-up people (`manage.py seed_demo`)."""

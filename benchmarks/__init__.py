"""What is measured, against what, in one run: `make bench` prints the tables of docs/benchmarks.md."""

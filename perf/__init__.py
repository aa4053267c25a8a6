"""Speed and memory, measured side by side with what a user would do instead; run by `make perf`, never as timed tests."""

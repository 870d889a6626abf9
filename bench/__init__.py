"""Speed side by side: Planwerk, its peers and a constant answer, on the same data in one run.

`bench/run` is the command; results go to build/bench/results.jsonl and from there into docs/benchmarks.md. Everything
listens on loopback, every measurement is bounded, and every process that is started here is stopped here.
"""

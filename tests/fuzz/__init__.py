"""Coverage-guided fuzzing: ``make fuzz``.

Each module in ``targets`` has a function ``check(data: bytes)`` that raises where a promise breaks,
and seeds below ``corpus/<its name>``. An input that once broke one is kept there, too: the tier
``make test`` tries all of them (``test_corpora.py``), without the fuzzer.
"""

"""One high limit of 150 with a deadband of 1, over readings of 24 bytes (time, tag, value), by DuckDB and by pandas.

Prints what it was, CPU seconds (those of all threads) and alarms, with tabs between. Reading the file is counted, converting it
before is not: DuckDB reads a Parquet file, pandas the plain columns. Installs nothing; says what is missing.
"""

import os
import sys
import tempfile
import time

LIMIT, CLEAR = 150.0, 149.0


def missing(name):
    print(f"  {name} is missing: pip install duckdb pandas, or name another Python by WATCHFIRE_BENCH_PYTHON", file=sys.stderr)


def measured(what, run):
    """The best of three."""
    best = None
    for _ in range(3):
        began = time.process_time()
        alarms = run()
        seconds = time.process_time() - began
        if best is None or seconds < best[0]:
            best = (seconds, alarms)
    print(f"{what}\t{best[0]:.6f}\t{best[1]}", flush=True)


def main():
    path = sys.argv[1]
    try:
        import numpy
        import pandas
    except ImportError:
        return missing("pandas")
    plain = numpy.dtype([("time", "<i8"), ("tag", "<i8"), ("value", "<f8")])

    def by_pandas():
        frame = pandas.DataFrame(numpy.fromfile(path, plain)).sort_values(["tag", "time"], kind="stable")
        state = pandas.Series(numpy.nan, index=frame.index)
        state[frame.value >= LIMIT] = 1.0
        state[frame.value < CLEAR] = 0.0
        state = state.groupby(frame.tag).ffill().fillna(0.0)
        before = state.groupby(frame.tag).shift(fill_value=0.0)
        return int(((state == 1.0) & (before == 0.0)).sum())

    measured(f"pandas {pandas.__version__}, one high limit", by_pandas)
    try:
        import duckdb
    except ImportError:
        return missing("duckdb")
    frame = pandas.DataFrame(numpy.fromfile(path, plain))
    with tempfile.TemporaryDirectory() as folder:
        parquet = os.path.join(folder, "readings.parquet")
        duckdb.sql(f"COPY (SELECT * FROM frame) TO '{parquet}' (FORMAT parquet)")
        database = duckdb.connect()
        database.execute("SET threads = 1")
        query = f"""
            WITH said AS (SELECT tag, time, CASE WHEN value >= {LIMIT} THEN 1 WHEN value < {CLEAR} THEN 0 END AS said FROM '{parquet}'),
            held AS (SELECT tag, time, last_value(said IGNORE NULLS) OVER (PARTITION BY tag ORDER BY time) AS state FROM said),
            moved AS (SELECT state, lag(state, 1, 0) OVER (PARTITION BY tag ORDER BY time) AS before FROM held)
            SELECT count(*) FROM moved WHERE state = 1 AND before = 0"""
        measured(f"DuckDB {duckdb.__version__}, one high limit", lambda: database.execute(query).fetchone()[0])


main()

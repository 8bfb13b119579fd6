#!/usr/bin/env python3
"""Writes the big inputs that are not stored. usage: generate_huge.py OUTDIR"""

import os
import sys

d = sys.argv[1]
os.makedirs(d, exist_ok=True)
with open(os.path.join(d, "201_huge_line_20mb.jsonl"), "w", encoding="utf-8") as f:
    f.write(
        '{"external_id":"m1","body":"small"}\n{"external_id":"m2","body":"'
        + "A" * 20_000_000
        + '"}\n{"external_id":"m3","body":"small too"}\n'
    )
with open(os.path.join(d, "202_huge_field_20mb.csv"), "w", encoding="utf-8", newline="") as f:
    f.write(
        'external_id,channel,body\nm1,email,small\nm2,email,"'
        + "word " * 4_000_000
        + '"\nm3,email,small too\n'
    )
with open(os.path.join(d, "203_no_newline_20mb.jsonl"), "w", encoding="utf-8") as f:
    f.write('{"external_id":"m1","body":"' + "B" * 20_000_000)
with open(os.path.join(d, "204_200k_rows.jsonl"), "w", encoding="utf-8") as f:
    for i in range(200_000):
        f.write(
            '{"external_id":"r%06d","channel":"chat","body":"message number %d, where is my order?"}\n'
            % (i, i)
        )
with open(os.path.join(d, "205_200k_rows_one_bad_at_end.jsonl"), "w", encoding="utf-8") as f:
    for i in range(200_000):
        f.write('{"external_id":"r%06d","body":"message %d"}\n' % (i, i))
    f.write("{oops\n")

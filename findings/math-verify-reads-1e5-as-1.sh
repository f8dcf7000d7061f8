#!/usr/bin/env bash
# To math-verify "1e5" is 1, and all small decimals are equal: rewards for wrong answers, none for right ones.
#
# Seen with: math-verify 0.9.0 with latex2sympy2_extended 1.11.0 and sympy 1.14.0 (PyPI); parse and verify as they come.
# Expected:  "1e5", as Python, JSON and spreadsheets print numbers, is 100,000; two answers are equal if the numbers are.
# Seen:      in plain text all from the "e" on is cut off: 1e5, 1e-7 and 1 are the same answer, 100000 is wrong for a gold of
#            1e5. Within $…$ the "e" is Euler's number: 1e5 is 13.59. Decimals are compared rounded to six places after the
#            point, however small they are: 0.0000003 equals 0.0000001 and its own negative. The same numbers written as powers
#            of ten are told apart. No error and no warning.
# Instead:   write golds as plain decimals or with \times 10^{…}; compare small numbers yourself, by their relative error, or
#            raise float_rounding; look for "e" between digits in both texts before parsing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check math-verify==0.9.0 latex2sympy2_extended==1.11.0 sympy==1.14.0
venv/bin/python - <<'PYTHON'
from importlib.metadata import version

from math_verify import parse, verify

CASES = [  # gold, answer, whether they are equal, what math-verify says
    ("100000", "100000", True, True),
    (r"$10^{5}$", "$100000$", True, True),
    ("1e5", "1e5", True, True),
    ("1e5", "100000", True, False),
    ("1e5", "1", False, True),
    ("1e5", "1e-7", False, True),
    ("2.5E3", "2500", True, False),
    ("2.5E3", "2.5", False, True),
    ("$1e5$", "$100000$", True, False),
    ("$2e1$", "$5.436564$", False, True),
    (r"\boxed{1e-5}", r"\boxed{0.00001}", True, False),
    ("0.0000003", "0.0000001", False, True),
    ("$0.0000002$", "$-0.0000002$", False, True),
    (r"$3 \times 10^{-7}$", r"$1 \times 10^{-7}$", False, False),
]
print(f"math-verify {version('math-verify')}")
wrong = []
for gold, answer, equal, seen in CASES:
    found = verify(parse(gold), parse(answer))
    print(f"gold {gold:20} answer {answer:20} {found!s:5} {'' if found == equal else 'wrong'}")
    if found != seen:
        wrong.append((gold, answer))
assert not wrong, f"otherwise now: {wrong}"
assert [str(parse(text)[0]) for text in ("1e5", "1e-7", "$1e5$")] == ["1", "1", "1*E*5"]
PYTHON

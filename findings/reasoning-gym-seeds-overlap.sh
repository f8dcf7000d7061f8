#!/usr/bin/env bash
# Two data sets of reasoning-gym with neighbouring seeds hold the same questions: who trains on 42 and tests on 43 tests on what
# was trained.
#
# Seen with: reasoning-gym 0.1.25 (PyPI).
# Expected:  seed 43 gives other questions than seed 42, but for chance.
# Seen:      question i of seed 43 is question i + 1 of seed 42, word for word: of 50 test questions 49 are in the 50 of the
#            training set, and all 50 are in one of 10,000. Each question is drawn from a generator with the seed plus the
#            question's number, so that a set is a window on one long list. gsm_symbolic is an exception.
# Instead:   take seeds further apart than the larger set is long, or cut both sets from one; look for equal questions once.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check reasoning-gym==0.1.25
venv/bin/python - <<'PYTHON'
from importlib.metadata import version

import reasoning_gym

SIZE = 50
TASKS = ["basic_arithmetic", "chain_sum", "family_relationships", "gcd", "leg_counting", "number_sorting", "spell_backward"]


def questions(task, seed):
    return [item["question"] for item in reasoning_gym.create_dataset(task, seed=seed, size=SIZE)]


print(f"reasoning-gym {version('reasoning-gym')}")
shared = {}
for task in [*TASKS, "gsm_symbolic"]:
    train = questions(task, 42)
    counts = []
    for seed in (43, 42 + SIZE):
        test = questions(task, seed)
        counts.append(sum(question in train for question in test))
    moved = questions(task, 43)[:-1] == train[1:]
    shared[task] = (counts[0], moved)
    print(f"{task:20} {SIZE} questions of seed 43: {counts[0]} are in seed 42; of seed {42 + SIZE}: {counts[1]}")
assert all(found[0] >= SIZE - 1 and found[1] for task, found in shared.items() if task != "gsm_symbolic"), shared
assert shared["gsm_symbolic"][0] < SIZE // 2 and not shared["gsm_symbolic"][1], shared
PYTHON

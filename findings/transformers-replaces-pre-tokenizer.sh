#!/usr/bin/env bash
# transformers 5 puts other steps in the place of tokenizer.json's, by the name in tokenizer_class: other ids from one folder.
#
# Seen with: transformers 5.24.0 and tokenizers 0.23.3 (PyPI).
# Expected:  AutoTokenizer gives the ids that tokenizer.json gives.
# Seen:      a tokenizer.json that splits digits one by one (as SmolLM2's does, whose tokenizer_class is GPT2Tokenizer). With
#            the class GPT2Tokenizer or GPTNeoXTokenizer AutoTokenizer leaves that step out: "12" becomes one token where the
#            file, and who trained with it, have two. With Qwen2Tokenizer, BloomTokenizer or PreTrainedTokenizerFast the ids
#            are the file's. No warning.
# Instead:   Tokenizer.from_file("tokenizer.json") of tokenizers, or tokenizer_class PreTrainedTokenizerFast.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check transformers==5.24.0 tokenizers==0.23.3
HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error venv/bin/python - <<'PYTHON'
import json
from pathlib import Path

import transformers
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer

letters = sorted(pre_tokenizers.ByteLevel.alphabet())
vocabulary = {piece: i for i, piece in enumerate([*letters, "12"])}
file = Tokenizer(models.BPE(vocab=vocabulary, merges=[("1", "2")]))
file.pre_tokenizer = pre_tokenizers.Sequence(
    [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
)
expected = file.encode("a 12").tokens
print(f"transformers {transformers.__version__}, 'a 12'")
print(f"{'tokenizer.json':24} {expected}")
failed = []
for name, follows in {
    "GPT2Tokenizer": False,
    "GPTNeoXTokenizer": False,
    "Qwen2Tokenizer": True,
    "BloomTokenizer": True,
    "PreTrainedTokenizerFast": True,
}.items():
    folder = Path(name)
    folder.mkdir()
    file.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name}))
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    auto = AutoTokenizer.from_pretrained(folder)
    tokens = auto.convert_ids_to_tokens(auto.encode("a 12", add_special_tokens=False))
    print(f"{name:24} {tokens}")
    if (tokens == expected) != follows:
        failed.append(name)
assert not failed, f"otherwise now: {failed}"
PYTHON

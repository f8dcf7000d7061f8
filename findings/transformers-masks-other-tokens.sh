#!/usr/bin/env bash
# The mask of the assistant's tokens marks other tokens where the template writes messages by a macro: one trains on the header.
#
# Seen with: transformers 5.24.0 with Jinja2 3.1.6 (PyPI).
# Expected:  return_assistant_tokens_mask marks what stands between {% generation %} and {% endgeneration %}, the answer; or it
#            refuses a template with which it cannot.
# Seen:      so it is where the block is written straight into the text. Within a macro that writes a whole message, a
#            {% set %} or {% filter %} block, a {% call %} or a recursive loop, the place is counted from the beginning of that
#            piece, not of the text: of "[assistant]ab" the tokens "[a" are marked, not "ab", as many as there should be; by a
#            recursive loop, the first tokens of the chat, for all answers. The text is the same in all cases. A loss on the
#            assistant's tokens alone is then taken on headers and questions.
# Instead:   keep the block out of macros (one that writes the content alone may be called within the block); decode the marked
#            tokens of one example with two turns before training.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check transformers==5.24.0 jinja2==3.1.6
TRANSFORMERS_VERBOSITY=error venv/bin/python - <<'PYTHON'
import string

import transformers
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

letters = {letter: i for i, letter in enumerate(string.printable)}
tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE(letters, [])))
CHAT = [
    {"role": "user", "content": "q"},
    {"role": "assistant", "content": "ab"},
    {"role": "user", "content": "r"},
    {"role": "assistant", "content": "cd"},
]
HEAD = "[{{ m.role }}]"
ANSWER = "{% generation %}{{ m.content }}{% endgeneration %}"
MESSAGE = HEAD + "{% if m.role == 'assistant' %}" + ANSWER + "{% else %}{{ m.content }}{% endif %}"


def each(body, loop="for m in messages"):
    return "{% " + loop + " %}" + body + "{% endfor %}"


def macro(name, body):
    return "{% macro " + name + "(m) %}" + body + "{% endmacro %}"


TEMPLATES = {  # the template, the marked tokens
    "in the text": (each(MESSAGE), "ab cd"),
    "macro within the block": (
        macro("content", "{{ m.content }}") + each(MESSAGE.replace(ANSWER, ANSWER.replace("m.content", "content(m)"))),
        "ab cd",
    ),
    "macro that writes a message": (macro("message", MESSAGE) + each("{{ message(m) }}"), "[a [a"),
    "set": (each("{% set one %}" + MESSAGE + "{% endset %}{{ one }}"), "[a [a"),
    "filter": (each("{% filter trim %}" + MESSAGE + "{% endfilter %}"), "[a [a"),
    "call": (
        "{% macro frame(m) %}" + HEAD + "{{ caller() }}{% endmacro %}"
        + each("{% call frame(m) %}" + MESSAGE.removeprefix(HEAD) + "{% endcall %}"),
        "[a [a",
    ),
    "recursive loop": (each(MESSAGE, "for m in messages recursive"), "[u"),
}
print(f"transformers {transformers.__version__}")
texts = set()
failed = []
for name, (template, seen) in TEMPLATES.items():
    found = tokenizer.apply_chat_template(
        CHAT, chat_template=template, return_dict=True, return_assistant_tokens_mask=True
    )
    tokens = tokenizer.convert_ids_to_tokens(found["input_ids"])
    texts.add("".join(tokens))
    shown = "".join(token if marked else " " for token, marked in zip(tokens, found["assistant_masks"]))
    print(f"{name:28} {' '.join(shown.split())}")
    if " ".join(shown.split()) != seen:
        failed.append(name)
print("the text of all:", *texts)
assert texts == {"[user]q[assistant]ab[user]r[assistant]cd"}
assert not failed, f"otherwise now: {failed}"
PYTHON

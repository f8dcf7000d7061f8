"""What every peer shares: it is given its assignment (work.ts) and then one turn after another as JSON lines on
standard input, and answers each with a JSON line on descriptor 3. Between turns it waits on a read, without using the
processor. The argument `bfloat16` has it compute in bfloat16 instead of 32 bits."""

import json
import math
import os
import platform
import sys
import time
import traceback
from importlib import metadata

_answers = os.fdopen(3, "w", buffering=1)

in_bfloat16 = "bfloat16" in sys.argv


def receive():
    """The next message; ends the process when there will be none, for nobody is left to work for."""
    line = sys.stdin.readline()
    if not line:
        os._exit(0)
    return json.loads(line)


def send(message):
    _answers.write(json.dumps(message) + "\n")


def ready():
    """Says that the next turn can be taken, and with what it will be."""
    packages = ("torch", "transformers", "trl")
    send({"ready": {"python": platform.python_version()} | {name: metadata.version(name) for name in packages}})


def use_threads(count):
    import torch

    torch.set_num_threads(count)
    torch.set_num_interop_threads(1)


def load_model(directory):
    """The model with scaled dot-product attention, as transformers loads it."""
    import torch
    from transformers import AutoModelForCausalLM

    dtype = torch.bfloat16 if in_bfloat16 else torch.float32
    return AutoModelForCausalLM.from_pretrained(directory, dtype=dtype, attn_implementation="sdpa")


def sampling(work):
    """How a group's responses are sampled, as transformers' generation settings have it."""
    return {
        "do_sample": True,
        "temperature": work["temperature"],
        "top_p": work["topP"],
        "top_k": 0,
        "num_return_sequences": work["group"],
        "max_new_tokens": work["newTokens"],
        "pad_token_id": 0,
    }


def paged(work):
    """Settings of transformers' continuous batching: it would take most of the machine's memory for its cache. A pass has
    room for one prompt, so that what follows finds the prompt's pages made."""
    page, length = 64, work["promptTokens"]
    # Of the prompt once, and of each response with the pages that it does not share.
    pages = math.ceil(length / page) + work["group"] * (math.ceil(work["newTokens"] / page) + 2)
    return {
        "page_size": page,
        "num_blocks": pages,
        "max_batch_tokens": length,
        "max_requests_per_batch": work["group"],
    }


def adamw(model, settings):
    """PyTorch's fastest AdamW on a CPU."""
    import torch

    return torch.optim.AdamW(
        model.parameters(),
        lr=settings["learningRate"],
        betas=(settings["beta1"], settings["beta2"]),
        eps=settings["epsilon"],
        weight_decay=settings["weightDecay"],
        fused=True,
    )


def optimizer_step(model, optimizer, settings):
    """Clips, steps and clears the gradients; gives their norm before clipping."""
    import torch

    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), settings["maxGradNorm"])
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return norm.item()


def serve(perform):
    """Takes turns until there are no more. `perform` does the work once and gives what is to be known of it."""
    ready()
    try:
        while True:
            receive()
            started = time.perf_counter()
            evidence = perform()
            send({"seconds": time.perf_counter() - started, **evidence})
    except BaseException:
        traceback.print_exc()
        os._exit(1)  # threads of a library would keep a process alive that does nothing more

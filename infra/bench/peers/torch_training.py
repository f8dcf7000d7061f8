"""A training step in PyTorch: forward, backward, clipping and AdamW on all sequences at once, with transformers' Llama and
scaled dot-product attention. Eager, or with the argument `compile` forward and backward through torch.compile."""

import sys

import peer

assignment = peer.receive()

import torch
import torch.nn.functional as F

peer.use_threads(assignment["threads"])
settings = assignment["optimizer"]
model = peer.load_model(assignment["directory"]).train()
optimizer = peer.adamw(model, settings)
sequences = torch.tensor(assignment["tokens"]["sequences"])
positions = torch.arange(sequences.shape[1] - 1).unsqueeze(0)


def loss_of(inputs, targets):
    """Mean cross-entropy of every token but each sequence's first; there is no padding, hence no mask."""
    logits = model(input_ids=inputs, position_ids=positions, use_cache=False).logits
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


compiled = "compile" in sys.argv
step_loss = torch.compile(loss_of) if compiled else loss_of


def perform():
    step_loss(sequences[:, :-1], sequences[:, 1:]).backward()
    return {"gradNorm": peer.optimizer_step(model, optimizer, settings)}


if compiled:
    # torch.compile generates C++: without a compiler that is no fault of the work.
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        peer.send({"unavailable": "torch.compile needs a C++ compiler (g++ or clang++)"})
peer.serve(perform)

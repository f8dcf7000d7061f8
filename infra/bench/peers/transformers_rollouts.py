"""Rollouts of one group with transformers' `generate`: sampling, num_return_sequences copies of the prompt, no token that
ends a response."""

import peer

assignment = peer.receive()
work = assignment["work"]

import torch

peer.use_threads(assignment["threads"])
model = peer.load_model(assignment["directory"]).eval()
# A model's own generation settings (ends, penalties) are not part of the work.
model.generation_config = type(model.generation_config)(
    **peer.sampling(work), min_new_tokens=work["newTokens"], eos_token_id=None
)
prompt = torch.tensor(assignment["tokens"]["prompts"])
attention_mask = torch.ones_like(prompt)


def perform():
    with torch.inference_mode():
        result = model.generate(prompt, attention_mask=attention_mask)
    expected = (work["group"], prompt.shape[1] + work["newTokens"])
    assert result.shape == expected, f"generate gave {tuple(result.shape)}, expected {expected}"
    return {}


peer.serve(perform)

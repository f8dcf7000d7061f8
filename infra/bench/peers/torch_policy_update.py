"""One policy update in PyTorch: the token-mean clipped loss of GRPO/DAPO (arXiv 2402.03300, 2503.14476), accumulated group by
group, each group a plain batch of full sequences, then clipping and AdamW. Log-probabilities of response tokens only."""

import peer

assignment = peer.receive()
work = assignment["work"]

import torch
import torch.nn.functional as F

peer.use_threads(assignment["threads"])
settings, clip = assignment["optimizer"], assignment["clip"]
model = peer.load_model(assignment["directory"]).train()
optimizer = peer.adamw(model, settings)
length = work["newTokens"]


def response_logprobs(sequences):
    """[responses, length + prompt] token ids to the log-probabilities [responses, length] of the last `length`."""
    logits = model(input_ids=sequences, use_cache=False, logits_to_keep=length + 1).logits[:, :-1]
    targets = sequences[:, -length:]
    losses = F.cross_entropy((logits / work["temperature"]).flatten(0, 1), targets.flatten(), reduction="none")
    return -losses.view_as(targets)


groups = []
for prompt, responses in zip(assignment["tokens"]["prompts"], assignment["tokens"]["responses"]):
    sequences = torch.tensor([prompt + response for response in responses])
    rewards = torch.tensor([sum(i % 2 == 0 for i in response) / len(response) for response in responses])
    advantages = (rewards - rewards.mean()) / (rewards.std() + 1e-6)
    with torch.no_grad():
        groups.append((sequences, advantages.unsqueeze(1), response_logprobs(sequences)))
total = sum(sampled.numel() for _, _, sampled in groups)


def perform():
    for sequences, advantages, sampled in groups:
        ratio = torch.exp(response_logprobs(sequences) - sampled)
        clipped = ratio.clamp(1 - clip, 1 + clip)
        loss = -torch.minimum(ratio * advantages, clipped * advantages).sum() / total
        loss.backward()
    return {"gradNorm": peer.optimizer_step(model, optimizer, settings)}


peer.serve(perform)

"""Rollouts of one group with transformers' continuous batching: the prompt is computed once, and forked into the group's
responses, which share its blocks of the cache."""

import peer

assignment = peer.receive()
work = assignment["work"]

import torch
from transformers import ContinuousBatchingConfig, GenerationConfig

peer.use_threads(assignment["threads"])
model = peer.load_model(assignment["directory"]).eval()
(prompt,) = assignment["tokens"]["prompts"]
manager = model.init_continuous_batching(
    generation_config=GenerationConfig(**peer.sampling(work), eos_token_id=-1),
    continuous_batching_config=ContinuousBatchingConfig(**peer.paged(work)),
)
manager.start()


def perform():
    manager.add_request(prompt)
    finished = 0
    while finished < work["group"]:
        result = manager.get_result(timeout=1)
        if result is None:
            assert manager.is_running(), "continuous batching has ended"
        elif result.is_finished():
            assert result.error is None, result.error
            count = len(result.generated_tokens)
            assert count == work["newTokens"], f"a response has {count} tokens, expected {work['newTokens']}"
            finished += 1
    return {}


peer.serve(perform)

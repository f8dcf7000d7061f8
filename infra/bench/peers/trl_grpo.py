"""GRPO steps with TRL's GRPOTrainer, timed in its own training loop from the beginning of a step to its end: generation,
rewards, forward, backward, optimiser. Its defaults (gradient checkpointing, token-mean loss, no KL term, one iteration a
batch), but no vLLM, no reports, and a constant learning rate. In bfloat16 the weights are so too: with weights in 32 bits
(its default) the products are cast each time, which took longer than 32 bits throughout when tried. With the argument
`batching` it samples by transformers' continuous batching, where a prompt's copies find its pages in the cache.

The tokenizer has a word for every id of the model, so that a prompt has exactly its tokens, and one word more as end and
padding: the model cannot say it, so no response ends early."""

import sys
import tempfile
import time

import peer

assignment = peer.receive()
work, settings = assignment["work"], assignment["optimizer"]

from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

peer.use_threads(assignment["threads"])


def make_tokenizer(size):
    words = {f"t{i}": i for i in range(size)} | {"<end>": size}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<end>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<end>")


class Turns(TrainerCallback):
    """Lets a step begin when its turn has come, and tells how long it took."""

    started = None

    def on_step_begin(self, *_, **__):
        if self.started is None:
            peer.ready()
        peer.receive()
        self.started = time.perf_counter()

    def on_step_end(self, *_, **__):
        peer.send({"seconds": time.perf_counter() - self.started})


def share_of_even_ids(completion_ids, **_):
    for ids in completion_ids:
        assert len(ids) == work["newTokens"], f"a response has {len(ids)} tokens, expected {work['newTokens']}"
    return [sum(i % 2 == 0 for i in ids) / len(ids) for ids in completion_ids]


tokenizer = make_tokenizer(assignment["vocabularySize"])
prompt = " ".join(f"t{i}" for i in assignment["tokens"]["prompts"][0])
assert len(tokenizer(prompt)["input_ids"]) == work["promptTokens"], "the prompt has another length in TRL's tokens"

with tempfile.TemporaryDirectory() as output:
    config = GRPOConfig(
        output_dir=output,
        max_steps=sys.maxsize,  # until the turns end
        per_device_train_batch_size=work["group"],
        num_generations=work["group"],
        max_completion_length=work["newTokens"],
        temperature=work["temperature"],
        top_p=work["topP"],
        epsilon=assignment["clip"],
        learning_rate=settings["learningRate"],
        lr_scheduler_type="constant",
        max_grad_norm=settings["maxGradNorm"],
        bf16=peer.in_bfloat16,
        use_transformers_continuous_batching="batching" in sys.argv,
        transformers_continuous_batching_config=peer.paged(work),
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = GRPOTrainer(
        model=peer.load_model(assignment["directory"]),
        reward_funcs=share_of_even_ids,
        args=config,
        train_dataset=Dataset.from_list([{"prompt": prompt}]),
        processing_class=tokenizer,
        callbacks=[Turns()],
    )
    trainer.train()

#!/usr/bin/env bash
# SkyRL's JAX backend: a model's weight decay, its pending gradient and sampling an older checkpoint reach what is trained.
#
# Seen with: skyrl 0.4.0, jax 0.12.0.1, flax 0.12.12 (PyPI), Python 3.12 (PYTHON names it), on the processor.
# Expected:  adapters of one process are apart, and sampling changes nothing.
# Seen:      a step with weight_decay shrinks the other models' weights too, by 1 - rate x decay; a model that is deleted with
#            a gradient pending leaves it to the next one in its place; and sampling a checkpoint that is not the newest puts
#            its weights into the model that is trained, which goes on from there. Nothing is reported.
# Instead:   no weight decay beside other models; a step of rate 0 on a throw-away model before a new one; sample the newest
#            checkpoint alone, and look at log-probabilities before training on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.12}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check jax==0.12.0.1 flax==0.12.12 optax==0.2.8 transformers==5.16.1 \
  cloudpathlib==0.26.0 psutil==7.2.2 sqlmodel==0.0.50 aiohttp==3.14.5 tinker==0.25.0
venv/bin/pip install --quiet --disable-pip-version-check --no-deps skyrl==0.4.0
# Of PyTorch and PEFT the JAX backend takes a type and a JSON file: stand-ins spare 5 GB.
mkdir -p stand-ins/torch stand-ins/peft
echo 'class Tensor: pass' > stand-ins/torch/__init__.py
cat > stand-ins/peft/__init__.py <<'PYTHON'
class LoraConfig:
    def __init__(self, **fields): pass
    def save_pretrained(self, folder): open(f"{folder}/adapter_config.json", "w").write("{}")
PYTHON
export PYTHONPATH=stand-ins JAX_PLATFORMS=cpu XLA_FLAGS=--xla_backend_optimization_level=0
venv/bin/python - <<'PYTHON'
import json
import logging
import tarfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save_file
from tokenizers import Tokenizer, models

logging.disable(logging.CRITICAL)
rng = np.random.default_rng(1)
HIDDEN, WORDS = 32, 64
base = Path("base")
base.mkdir()
config = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": WORDS, "hidden_size": HIDDEN,
    "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2,
    "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "tie_word_embeddings": False, "torch_dtype": "float32",
}
(base / "config.json").write_text(json.dumps(config))
Tokenizer(models.WordLevel({str(i): i for i in range(WORDS)}, unk_token="0")).save(str(base / "tokenizer.json"))
(base / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
shapes = {"self_attn.q_proj": (32, 32), "self_attn.k_proj": (32, 32), "self_attn.v_proj": (32, 32), "self_attn.o_proj": (32, 32),
          "mlp.gate_proj": (64, 32), "mlp.up_proj": (64, 32), "mlp.down_proj": (32, 64)}
tensors = {f"model.layers.0.{name}.weight": rng.normal(0, 0.2, shape) for name, shape in shapes.items()}
tensors |= {name: rng.normal(0, 1, (WORDS, HIDDEN)) for name in ("model.embed_tokens.weight", "lm_head.weight")}
tensors |= {f"model.{name}.weight": np.ones(HIDDEN) for name in ("norm", "layers.0.input_layernorm", "layers.0.post_attention_layernorm")}
save_file({name: one.astype(np.float32) for name, one in tensors.items()}, base / "model.safetensors")

from skyrl.backends.jax import JaxBackend, JaxBackendConfig
from skyrl.tinker.engine import prepare_model_pass_batch, prepare_sample_batch
from skyrl.tinker import types

backend = JaxBackend("base", JaxBackendConfig(max_lora_adapters=3, max_lora_rank=4, train_micro_batch_size=4, sample_max_num_sequences=1))


def create(name):
    backend.create_model(name, types.LoraConfig(rank=4, alpha=32, seed=7))


def sent(tokens, advantage=1.0, weights=None, logprobs=None):
    """A datum of the importance-sampling loss: full tokens, the rest one a target."""
    size = len(tokens) - 1
    list_of = lambda value: types.TensorData(data=[float(v) for v in np.broadcast_to(value, size)])
    inputs = types.LossFnInputs(
        target_tokens=types.TensorData(data=tokens[1:]),
        weights=list_of(1.0 if weights is None else weights),
        advantages=list_of(advantage),
        logprobs=list_of(0.0 if logprobs is None else logprobs),
    )
    prompt = types.ModelInput(chunks=[types.EncodedTextChunk(tokens=tokens[:-1])])
    return types.Datum(loss_fn_inputs=inputs, model_input=prompt)


def run(model, *data, loss="importance_sampling", forward=False):
    batch = prepare_model_pass_batch({"request": (model, types.ForwardBackwardInput(data=data, loss_fn=loss))})
    outputs = (backend.forward if forward else backend.forward_backward)(batch)["request"].loss_fn_outputs
    return [np.array(one["logprobs"]["data"]) for one in outputs]


def step(model, rate=0.0, decay=0.0):
    """The norm of the gradient."""
    adam = types.AdamParams(learning_rate=rate, beta1=0.9, beta2=0.95, eps=1e-12, weight_decay=decay)
    return backend.optim_step(model, types.OptimStepInput(adam_params=adam)).metrics["skyrl.ai/grad_norm"]


def scored(model):
    return run(model, sent(A), loss="cross_entropy", forward=True)[0]


A = [5, 17, 59, 3, 42, 7, 50, 33, 21, 8]


def B_norm(model):
    backend.save_sampler_checkpoint(Path(f"{model}.tar.gz"), model)
    with tarfile.open(f"{model}.tar.gz") as tar:
        [file] = [tar.extractfile(one).read() for one in tar if one.name.endswith(".safetensors")]
    return float(np.sqrt(sum(np.sum(t.astype(np.float64) ** 2) for name, t in load(file).items() if "lora_B" in name)))


def train(model, **options):
    run(model, sent(A, logprobs=scored(model)))
    return step(model, rate=0.05, **options)


create("first")
create("second")
train("first")
train("second")
norms = [B_norm("second")]
for decay in (0.0, 0.5):
    train("first", decay=decay)
    norms.append(B_norm("second"))
plain, decayed = norms[1] / norms[0], norms[2] / norms[1]
print(f"second model's weights after a step of the first: x {plain:.4f}; with weight_decay 0.5, rate 0.05: x {decayed:.4f}")

run("second", sent(A))
backend.delete_model("second")
create("third")
left = step("third")
print(f"norm of a new model's first step, no pass sent: {left:.4g}; of its second: {step('third'):.4g}")


def sample(model, checkpoint):
    asked = types.SampleInput(
        prompt=types.ModelInput(chunks=[types.EncodedTextChunk(tokens=A[:4])]), num_samples=1, checkpoint_id=checkpoint, prompt_logprobs=False,
        sampling_params=types.SamplingParams(temperature=1.0, max_tokens=2, seed=1),
    )
    backend.sample(prepare_sample_batch({"request": (model, asked)}, Path("saved").absolute()))


def save(model, checkpoint):
    path = Path("saved", model, "sampler_weights", f"{checkpoint}.tar.gz").absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    backend.save_sampler_checkpoint(path, model)
    backend.models[model].loaded_checkpoint_id = checkpoint  # as the server's engine does


save("first", "older")
older = scored("first")
train("first")
save("first", "newer")
sample("first", "newer")
newer = scored("first")
sample("first", "older")
after = scored("first")
gone, there = np.abs(after - newer).max(), np.abs(after - older).max()
print(f"trained model's log-probabilities after a sample of an older checkpoint: {gone:.3g} nats from before, {there:.3g} from the older")
assert abs(plain - 1) < 1e-6 and abs(decayed - 0.975) < 1e-4, "weight decay stays with its model now"
assert left > 0, "a new model begins without a gradient now"
assert there < 1e-4 < gone, "sampling leaves the trained model as it is now"
PYTHON

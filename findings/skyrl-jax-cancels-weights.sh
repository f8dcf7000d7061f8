#!/usr/bin/env bash
# SkyRL's JAX backend divides a gradient by its tokens' weights: half the weights are the same gradient, signed ones explode.
#
# Seen with: skyrl 0.4.0, jax 0.12.0.1, flax 0.12.12 (PyPI), Python 3.12 (PYTHON names it), on the processor.
# Expected:  the loss of a token counts by its weight, as in the Tinker cookbook and in SkyRL's other backends, which sum: half
#            the weights, half the gradient.
# Seen:      weights of 0.5 give the gradient of weights of 1; three of nine tokens, chosen by weights, three times that of the
#            same tokens chosen by advantages; and cross_entropy with as many weights of 1 as of -1 a gradient of 1e11, since
#            their sum is the divisor, 1e-9 at least. Nothing is reported.
# Instead:   weights of 0 and 1 alone; the coefficient in the advantages of importance_sampling, times the number of targets.
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
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
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
from skyrl.tinker.engine import prepare_model_pass_batch
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


create("model")
before = scored("model")


def norm(**inputs):
    run("model", sent(A, logprobs=before, **inputs))
    return step("model")


one = norm()
some = np.arange(9) < 3
seen = {
    "weights x 0.5": norm(weights=0.5) / one,
    "advantages x 0.5": norm(advantage=0.5) / one,
    "three of nine tokens by weights / by advantages": norm(weights=some) / norm(advantage=some),
}
signs = np.array([1, -1, 1, -1, 1, -1, 1, -1, 0])
run("model", sent(A), loss="cross_entropy")
plain = step("model")
run("model", sent(A, weights=signs), loss="cross_entropy")
signed = step("model")
for what, ratio in seen.items():
    print(f"{what}: gradient x {ratio:.4f}")
print(f"cross_entropy, weights 1: norm {plain:.3g}; four of 1 and four of -1: {signed:.3g}")
assert np.allclose(list(seen.values()), [1, 0.5, 3], rtol=1e-3), "the weights count otherwise now"
assert signed > 1e6 * plain, "weights that add up to nothing are taken now"
PYTHON

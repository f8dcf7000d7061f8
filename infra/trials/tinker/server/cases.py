"""What a server does where a client could think otherwise. Prints one JSON line for each case: {name, expected, seen, as_known}.

python cases.py URL BASE STATE first|second        `second` after the server was killed and started on the same files
"""
import json
import sys
from pathlib import Path

import numpy as np
from wire import Model, Refused, Server, ones, weighed, weights

A = [5, 17, 99, 3, 42, 7, 150, 33, 21, 8]
B = [9, 4, 77, 12, 50, 61]
CASES = {"first": [], "second": []}


def case(when, expected):
    def add(function):
        CASES[when].append((function.__name__.replace("_", " "), expected, function))
        return function

    return add


def refusal(call):
    try:
        call()
    except Refused as error:
        return error
    return None


def far(a, b):
    return float(np.max(np.abs(np.asarray(a) - np.asarray(b))))


def norm(tensors):
    return float(np.sqrt(sum(np.sum(np.square(one, dtype=np.float64)) for one in tensors.values())))


def gradient_norm(model, *data):
    model.passed(list(data))
    return model.step(learning_rate=0)


@case("first", "a call sent again with its number is the same call; another content under it is refused")
def deduplication(model, _):
    before = model.logprobs(A)[0]
    seq = model.next()
    again = [model.send([weighed(A, before)], seq=seq)["request_id"] for _ in range(2)]
    other = refusal(lambda: model.send([weighed(A, before, 2.0)], seq=seq))
    seq = model.next()
    steps = [model.send_step(seq, learning_rate=0)["request_id"] for _ in range(2)]
    norm = model.server.result({"request_id": steps[1]})["metrics"]["skyrl.ai/grad_norm"]
    alone = gradient_norm(model, weighed(A, before))
    same = again[0] == again[1] and steps[0] == steps[1]
    seen = f"the same future: {same}; other content: {other and other.status}; gradient of the call sent twice / once: {norm / alone:.6f}"
    return seen, same and other is not None and other.status == 409 and abs(norm / alone - 1) < 1e-5


@case("first", "the gradient grows with the weights of the tokens")
def weights_of_half(model, _):
    before = model.logprobs(A)[0]
    one = gradient_norm(model, weighed(A, before))
    half = gradient_norm(model, weighed(A, before, weights=ones(A, 0.5)))
    twice = gradient_norm(model, weighed(A, before, 2.0))
    return f"weights x 0.5: gradient x {half / one:.4f}; advantages x 2: x {twice / one:.4f}", far([half, twice], [one, 2 * one]) < 1e-3 * one


@case("first", "the gradient of a batch is the sum of its sequences'")
def reduction(model, _):
    a, b = model.logprobs(A, B)
    alone = gradient_norm(model, weighed(A, a))
    together = gradient_norm(model, weighed(A, a), weighed(A, a))
    model.passed([weighed(A, a)])
    calls = gradient_norm(model, weighed(A, a))
    return f"a sequence twice: x {together / alone:.4f}; in two calls: x {calls / alone:.4f}", far([together, calls], alone) < 1e-4 * alone


@case("first", "a negative weight takes away what a positive one adds")
def signed_weights(model, _):
    signs = [1.0 if i % 2 else -1.0 for i in range(len(A) - 2)] + [0.0]
    model.passed([{"tokens": A, "weights": ones(A)}], loss="cross_entropy")
    plain = model.step(learning_rate=0)
    model.passed([{"tokens": A, "weights": signs}], loss="cross_entropy")
    signed = model.step(learning_rate=0)
    return f"norm of the gradient with weights 1: {plain:.3g}; with as many of 1 as of -1: {signed:.3g}", signed > 1e6 * plain


@case("first", "grad_clip_norm bounds the step, or is refused")
def clipping(model, _):
    before = model.logprobs(A)[0]
    norms = []
    for clip in ({}, {"grad_clip_norm": 1e-3}):
        other = Model(model.server, SESSION)
        for _ in range(2):
            other.passed([weighed(A, before, 100.0)])
            other.step(learning_rate=1, eps=1e4, beta1=0, beta2=0, **clip)
        other.save("clipped", sampler=True)
        moved = {name: one for name, one in weights(other.archive("clipped")).items() if "lora_B" in name}  # from 0
        norms.append(norm(moved))
        other.unload()
    seen = f"norm of B after two steps: {norms[0]:.6f}; with grad_clip_norm 0.001: {norms[1]:.6f}"
    return seen, norms[0] == norms[1] > 1e-3


@case("first", "a step of one model leaves the others as they are")
def weight_decay(model, _):
    other = Model(model.server, SESSION, seed=8)
    other.passed([weighed(A, other.logprobs(A)[0])])
    other.step(learning_rate=0.05)
    norms = []
    for name, decay in (("before", 0.0), ("between", 0.5), ("after", None)):
        other.save(name, sampler=True)
        norms.append(norm(weights(other.archive(name))))
        if decay is not None:
            model.passed([weighed(A, model.logprobs(A)[0])])
            model.step(learning_rate=0.05, weight_decay=decay)
    other.unload()
    plain, decayed = norms[1] / norms[0], norms[2] / norms[1]
    return f"norm of another model: x {plain:.4f}; by a step with weight_decay 0.5 and learning_rate 0.05: x {decayed:.4f}", plain == 1 and abs(decayed - 0.975) < 1e-4


@case("first", "a new model begins without a gradient")
def gradients_left_behind(model, _):
    gone = Model(model.server, SESSION)
    gone.passed([weighed(A, gone.logprobs(A)[0], 50.0)])
    gone.unload()
    new = Model(model.server, SESSION)
    found = new.step(learning_rate=0)
    new.unload()
    clean = Model(model.server, SESSION)
    washed = clean.step(learning_rate=0)
    clean.unload()
    return f"gradient's norm of a new model that was sent no pass: {found:.4g}; of the one after it: {washed:.4g}", found > 0 and washed == 0


@case("first", "sampling does not change what is trained")
def sampling_an_older_checkpoint(model, _):
    def train():
        a, b = model.logprobs(A, B)
        model.passed([weighed(A, a), weighed(B, b, -1.0)])
        model.step(learning_rate=0.05)

    train()
    model.save("older", sampler=True)
    old = model.logprobs(A)[0]
    train()
    model.save("newer", sampler=True)
    model.sample("newer", A[:4], max_tokens=8)
    new = model.logprobs(A)[0]
    model.sample("older", A[:4], max_tokens=8)
    moved = model.logprobs(A)[0]
    return f"log-probabilities of the trained model moved by {far(new, moved):.3g} nats, to {far(old, moved):.3g} of the older ones", far(old, moved) < 1e-4 < far(new, moved)


@case("first", "a response ends with the model's end token")
def end_token(model, _):
    model.save("end", sampler=True)
    options = {"num_samples": 8, "max_tokens": 64, "seed": 5, "temperature": 30.0}  # so hot that every token comes
    free = [one for one in model.sample("end", A[:4], **options) if 0 in one["tokens"]]
    stopped = [one for one in model.sample("end", A[:4], stop=[0], **options) if 0 in one["tokens"]]
    ended = sum(one["tokens"][-1] == 0 and one["stop"] for one in free)
    told = sum(one["tokens"].index(0) == len(one["tokens"]) - 1 and one["stop"] for one in stopped)
    seen = f"of {len(free)} samples with the end token {ended} end at it; asked with stop, {told} of {len(stopped)}"
    return seen, len(free) > 0 and ended < len(free) and told == len(stopped) > 0


@case("first", "log-probabilities of samples are those at the temperature that was asked for")
def temperature(model, _):
    model.save("warm", sampler=True)
    [one] = model.sample("warm", A[:4], temperature=2.0)
    scored = model.logprobs(A[:4] + one["tokens"])[0][3:]
    return f"sampled at 2; away from those at 1 by {far(one['logprobs'], scored):.2g}", far(one["logprobs"], scored) < 1e-4


@case("first", "the saved adapter says which layers it is for")
def saved_adapter(model, _):
    model.save("saved", sampler=True)
    files = model.archive("saved")
    names = weights(files)
    modules = sorted({name.split(".")[-3] for name in names})
    told = json.loads(files["adapter_config.json"]).get("target_modules")
    return f"target_modules: {json.dumps(told)}; the file holds {len(names)} tensors of {', '.join(modules)}", told is None and len(modules) == 7


@case("first", "what is saved is there to be loaded")
def kept_for_the_second_part(model, state):
    before = model.logprobs(A)[0]
    seq = model.next()
    model.passed([weighed(A, before)], seq=seq)
    step = model.next()
    model.step(step, learning_rate=0.01)
    path = model.save("kept")
    kept = model.logprobs(A)[0]
    state.write_text(json.dumps({"model": model.id, "seq": seq, "step": step, "path": path, "count": model.count, "sent": before.tolist(), "kept": kept.tolist()}))
    return f"checkpoint {path.split('/')[-1]}, last call {model.count}", True


@case("second", "a server that lost a model says so when it is asked to work on it")
def repeated_call_after_a_restart(model, state):
    model, was = lost(model, state)
    answered = model.passed([weighed(A, was["sent"])], seq=was["seq"])[0]
    step = model.step(was["step"], learning_rate=0.01)
    new = refusal(lambda: model.passed([weighed(A, was["sent"])], seq=was["count"] + 1))
    seen = f"calls of before the restart: 200, {len(answered)} log-probabilities and a norm of {step:.3g}; a new one: {new}"
    return seen, new is not None and "not loaded" in new.text


@case("second", "a checkpoint brings all back")
def rebuilt_from_a_checkpoint(model, state):
    was = json.loads(state.read_text())
    other = Model(model.server, SESSION, seed=99)
    other.load(was["path"])
    away = far(other.logprobs(A)[0], was["kept"])
    other.unload()
    return f"log-probabilities away from those of before by {away:.3g}", away < 1e-5


def lost(model, state):
    was = json.loads(state.read_text())
    ghost = object.__new__(Model)
    ghost.server, ghost.id, ghost.count = model.server, was["model"], was["count"]
    return ghost, was


url, base, state, when = sys.argv[1:]
server = Server(url, base)
SESSION = server.session()
for name, expected, run in CASES[when]:
    model = Model(server, SESSION)
    try:
        seen, as_known = run(model, Path(state))
    except Exception as error:
        seen, as_known = f"{type(error).__name__}: {error}", False
    print(json.dumps({"name": name, "expected": expected, "seen": seen, "as_known": bool(as_known)}), flush=True)
    model.unload()

"""The wire with the SDK's own protobuf messages: what the cases ask a server, none of it through longhaul."""
import io
import json
import tarfile
import time

import httpx
import numpy as np
from tinker.proto import tinker_public_pb2 as messages

PROTOBUF = "application/x-protobuf"
PATIENCE_S = 600
HELD_S = 300  # how long the server holds an answer back that is not there yet


class Refused(Exception):
    """An answer that is none of success; `status` is HTTP's, or 200 for a future that failed."""

    def __init__(self, status, text):
        super().__init__(f"{status} {text[:200]}")
        self.status = status
        self.text = text


class Server:
    def __init__(self, url, base):
        self.base = base
        self.http = httpx.Client(base_url=f"{url}/api/v1/", timeout=HELD_S + 30, headers={"X-API-Key": "tml-any"})

    def ask(self, path, body=None, kind="application/json", accept="application/json"):
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        verb = "GET" if body is None else "POST"
        got = self.http.request(verb, path, content=content, headers={"Content-Type": kind, "Accept": accept})
        if got.status_code >= 400:
            raise Refused(got.status_code, got.text)
        return got.content if got.headers.get("content-type", "").startswith(PROTOBUF) else got.json()

    def result(self, future, accept="application/json"):
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                got = self.ask("retrieve_future", {"request_id": future["request_id"]}, accept=accept)
            except Refused as error:
                if error.status == 408:
                    continue
                raise
            if isinstance(got, bytes):
                return got
            if got.get("type") == "try_again":
                continue
            if "error" in got:
                raise Refused(200, json.dumps(got))
            return got
        raise TimeoutError(f"{future} is not there after {PATIENCE_S} s")

    def session(self):
        return self.ask("create_session", {"tags": [], "user_metadata": {}, "sdk_version": "0.25.0", "type": "create_session"})["session_id"]


class Model:
    """A trained adapter, its calls counted from 1."""

    def __init__(self, server, session, seed=7, rank=8):
        adapter = {"rank": rank, "seed": seed, "train_attn": True, "train_mlp": True, "train_unembed": True}
        asked = {"session_id": session, "model_seq_id": 0, "base_model": server.base, "lora_config": adapter, "type": "create_model"}
        made = server.ask("create_model", asked)
        server.result(made)
        self.server = server
        self.id = made["model_id"]
        self.count = 0

    def next(self):
        self.count += 1
        return self.count

    def send(self, data, loss="importance_sampling", forward=False, seq=None):
        seq = self.next() if seq is None else seq
        request = messages.ForwardBackwardRequest(model_id=self.id, seq_id=seq, loss_fn=loss, forward_only=forward)
        for one in data:
            tokens, inputs = one["tokens"], {k: v for k, v in one.items() if k != "tokens"}
            datum = request.data.add()
            datum.model_input.add().encoded_text.tokens = np.asarray(tokens[:-1], "<i4").tobytes()
            target = datum.loss_fn_inputs["target_tokens"]
            target.dense, target.dtype = np.asarray(tokens[1:], "<i8").tobytes(), 2
            target.shape.append(len(tokens) - 1)
            for name, values in inputs.items():
                tensor = datum.loss_fn_inputs[name]
                tensor.dense, tensor.dtype = np.asarray(values, "<f4").tobytes(), 1
                tensor.shape.append(len(values))
        return self.server.ask("forward_backward", request.SerializeToString(), kind=PROTOBUF)

    def passed(self, *args, **options):
        """Log-probabilities of the targets, by datum."""
        answer = self.server.result(self.send(*args, **options), PROTOBUF)
        output = messages.ForwardBackwardOutput.FromString(answer)
        found = []
        for record in output.loss_fn_outputs:
            field = record.fields["logprobs"]
            at = np.frombuffer(field.offsets, "<i8")
            found += [np.frombuffer(field.data[a:b], "<f4") for a, b in zip(at, at[1:])]
        return found

    def logprobs(self, *sequences):
        return self.passed([plain(tokens) for tokens in sequences], loss="cross_entropy", forward=True)

    def step(self, seq=None, **adam):
        """The norm of the gradient."""
        return self.server.result(self.send_step(seq, **adam))["metrics"]["skyrl.ai/grad_norm"]

    def send_step(self, seq=None, **adam):
        given = {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.95, "eps": 1e-12, "weight_decay": 0.0, **adam}
        asked = {"model_id": self.id, "seq_id": self.next() if seq is None else seq, "adam_params": given, "type": "optim_step"}
        return self.server.ask("optim_step", asked)

    def save(self, name, sampler=False):
        verb = "save_weights_for_sampler" if sampler else "save_weights"
        return self.server.result(self.server.ask(verb, {"model_id": self.id, "path": name, "seq_id": self.next(), "type": verb}))["path"]

    def load(self, path):
        asked = {"model_id": self.id, "path": path, "optimizer": True, "seq_id": self.next(), "type": "load_weights"}
        return self.server.result(self.server.ask("load_weights", asked))

    def archive(self, name):
        """The files of a sampler checkpoint."""
        got = self.server.http.get(f"training_runs/{self.id}/checkpoints/{name}/archive", follow_redirects=True)
        if got.status_code >= 400:
            raise Refused(got.status_code, got.text)
        with tarfile.open(fileobj=io.BytesIO(got.content)) as tar:
            return {one.name.removeprefix("./").lstrip("/"): tar.extractfile(one).read() for one in tar if one.isfile()}

    def sample(self, name, tokens, **params):
        asked = {
            "prompt": {"chunks": [{"type": "encoded_text", "tokens": tokens}]},
            "num_samples": params.pop("num_samples", 1),
            "sampling_params": {"max_tokens": 8, "seed": 1, "temperature": 1.0, **params},
            "model_path": f"tinker://{self.id}/sampler_weights/{name}",
            "type": "sample",
        }
        answer = messages.SampleResponse.FromString(self.server.result(self.server.ask("asample", asked), PROTOBUF))
        return [
            {
                "tokens": np.frombuffer(one.tokens, "<i4").tolist(),
                "logprobs": np.frombuffer(one.logprobs, "<f4"),
                "stop": one.stop_reason == 0,
            }
            for one in answer.sequences
        ]

    def unload(self):
        self.server.result(self.server.ask("unload_model", {"model_id": self.id, "type": "unload_model"}))


def ones(tokens, value=1.0):
    return [value] * (len(tokens) - 1)


def plain(tokens):
    return {"tokens": tokens, "weights": ones(tokens)}


def weighed(tokens, logprobs, advantage=1.0, **inputs):
    """A datum of the importance-sampling loss."""
    return {"tokens": tokens, "logprobs": logprobs, "advantages": ones(tokens, advantage), **inputs}


def weights(archive):
    """A safetensors file's tensors by name."""
    file = archive["adapter_model.safetensors"]
    size = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + size])
    header.pop("__metadata__", None)
    data = file[8 + size :]
    return {name: np.frombuffer(data[slice(*one["data_offsets"])], "<f4") for name, one in sorted(header.items())}

"""What SkyRL's JAX backend wants of PEFT: an adapter_config.json. The real one brings PyTorch."""
import json
from pathlib import Path


class LoraConfig:
    def __init__(self, r, lora_alpha, target_modules=None, **others):
        self.fields = {"peft_type": "LORA", "r": r, "lora_alpha": lora_alpha, "target_modules": target_modules, **others}

    def save_pretrained(self, folder):
        Path(folder, "adapter_config.json").write_text(json.dumps(self.fields))

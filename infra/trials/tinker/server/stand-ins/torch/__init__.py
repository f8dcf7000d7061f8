"""What SkyRL's JAX backend wants of PyTorch: a name for a type. The real one weighs 6 GB with what it brings."""


class Tensor:
    pass
